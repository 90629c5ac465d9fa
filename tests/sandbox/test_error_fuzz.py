"""Random programs that raise, close, catch and handle values with metamethods that loop.

    python test_error_fuzz.py 100000 [seed]     ->   tries for as long as that takes

Each ends in its time, with a failure in words that are the script's own; nothing of the host comes
to light, and the state works on or is given up.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

import pytest
from modes import MODES, enter
from offered import Offered, handler_of
from states import MODULES

from moonq.sandbox.state import Fault, Limits, LuaSource, LuaState, Progress, ScriptFault, Stopped

HERE = Path(__file__).parent
TIMEOUT = 0.02
SLACK = 2.0
LONGEST = 8192
#: So many tries lie between two looks for damage.
LOOKS = 25
SHORT, LONG = 25, 2_500
KINDS = {"UNKNOWN", "INVALID"}
NAMES = {"error_fuzz.lua"}


class Tries:
    """One state after the other, each for as long as it lasts."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._state: LuaState | None = None
        self._offered = Offered()
        self.seed = seed
        self.program: list[int] = []

    def run(self, count: int) -> None:
        """Run so many programs."""
        for number in range(count):
            length = self._chance.randint(1, 40)
            self.program = [self._chance.randrange(10_000) for _ in range(length)]
            state = self._fresh()
            self._try(state)
            if number % LOOKS == 0 and not state.spent:
                self._look_for_damage(state)

    def _fresh(self) -> LuaState:
        if self._state is not None and not self._state.spent:
            return self._state
        if self._state is not None:
            self._state.close()
        lends = self._offered.lends(handler_of())
        state = LuaState(lends, Limits(TIMEOUT))
        for name in ("canary", "error_fuzz"):
            source = (HERE / f"{name}.lua").read_bytes()
            state.define(LuaSource(f"app:{name}", f"{name}.lua", source, MODULES))
            state.open(f"app:{name}", timeout=5.0)
        self._state = state
        return state

    def _try(self, state: LuaState) -> None:
        body = json.dumps(self.program).encode()
        began = time.monotonic()
        if len(self.program) % 2:
            self._check(state.deliver(TIMEOUT, [body]))
        else:
            try:
                json.loads(state.call(b"[" + body + b"]", TIMEOUT))
            except ScriptFault as raised:
                self._check_fault(raised.fault)
            except Stopped as stopped:
                self._expect(stopped.reason in {"timeout", "memory"}, stopped.reason)
        took = time.monotonic() - began
        self._expect(took < TIMEOUT + SLACK, f"it took {took:.1f} s")
        self._expect(not self._offered.strangers, "a stranger at the host")

    def _check(self, progress: Progress) -> None:
        if progress.stopped:
            self._expect(progress.stopped.reason in {"timeout", "memory"}, str(progress))
        for outcome in progress.outcomes:
            self._check_fault(outcome.fault)

    def _check_fault(self, fault: Fault) -> None:
        self._expect(len(fault.message) <= LONGEST, "a long message")
        self._expect("stranger" not in fault.message, "a table of the host's")
        self._expect(fault.kind in KINDS, f"the kind {fault.kind}")
        for line in fault.traceback.splitlines():
            self._expect(line.startswith(("error_fuzz.lua:", "...")), f"the frame {line!r}")

    def _look_for_damage(self, state: LuaState) -> None:
        state.open("app:canary", timeout=5.0)
        self._expect(state.deliver(5.0, [b"1"]) == Progress(1), "damage")
        state.open("app:error_fuzz", timeout=5.0)

    def _expect(self, holds: bool, what: str) -> None:
        assert holds, f"{what}; seed {self.seed}, program {self.program}"


@pytest.mark.parametrize(
    "count", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)], ids=["short", "long"]
)
@pytest.mark.parametrize("mode", MODES)
def test_errors_that_are_handled_in_any_way_end_in_words(
    mode: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(mode, monkeypatch)
    Tries(seed=1 if count == SHORT else 2).run(count)


def main(count: int, seed: int) -> None:
    """Run as many tries, a quarter in each mode."""
    for mode in MODES:
        with pytest.MonkeyPatch.context() as monkeypatch:
            enter(mode, monkeypatch)
            began = time.monotonic()
            Tries(seed).run(count // len(MODES))
        print(f"{mode}: fine, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
