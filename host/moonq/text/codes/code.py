"""What is known of one code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The name of an example that is no file: what a terminal shows.
SHOWN = ""


@dataclass(frozen=True, slots=True)
class Code:
    """One code."""

    code: str
    title: str
    """What is so, in a few words without a full stop."""
    cause: str
    """How it comes to that, in a sentence or two."""
    cure: str
    """What to do, as an order."""
    example: Mapping[str, str] = field(default_factory=dict)
    """The files of a project that has it, by their names; or what a terminal `SHOWN`.

    Of `_index.yaml` it is enough to have the entries, without what they name elsewhere."""
