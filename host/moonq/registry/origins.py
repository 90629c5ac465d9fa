"""Where values were written: in an entry's own file, by a profile in `moonq.yaml`, by an option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from moonq.registry.settings import FILE
from moonq.registry.yaml.nodes import Map


class Origin(NamedTuple):
    """The place of one value."""

    file: str
    """Or the option that says it, such as `--set`."""
    line: int
    profile: str | None
    """Which profile brought it, if one did."""


#: The keys that lead to a value.
Keys = tuple[str, ...]


def origins(node: Map, file: str, profile: str) -> dict[Keys, Origin]:
    """Return the origin of every value in *node*, a tree of *file*, by the keys that lead there.

    origins(node, "src/_index.yaml", "prod")["retry", "max_attempts"]
    # Origin("moonq.yaml", 8, "prod")
    """
    return dict(_walk(node, file, profile, ()))


def _walk(node: Map, file: str, profile: str, path: Keys) -> Iterator[tuple[Keys, Origin]]:
    for name, (key, value) in node.items.items():
        here = (*path, name)
        if isinstance(value, Map) and value.items:
            yield from _walk(value, file, profile, here)
        elif key.source:
            is_profile = key.source.file == FILE
            yield here, Origin(key.source.file, key.line, profile if is_profile else None)
        else:
            yield here, Origin(file, key.line, None)
