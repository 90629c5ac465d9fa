"""Suites that mostly wait, each in a process of its own beside the other tests.

A driver whose store has a clock of its own is proved in real time. That takes a minute or two of
waiting, in which the other tests run: tests with the marker `aside(NAME)` are the last ones, and
the process that proves the driver NAME begins before the first of all tests. A variant of it, see
`tests.drivers.conftest`, is called `NAME:VARIANT`.

    python -m tests.drivers.aside NAME ANSWER.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.servers.process import Process

#: Real seconds within which a suite must be through, on a busy machine too.
LIMIT = 480.0


@dataclass(frozen=True)
class Found:
    """What became of one case."""

    case: str
    took: float
    problem: str
    skipped: str


@cache
def begin(name: str) -> Process:
    """Have the suite of the driver *name* run, once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix=f"moonq-aside-{name}-"))
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-m", "tests.drivers.aside", name, folder / "answer.json"]
    suite = Process(argv, folder, lambda: True, {"PYTHONPATH": str(root)})
    suite.start()
    return suite


@cache
def findings(name: str) -> dict[str, Found]:
    """Wait for the end of the suite of *name*, and return what became of each case by its name.

    A server that is missing skips the test that asks, or fails it where all must be there.
    """
    suite = begin(name)
    suite.wait(LIMIT)
    answer = suite.folder / "answer.json"
    if not answer.exists():
        pytest.fail(f"the suite of {name} broke off:\n{suite.log}", pytrace=False)
    told = json.loads(answer.read_text())
    for outcome, say in (("skipped", pytest.skip), ("failed", pytest.fail)):
        if outcome in told:
            say(told[outcome])
    return {one["case"]: Found(**one) for one in told["findings"]}


def _prove(name: str, folder: Path) -> dict[str, Any]:
    from tests.drivers.conftest import DRIVERS, place

    from moonq.conformance import holding

    driver = DRIVERS[name.partition(":")[0]]
    try:
        config = driver.fields.model_validate(place(name))
    except pytest.skip.Exception as reason:
        return {"skipped": str(reason)}
    except pytest.fail.Exception as reason:
        return {"failed": str(reason)}
    found = holding.hold(holding.twins(driver, config, folder), driver.pace)
    told = [Found(str(one.case), one.took, one.problem, one.skipped) for one in found]
    return {"findings": [asdict(one) for one in told]}


def main(name: str, answer: str) -> None:
    """Prove the driver *name*, and write what was found to the file *answer*."""
    told = json.dumps(_prove(name, Path(answer).parent))
    Path(answer).write_text(told)


if __name__ == "__main__":
    main(*sys.argv[1:])
