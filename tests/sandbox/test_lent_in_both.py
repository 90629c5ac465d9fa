"""Every function of the table of lent ones answers a script alike on a thread and in a process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import signature
from typing import Any

import pytest
from isolated import spiteful_children
from offered import Offered, handler_of

from moonq.run.calling.lending import Caller, Lent, lent
from moonq.run.calling.lends import declared
from moonq.run.calling.sinks import Line
from moonq.run.security.actor import Actor
from moonq.run.security.scope import Scope
from moonq.sandbox import chunks
from moonq.sandbox.lend import Bound
from moonq.sandbox.process.children import CHILDREN, Child
from moonq.sandbox.process.remote import RemoteState
from moonq.sandbox.state import Limits, LuaSource, LuaState, Stopped
from moonq.sandbox.states import State

pytestmark = [
    pytest.mark.aside("isolation"),
    pytest.mark.skipif(sys.platform != "linux", reason="see test_isolation"),
]
#: What a script of these tests calls: the module is that of `spiteful_server.py`.
SCRIPT = b"""
local uuid = require("uuid")
return function(name, ...)
  local value, err = uuid.lent[name](...)
  return { value = value, kind = err and err:kind(), said = err and err:message() }
end
"""
ADDED = b'\nuuid.lent = require("host.walls.lent")\nreturn uuid\n'
ANSWER = "tab\t nul\0 é 世".encode()


@lent(action="queue.publish", writes=True, waits=True, holds=True)
def untried(caller: Caller, text: bytes, number: int) -> bytes:
    """Do what no dry run tries."""
    return text


#: All of the host's, and one with the flags that none of them may have.
TABLE = (*declared(), untried)


class Silent(Offered):
    """A host that tells nobody of refusals."""

    def write_denial(self, line: Line) -> None:
        self.last_line = line.message


@pytest.fixture(scope="module", autouse=True)
def spite() -> Iterator[None]:
    original = chunks.stdlib_source

    def source(name: str) -> bytes:
        text = original(name)
        return text.replace(b"\nreturn uuid\n", ADDED) if name == "uuid" else text

    with pytest.MonkeyPatch.context() as patch, spiteful_children(patch):
        patch.setattr(chunks, "stdlib_source", source)
        chunks.chunk.cache_clear()
        yield
        chunks.chunk.cache_clear()


class Walk:
    """A state of one isolation, whose lent functions only tell what they are given."""

    def __init__(self, make: Callable[[dict[str, Bound]], State], caller: Caller) -> None:
        self.given: list[tuple[Any, ...]] = []
        self.held: list[bool] = []
        self.caller = caller
        caller.host = Silent()  # type: ignore[assignment]
        self._state = make({one.name: self._told(one).bound(caller) for one in TABLE})
        caller.enter(caller.context, self._state.guard)
        self._state.define(LuaSource("app:walk", "walk.lua", SCRIPT, ("uuid",)))
        self._state.open("app:walk")

    def _told(self, one: Lent) -> Lent:
        def function(caller: Caller, *arguments: Any) -> bytes:
            assert caller is self.caller
            self.given.append((one.name, *arguments))
            self.held.append(caller.is_held)
            return ANSWER

        # What it would do is said of arguments that make sense.
        return replace(one, function=function, would=None)

    def call(self, name: str, arguments: str) -> Any:
        """Return what the script gets, or why it was stopped."""
        try:
            return json.loads(self._state.call(f'["{name}"{arguments}]'.encode()))
        except Stopped as stopped:
            return stopped.reason

    @property
    def is_spent(self) -> bool:
        return self._state.spent

    def close(self) -> None:
        self._state.close()


def on_a_thread(lends: dict[str, Bound]) -> State:
    return LuaState(lends, Limits(10.0))


def in_a_process(lends: dict[str, Bound]) -> State:
    return RemoteState(lends, Limits(10.0), child=CHILDREN.spawn())


def arguments_of(one: Lent) -> str:
    """Some arguments of its number, as JSON behind others."""
    count = max(1, len(signature(one.function).parameters) - 1)
    values = ('"app:x"', "2", "-1.5", "true", '"\\u00e9"', "null")
    return "".join(f",{value}" for value in values[:count])


def seen(make: Callable[[dict[str, Bound]], State], caller: Caller) -> list[Any]:
    """What a script sees of every lent function, and the function of it."""
    found: list[Any] = []
    walk = Walk(make, caller)
    for one in TABLE:
        if walk.is_spent:
            walk.close()
            walk = Walk(make, caller)
        walk.given, walk.held = [], []
        answer = walk.call(one.name, arguments_of(one))
        found.append((one.name, answer, walk.given, walk.held))
    walk.close()
    return found


def same(**context: Any) -> list[Any]:
    """Walk the table in both isolations; returns what they agree about."""

    def caller() -> Caller:
        made = handler_of()
        made.context = made.context._replace(**context)
        return made

    thread, process = seen(on_a_thread, caller()), seen(in_a_process, caller())
    assert process == thread
    return thread


def test_what_is_lent_gets_and_answers_the_same() -> None:
    walked = same()
    assert [one for one, *_ in walked] == [one.name for one in TABLE]
    assert all(len(given) == 1 for _, _, given, _ in walked)
    holds = {one.name for one in TABLE if one.holds}
    assert {name for name, _, _, held in walked if held == [True]} == holds


def test_a_policy_refuses_the_same() -> None:
    walked = same(actor=Actor("nobody"), scope=Scope())
    refused = {name for name, _, given, _ in walked if not given}
    assert refused == {one.name for one in TABLE if one.actions}


def test_a_dry_run_ends_at_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # It must not go on until it hears of its end by the other way.
    monkeypatch.setattr(Child, "stop", lambda *_: None)

    class Dry(Silent):
        is_dry = True
        is_real = False

        def end_dry_run(self, done: str) -> None: ...

    walked = same(sink=Dry())
    ended = {name for name, answer, _, _ in walked if answer == "unknown"}
    assert "untried" in ended
    assert ended == {one.name for one in TABLE if one.writes and not one.captured}


@pytest.mark.parametrize("make", [on_a_thread, in_a_process])
def test_who_waits_tells_how_far_its_batch_came(make: Callable[[dict[str, Bound]], State]) -> None:
    told: list[tuple[Any, ...]] = []
    caller = handler_of()
    caller.waits = told.append
    state = make(Offered().lends(caller))
    caller.enter(caller.context, state.guard)
    handler = b"""
    local time = require("time")
    return function(body)
      if body == "wait" then time.sleep(0) end
      return body ~= "fail"
    end
    """
    state.define(LuaSource("app:walk", "walk.lua", handler, ("time",)))
    state.open("app:walk")
    progress = state.deliver(10.0, [b"1", b'"fail"', b'"wait"', b"4"])
    assert (progress.done, [one.number for one in progress.outcomes]) == (3, [2])
    assert [state.progress(one) for one in told] == [progress._replace(done=2)]
    state.close()
