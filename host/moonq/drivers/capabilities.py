"""What each driver can do, as the table in the manual: `python -m moonq.drivers.capabilities`.

native: the broker itself does it; emulated: the driver does it, exactly; approximate: with limits
that the driver's page names; no: asking for it is an error, when the project is loaded or when the
message is published.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args, get_type_hints

from moonq.drivers import descriptor, names
from moonq.drivers.base import Capabilities, Limit
from moonq.drivers.descriptors import Descriptor
from moonq.errors import MoonqError

_HINTS = get_type_hints(Capabilities, include_extras=True)
MEANINGS = {name: get_args(_HINTS[name])[1] for name in Capabilities._fields}


def table(drivers: Mapping[str, Capabilities]) -> str:
    """Return the table of *drivers* in Markdown."""
    rows = [["", *drivers], ["---"] * (len(drivers) + 1)]
    every = [[word for _, word in words(abilities)] for abilities in drivers.values()]
    rows += [[meaning, *cells] for meaning, *cells in zip(MEANINGS.values(), *every, strict=True)]
    return "\n".join(map(_row, rows))


def reasons(drivers: Mapping[str, Mapping[str, Limit]]) -> str:
    """Return why *drivers* cannot do all of it, a line for each limit."""
    lines = [
        f"- {name}, {MEANINGS[ability]}: {limit.reason}"
        for name, limits in drivers.items()
        for ability, limit in limits.items()
    ]
    return "\n".join(lines)


def words(abilities: Capabilities) -> list[tuple[str, str]]:
    """Return what a driver can do: each ability in words, and how far."""
    found = abilities._asdict()
    return [(MEANINGS[name], "no" if word == "none" else word) for name, word in found.items()]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace(" --- ", "---")


def main(kinds: Iterable[str]) -> None:
    """Print the table of the drivers of these *kinds*; one that does not load goes to stderr."""
    drivers: dict[str, Descriptor] = {}
    for kind in kinds:
        try:
            found = descriptor(kind)
        except MoonqError as problem:
            print(problem, file=sys.stderr)
        else:
            drivers[found.name] = found
    print(table({name: one.capabilities for name, one in drivers.items()}), end="\n\n")
    print(reasons({name: one.limits for name, one in drivers.items()}))


if __name__ == "__main__":
    main(names())
