"""Which tests failed last time, in `.moonq/cache` of their project."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from moonq import private
from moonq.testing.results import Report
from moonq.testing.selection import case_id

FILE = Path(".moonq", "cache", "failed.json")


def recall(roots: Iterable[Path]) -> frozenset[str]:
    """Return the ids of the tests that failed when they last ran."""
    return frozenset(name for root in {*roots} for name in _read(root))


def remember(reports: Iterable[Report]) -> None:
    """Note what failed; tests that did not run this time keep their standing."""
    ran: dict[Path, dict[str, bool]] = {}
    for report in reports:
        known = ran.setdefault(report.source.root, {})
        for result in filter(lambda one: one.is_test, report.results):
            name = case_id(report.source, result.case)
            known[name] = known.get(name, False) or result.is_bad
    for root, outcomes in ran.items():
        before = _read(root)
        failed = {name for name in before if name not in outcomes}
        failed |= {name for name, is_bad in outcomes.items() if is_bad}
        if failed != before:
            _write(root, sorted(failed))


def _read(root: Path) -> set[str]:
    try:
        names = json.loads((root / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _write(root: Path, names: list[str]) -> None:
    try:
        private.folder((root / FILE).parent)
        text = json.dumps(names, indent=0, ensure_ascii=False)
        private.write(root / FILE, text.encode("utf-8", "surrogatepass"))
    except OSError:
        return  # a read-only checkout can be tested too; only --failed has nothing to go by
