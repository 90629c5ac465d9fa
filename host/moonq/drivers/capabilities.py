"""What each driver can do, as the table in the README: `python -m moonq.drivers.capabilities`.

native: the broker itself does it; emulated: the driver does it, exactly; approximate: with limits
that the driver's page names; no: asking for it is an error, when the project is loaded or when the
message is published.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from moonq.drivers import descriptor, names
from moonq.drivers.base import Capabilities
from moonq.errors import MoonqError

MEANINGS = {
    "durable": "messages outlive the process",
    "delay": "`delay` and `at`",
    "ttl": "`ttl`, `on_expire`",
    "priority": "`priority` 9 : 3 : 1",
    "dedup": "`dedup_key`",
    "group": "`group`: order per key",
    "max_length": "`max_length`, reject or block",
    "drop_oldest": "`overflow: drop_oldest`",
    "exact_info": "exact counts",
    "peek": "peek without consuming",
    "purge": "purge",
    "redrive": "redrive dead letters",
    "pause": "pause a queue",
    "attempts": "exact attempts",
    "several_hosts": "several hosts share a queue",
}


def table(drivers: Mapping[str, Capabilities]) -> str:
    """Return the table of *drivers* in Markdown."""
    rows = [["", *drivers], ["---"] * (len(drivers) + 1)]
    for field in Capabilities._fields:
        words = [getattr(abilities, field) for abilities in drivers.values()]
        rows.append([MEANINGS[field], *("no" if word == "none" else word for word in words)])
    return "\n".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace(" --- ", "---")


def main(kinds: Iterable[str]) -> None:
    """Print the table of the drivers of these *kinds*; one that does not load goes to stderr."""
    drivers: dict[str, Capabilities] = {}
    for kind in kinds:
        try:
            found = descriptor(kind)
        except MoonqError as problem:
            print(problem, file=sys.stderr)
        else:
            drivers[found.name] = found.capabilities
    print(table(drivers))


if __name__ == "__main__":
    main(names())
