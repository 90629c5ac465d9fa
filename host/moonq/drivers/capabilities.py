"""What each driver can do, as the table in the README: `python -m moonq.drivers.capabilities`.

native: the broker itself does it; emulated: the driver does it, exactly; approximate: with limits
that the driver's page names; no: asking for it is an error, when the project is loaded or when the
message is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from moonq.drivers.base import Capabilities

#: The drivers there are, and the modules that know what they can do.
MODULES = {"memory": "moonq.drivers.memory.driver", "sqlite": "moonq.drivers.sqlite.driver"}
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


def of(driver: str) -> Capabilities:
    """Return what *driver* can do."""
    abilities: Capabilities = import_module(MODULES[driver]).ABILITIES
    return abilities


def table(drivers: Mapping[str, Capabilities]) -> str:
    """Return the table of *drivers* in Markdown."""
    rows = [["", *drivers], ["---"] * (len(drivers) + 1)]
    for field in Capabilities._fields:
        words = [getattr(abilities, field) for abilities in drivers.values()]
        rows.append([MEANINGS[field], *("no" if word == "none" else word for word in words)])
    return "\n".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace(" --- ", "---")


if __name__ == "__main__":
    print(table({driver: of(driver) for driver in MODULES}))
