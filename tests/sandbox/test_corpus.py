"""Every attack in `corpus/` ends as its first line says, and leaves nothing behind.

    -- expect: denied: what it tries to reach

`denied` answers an error where it reaches for something; `contained-time` and `contained-memory`
are stopped by their limit; `harmless` does nothing bad, and with `(fails)` it is an ordinary
failure, told in bounded text. What only the watchdog holds has `(permanent hook: misses)`; what
works only where metatables are the script's own has `(copies: misses)`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet
from modes import MODES as THREAD_MODES

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in (HERE / "corpus").glob("*.lua"))
#: How time and metatables are guarded in a thread; and a process of its own.
MODES = (*THREAD_MODES, "process")
#: In processes there are, of each class, the first script and those about what no hook reaches; the
#: rest as a slow test.
COLLIDING = {"c_integer_keys", "c_pattern_optional"}
#: Of the scripts whose subject they are, all modes run; of the others as a slow test.
ABOUT_METATABLES = {"meta", "event", "gc", "poison", "close"}
#: A child that says nothing for so long holds the interpreter's lock for ever.
SILENCE = 30.0
LONGEST_TEXT = 8192
MOST_KEPT = 8 * 1024 * 1024
STALL = 0.1
#: Processes beside each other; more would hold up each other's neighbours.
AT_ONCE = 2
#: A kill comes with the limit; the rest is what a single call of C may take.
SLOWEST = 2.0

Result = dict[str, Any]


class Expected(NamedTuple):
    """The first line of a script."""

    outcome: str
    fails: bool
    missed_by: str
    claim: str


def expected(name: str) -> Expected:
    with (HERE / "corpus" / f"{name}.lua").open() as script:
        line = script.readline()
    found = re.fullmatch(
        r"-- expect: (denied|contained-time|contained-memory|harmless)"
        r"( \(fails\))?(?: \((permanent|copies)(?: hook)?: misses\))?: (.+)\n",
        line,
    )
    assert found, f"{name}.lua does not begin with what to expect of it: {line}"
    outcome, fails, missed_by, claim = found.groups()
    return Expected(outcome, bool(fails), missed_by or "", claim)


class Child:
    """A process that runs scripts until one of them takes it along."""

    def __init__(self, mode: str, names: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "corpus_runner.py", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert self._process.stdin
        self._process.stdin.write(" ".join(names))
        self._process.stdin.close()

    def next_result(self) -> Result | None:
        """Return the next result, or None when the process is gone."""
        assert self._process.stdout
        stuck = threading.Timer(SILENCE, self._process.kill)
        stuck.start()
        line = self._process.stdout.readline()
        stuck.cancel()
        return json.loads(line) if line else None

    def end(self) -> int:
        """Wait for the end; returns the exit code."""
        assert self._process.stdout
        self._process.stdout.close()
        return self._process.wait()


def run_all(mode: str, names: list[str]) -> dict[str, Result]:
    """Run scripts in as many processes as they wear out."""
    results: dict[str, Result] = {}
    while left := [name for name in names if name not in results]:
        child = Child(mode, left)
        outcome = ""
        while (result := child.next_result()) is not None:
            results[result["name"]] = result
            outcome = result["outcome"]
        code = child.end()
        if code and outcome != "hung":  # that one was told before the process gave itself up
            crashed = next(name for name in left if name not in results)
            results[crashed] = {"outcome": f"took the process along ({code})"}
    return results


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> dict[tuple[str, str], Result]:
    """Run all scripts that this session asks about, each mode in a process of its own."""
    wanted: dict[str, list[str]] = {mode: [] for mode in MODES}
    for item in request.session.items:
        callspec = getattr(item, "callspec", None)
        if callspec and "name" in callspec.params and item.path == Path(__file__):
            wanted[callspec.params["mode"]].append(callspec.params["name"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(run_all, wanted, wanted.values())
    return {
        (mode, name): result
        for mode, all_of_it in zip(wanted, found, strict=True)
        for name, result in all_of_it.items()
    }


def in_mode(name: str, mode: str) -> ParameterSet:
    """Return one case, a slow one where the script has nothing to do with the mode."""
    subject, _, _ = name.partition("_")
    is_slow = mode.endswith("copies") and subject not in ABOUT_METATABLES
    if mode == "process":
        first = min(one for one in NAMES if one.startswith(f"{subject}_"))
        is_slow = name not in {first, *COLLIDING}
    marks = [pytest.mark.slow] if is_slow else []
    return pytest.param(name, mode, id=f"{name}-{mode}", marks=marks)


@pytest.mark.parametrize(
    ("name", "mode"), [in_mode(name, mode) for name in NAMES for mode in MODES]
)
def test_an_attack_ends_as_its_first_line_says(
    name: str, mode: str, results: dict[tuple[str, str], Result]
) -> None:
    want, got = expected(name), results[mode, name]
    if want.missed_by in mode.split("+"):
        pytest.skip("this mode does not hold this one, and says so")
    outcome = "failed" if want.fails else want.outcome
    assert got["outcome"] == outcome, f"{want.claim}: {got}"
    assert not got["canary"], f"it left damage: {got['canary']}"
    assert got["stall"] < STALL, f"its neighbour was held up: {got['stall']:.3f} s"
    assert got["kept"] < MOST_KEPT
    assert want.outcome != "contained-time" or got["seconds"] < SLOWEST
    assert len(got["message"]) <= LONGEST_TEXT
    assert "0x" not in got["message"], "an address helps an attacker, and nobody else"


def test_there_are_attacks_of_every_class() -> None:
    classes = {name.split("_")[0] for name in NAMES}
    assert len(NAMES) >= 150
    assert classes >= {
        *("python", "lent", "require", "load", "env", "poison", "meta", "error", "result"),
        *("yield", "chunk", "loop", "pcall", "xpcall", "close", "co", "event", "c", "mem"),
        *("stack", "gc", "flood", "msg", "plain"),
    }
