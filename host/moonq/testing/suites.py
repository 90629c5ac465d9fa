"""One file or entry with tests, loaded: what tests it has, and running them.

suite = Suite(source, project, Conditions())
suite.load()                      # None, or why it does not load
suite.plan(suite.cases)
suite.run(suite.cases[0]).status  # "passed"
suite.close()
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from moonq import durations
from moonq.model import DEFAULT_MEMORY
from moonq.registry import Project
from moonq.registry.lua.runtime import innermost
from moonq.registry.script import Runnable
from moonq.run.aliases import importable, libraries
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.lends import lent_functions
from moonq.run.functions import chunk
from moonq.run.security import EVERYTHING, Actor, Scope
from moonq.sandbox.state import Limits, LuaSource, ScriptFault, Stopped
from moonq.testing.coverage import Hit
from moonq.testing.results import Case, Problem, Result, Status
from moonq.testing.snapshots import Snapshots
from moonq.testing.sources import SuiteSource
from moonq.testing.texts import Texts, script_of
from moonq.testing.world.bench import Bench
from moonq.testing.world.clock import FastTime, SharedClock, TimeOfTests, VirtualClock
from moonq.testing.world.lends import lent_to_suites
from moonq.testing.world.loghandler import LogHandler
from moonq.testing.world.places import Places, StandIns, Twins
from moonq.testing.world.services import CurrentServices
from moonq.testing.world.states import SuiteState
from moonq.testing.world.world import World
from moonq.text.findings import Finding

#: How much longer anything may take while lines are noted.
SLOWER = 10


class Conditions(NamedTuple):
    """Under which tests run."""

    timeout: float = 5.0
    """Seconds of real time that one test may take."""
    declared: bool = False
    """Whether queues are on the drivers that the project declares, at places of their own."""
    update: bool = False
    """Whether snapshots are taken anew."""
    may_store: bool = True
    """Whether a snapshot that is missing is taken."""
    coverage: bool = False
    """Whether the lines that run are noted."""
    real: bool = False
    """Whether what reaches beyond the host is done: else only stubs answer for it."""

    @property
    def limit(self) -> float:
        """Seconds of real time; noting lines takes its own."""
        return self.timeout * SLOWER if self.coverage else self.timeout


class Suite:
    """One file or entry with tests."""

    def __init__(self, source: SuiteSource, project: Project, conditions: Conditions) -> None:
        self.source = source
        self.cases: list[Case] = []
        self.project = project
        self.places: Places = Twins(project) if conditions.declared else StandIns()
        self.clock: TimeOfTests = VirtualClock()
        if conditions.declared:
            self.clock = SharedClock() if self.places.is_virtual else FastTime()
        self._tests = itertools.count(1)
        self.snapshots = Snapshots(
            source.path, update=conditions.update, may_store=conditions.may_store
        )
        self.hit = Hit() if conditions.coverage else None
        self._conditions = conditions
        self._entry = project.entries[source.entry] if source.entry else None
        self.libraries = libraries(project, self._entry)
        self._script = script_of(source, self._entry, self.libraries)
        self._texts = Texts(source, project, self._script.path, self._script.source)
        self._log = LogHandler(lambda: self.world.logs)
        self.caller: Caller
        """The script, as lent functions see it."""
        self._world: World | None = None
        self._state: SuiteState | None = None
        self._planned: list[int] = []
        self._passed: set[int] = set()

    def load(self) -> Finding | None:
        """Run the file, which declares its tests; returns why it does not load, if so."""
        if not self._entry and (finding := self._texts.syntax()):
            return finding
        finding = self._open()
        if self._state is not None:
            self.cases = [self._case(found) for found in self._state.cases()]
        return finding

    def plan(self, cases: Sequence[Case]) -> None:
        """Say which tests will run, so that a block is closed behind its last one."""
        self._planned = [case.index for case in cases]
        if self._state is not None:
            self._state.plan(self._planned)

    def run(self, case: Case) -> Result:
        """Run one test against a new world."""
        began = time.perf_counter()
        broken = self._reopen()
        if broken:
            problem = Problem("T702", broken.message)
            return Result(case, "error", time.perf_counter() - began, problem)
        state = self._state
        assert state is not None
        self._renew()
        if case.index in self._planned:
            self._planned.remove(case.index)
        try:
            with self._log.listening():
                found = state.run(case.index, self._conditions.limit)
        except (Stopped, ScriptFault) as cut_off:
            found = self._behind(state.unfinished(), self._cut_off(case, cut_off))
        return self._result(case, found, time.perf_counter() - began)

    def finish(self) -> tuple[Problem, ...]:
        """Close the blocks that a cut-off run has left open, and drop snapshots of no test."""
        if not self._shares_its_file():
            self.snapshots.drop(self._is_left_over)
        if self._state is None or self._state.spent:
            return ()
        try:
            with self._log.listening():
                problems = self._state.finish(self._conditions.limit)
        except (Stopped, ScriptFault) as problem:
            problems = [{"code": "T709", "message": f"closing the blocks: {problem}"}]
        return tuple(self._problem(problem) for problem in problems)

    def close(self) -> None:
        """Give the state and the world back."""
        self._renew()
        self.places.close()
        if self._state is not None:
            self._state.close()
            self._state = None

    def _shares_its_file(self) -> bool:
        """Say whether tests of several entries may have their snapshots in one place."""
        entries = self.project.of_kind("function.lua")
        mine = self._entry.source_name if self._entry else ""
        return bool(mine) and sum(entry.source_name == mine for entry in entries) > 1

    def _is_left_over(self, key: str) -> bool:
        """Say whether the snapshot *key*, which was not looked at, can have no test any more."""
        owners = [case for case in self.cases if f"{key} / ".startswith(f"{case.full_name} / ")]
        return all(case.index in self._passed for case in owners)

    # The state ----------------------------------------------------------------------------------

    def _open(self) -> Finding | None:
        actor, scope = Actor("test"), Scope((EVERYTHING,))
        context = CallContext(self._script.path, actor=actor, scope=scope, sleep=self._sleep)
        self.caller = caller = Caller(context)
        services = CurrentServices(lambda: self.world.services)
        lends = {**lent_functions(services, caller), **lent_to_suites(self)}
        state = SuiteState(lends, Limits(self._conditions.limit), self.hit)
        caller.enter(caller.context, state.guard)
        self._renew()
        try:
            for part in self._parts():
                state.define(part)
            with self._log.listening():
                problem = self._declare(state)
        except (Stopped, ScriptFault) as cut_off:
            problem = self._cut_off(None, cut_off)
        if problem:
            state.close()
            return self._texts.raised(
                problem["message"], problem.get("source") or "", problem.get("line") or 0
            )
        self._state = state
        return None

    def _declare(self, state: SuiteState) -> Any:
        timeout = self._conditions.limit
        if self._entry is None:
            return state.load(self._script.id, timeout)
        method = self._entry.fields(Runnable).method or ""
        name = str(self._entry.meta.get("name", self._entry.id))
        return state.load_entry(self._entry.id, method, name, timeout)

    def _parts(self) -> list[LuaSource]:
        return [self._script, *map(chunk, importable(self.project))]

    def _reopen(self) -> Finding | None:
        """Replace a state that was cut off: what it left undone is unknown."""
        if self._state is not None and not self._state.spent:
            return None
        if self._state is not None:
            self._state.close()
            self._state = None
        finding = self._open()
        if self._state is not None:
            self._state.plan(self._planned)
        return finding

    # The world ----------------------------------------------------------------------------------

    @property
    def world(self) -> World:
        """What is under test; made when something first asks for it."""
        if self._world is None:
            token = f"t{next(self._tests)}" if self.declared else ""
            bench = Bench(self.clock, self.hit, self.answer, self.time_left)
            self._world = World(self.project, bench, self.places, token, self._conditions.real)
        return self._world

    @property
    def declared(self) -> bool:
        """Whether queues are on the drivers that the project declares."""
        return self._conditions.declared

    @property
    def is_real(self) -> bool:
        """Whether tests reach what is beyond the host."""
        return self._conditions.real

    @property
    def script(self) -> str:
        """The id of its script."""
        return self._script.id

    def answer(self, stub: int, arguments: bytes) -> bytes:
        """Call the function of a stub."""
        assert self._state is not None
        return self._state.answer(stub, arguments)

    def time_left(self) -> float | None:
        """Return how much real time the running test has left."""
        deadline = self._state.guard.deadline if self._state is not None else None
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _renew(self) -> None:
        if self._world is not None:
            self._world.close()
            self._world = None
        self.clock.reset()

    def _sleep(self, seconds: float) -> bool:
        self.world.bench.advance(seconds)
        return True

    # Results ------------------------------------------------------------------------------------

    def _case(self, found: dict[str, Any]) -> Case:
        return Case(
            self.source.shown,
            found["index"],
            tuple(found["path"]),
            found["name"],
            found.get("line") or 0,
            tuple(found["tags"]),
            found["skip"],
            found["only"],
            found["todo"],
        )

    def _result(self, case: Case, found: dict[str, Any], took: float) -> Result:
        status: Status = found["status"]
        logs = tuple(self._world.logs) if self._world is not None else ()
        if status == "skipped":
            return Result(case, status, took, reason=found.get("message") or "")
        problems = [] if status == "passed" else [self._problem(found)]
        problems += self._refused()
        if not problems:
            self._passed.add(case.index)
            return Result(case, status, took, logs=logs)
        first, *others = problems
        problem = replace(first, logs=logs, also=(*first.also, *others))
        return Result(case, "failed" if status == "passed" else status, took, problem, logs=logs)

    def _refused(self) -> list[Problem]:
        """Return what reached for the outside: it fails the test, whatever came of it."""
        words = self._world.bench.refused if self._world is not None else []
        return [Problem("T712", one) for one in dict.fromkeys(words)]

    def _problem(self, found: dict[str, Any]) -> Problem:
        chunk_name = found.get("source") or ""
        return Problem(
            found["code"],
            found["message"],
            tuple(found.get("diff") or ()),
            found.get("line") or 0,
            self._texts.source(chunk_name),
            tuple((found.get("stack") or "").splitlines()),
            found.get("locals") or {},
            also=tuple(self._problem(one) for one in found.get("also") or ()),
        )

    def _behind(self, unfinished: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        """Put how a test was cut off behind what had gone wrong in it before, if anything had."""
        if hook := unfinished.get("hook"):
            found = found | {"message": f"{hook}: {found['message']}"}
        first: dict[str, Any] | None = unfinished.get("found")
        return first | {"also": [*first.get("also", ()), found]} if first else found

    def _cut_off(self, case: Case | None, cut_off: Stopped | ScriptFault) -> dict[str, Any]:
        """What went wrong when a call did not come back, in the form that Lua has for it."""
        if isinstance(cut_off, ScriptFault):
            message, stack = cut_off.fault.message, cut_off.fault.traceback
        elif cut_off.reason == "memory":
            limit = f"{DEFAULT_MEMORY // 1024**2} MiB"
            message, stack = f"used more than {limit} of memory", cut_off.stack
        else:
            limit = durations.show(self._conditions.limit)
            message, stack = f"still running after {limit}, so it was stopped", cut_off.stack
        found = {"status": "error", "code": "T709", "message": message, "stack": stack}
        source, line = innermost(stack)
        return found | {
            "source": source or (case and self._script.path),
            "line": line or (case and case.line),
        }
