"""In whose name something is done.

Actor("clerk", {"role": "auditor"}).meta["role"]   # "auditor"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Any

_serials = count()


@dataclass(frozen=True, slots=True)
class Actor:
    """An id and what is noted of it; neither changes, nested values included: nobody may."""

    id: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """`meta` without what the environment has filled in; None: it has filled in nothing."""
    serial: int = field(default_factory=_serials.__next__, compare=False, repr=False)
    """Unlike that of every other actor, so that decisions are remembered without its `meta`."""

    def __post_init__(self) -> None:
        """Keep a map of its own."""
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    @property
    def shown_meta(self) -> dict[str, Any]:
        """What is noted of it, for people and scripts: `${env:NAME}` as it is written."""
        return dict(self.meta if self.told is None else self.told)


#: Who calls by hand, as the owner of the host.
OPERATOR = Actor("moonq")
