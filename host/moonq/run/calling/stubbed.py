"""Functions that answer in place of others: those of a test, or of a file given to a call by hand.

with StubFile(text, "stubs.lua", libraries, sources, lends) as stubs:
    sink.state_type = stubs.state_type      # states of this call, and of those below it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from moonq import assets
from moonq.errors import Invalid, MoonqError, Unavailable
from moonq.sandbox.lend import Bound, own, text
from moonq.sandbox.state import Limits, LuaSource, LuaState, ScriptFault, Stopped

#: Seconds of real time that declaring the stubs, and one answer, may take.
PATIENCE = 10.0


class Stub(NamedTuple):
    """A function of a module that is replaced."""

    number: int
    key: str
    """The module's name, or the id of what is imported."""
    name: str
    is_spy: bool


class StubbedState(LuaState):
    """A state whose modules have *stubs* in them; *answer* calls the function of one."""

    module = "host.test.under_test"

    def __init__(
        self,
        lends: Mapping[str, Bound],
        limits: Limits,
        *,
        on_abandoned: Callable[[], None],
        stubs: Iterable[Stub],
        answer: Callable[[int, bytes], bytes],
        returned: Callable[[bytes, bytes], None] = lambda *_: None,
    ) -> None:
        mine = own({"test_stub_called": answer, "test_returned": returned})
        super().__init__({**lends, **mine}, limits, on_abandoned=on_abandoned)
        for stub in stubs:
            self.put(stub)

    def put(self, stub: Stub) -> None:
        """Replace a function by one of the test's."""
        self._module[b"stub"](stub.number, stub.key.encode(), stub.name.encode(), stub.is_spy)


class _FileState(LuaState):
    module = "host.test.stub_file"


class StubFile:
    """A Lua file with `test.stub` and `test.module` in it, run once."""

    def __init__(
        self,
        source: LuaSource,
        parts: Iterable[LuaSource],
        libraries: Mapping[str, str],
        lends: Mapping[str, Bound],
    ) -> None:
        self._stubs: list[Stub] = []
        self._libraries = libraries
        mine = own({"test_module": self._known, "test_stub": self._put})
        self._state = _FileState({**lends, **mine}, Limits(PATIENCE))
        try:
            for part in (source, *parts):
                self._state.define(part)
            (problem,) = self._state.ask(PATIENCE, b"load", source.id.encode())
        except (Stopped, ScriptFault) as cut_off:
            self._state.close()
            raise Invalid(f"{source.path}: {cut_off}") from None
        if problem is not None:
            self._state.close()
            found = json.loads(problem)
            words = found["message"]
            place = f"{found['source']}:{found['line']}" if found.get("line") else source.path
            raise Invalid(words if words.startswith(source.path) else f"{place}: {words}")

    def close(self) -> None:
        """Give the state back."""
        self._state.close()

    @property
    def state_type(self) -> Callable[..., LuaState]:
        """What makes states with these stubs in them."""
        return partial(StubbedState, stubs=self._stubs, answer=self._answer)

    def _known(self, name: bytes) -> bytes | None:
        """Return what a module or library is known by."""
        if text(name) in assets.stdlib_modules():
            return name
        library = self._libraries.get(text(name))
        return library.encode() if library else None

    def _put(self, number: int, key: bytes, name: bytes, is_spy: bool) -> None:
        self._stubs.append(Stub(number, text(key), text(name), is_spy))

    def _answer(self, number: int, arguments: bytes) -> bytes:
        try:
            (answer,) = self._state.ask(PATIENCE, b"answer", number, arguments)
        except (Stopped, ScriptFault) as problem:
            raise Unavailable(f"the stub was stopped: {problem}") from None
        if answer is None:
            raise MoonqError("the stub answered nothing")
        return bytes(answer)


def source_of(file: str, data: str, libraries: Mapping[str, str]) -> LuaSource:
    """Return the text of a file of stubs, which may require everything."""
    modules = tuple(sorted(assets.stdlib_modules()))
    return LuaSource(f"stubs {file}", file, data.encode("utf-8", "replace"), modules, libraries)
