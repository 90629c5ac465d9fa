"""Without the names `__gc` and `__mode` the collector does nothing on a script's behalf."""

from __future__ import annotations

import ctypes
import gc
import itertools
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from lupa.lua54 import LuaRuntime
from states import opened

from moonq.sandbox import chunks, hidden_names
from moonq.sandbox import state as state_module
from moonq.sandbox.lend import Bound

WEAK = b"""
local name = ...
local weak = setmetatable({}, { [name] = "k" })
weak[{}] = true
collectgarbage()
return next(weak) == nil
"""
CLASS = """
local Account = {}
function Account:new(o) setmetatable(o, self); self.__index = self; return o end
return function()
  local account = Account:new({})
  function Account:name() return "late" end
  return assert(account:name() == "late")
end
"""


class Plain:
    """A runtime of lupa with nothing of ours but the module that hides names."""

    def __init__(self) -> None:
        self.runtime = LuaRuntime(encoding=None, unpack_returned_tuples=True)
        self.names = self.runtime.execute(chunks.chunk("host.walls.names"), mode="b")
        self.pair = hidden_names.new_pair()

    def hide(self, is_back: bool | None = None) -> bool:
        lost = hidden_names.Lost()
        answer = lost.is_back if is_back is None else lambda: is_back
        self.names[b"hide"](hidden_names.hide, *self.pair, lost.lend, answer)
        return bool(self.names[b"are_hidden"])

    def is_weak(self, name: bytes) -> bool:
        return bool(self.runtime.execute(WEAK, name))


def test_the_collector_looks_for_the_new_names_and_for_no_other() -> None:
    plain = Plain()
    assert plain.is_weak(b"__mode")
    assert plain.hide()
    assert not plain.is_weak(b"__mode")
    assert plain.is_weak(plain.pair[1])


def test_where_the_check_fails_the_old_names_count_again() -> None:
    plain = Plain()
    assert not plain.hide(is_back=False)
    assert plain.is_weak(b"__mode")
    assert not plain.is_weak(plain.pair[1])
    assert plain.names[b"mode"] == b"__mode"


def test_nothing_is_read_outside_of_the_block_of_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[tuple[int, int]] = []
    read = hidden_names._read

    def noting(address: int, words: int) -> list[int]:
        reads.append((address, words))
        return read(address, words)

    monkeypatch.setattr(hidden_names, "_read", noting)
    plain = Plain()
    assert plain.hide()
    state = reads[0][0]
    # `luaL_newstate` takes lua_State and global_State in one piece of more than 1600 bytes.
    word = ctypes.sizeof(ctypes.c_void_p)
    assert all(state <= at and at + count * word <= state + 200 * word for at, count in reads)


@pytest.mark.parametrize("wrong", range(7))
def test_nothing_is_written_where_one_address_is_not_what_it_should_be(
    wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide, other = hidden_names.hide, ctypes.create_string_buffer(4096)

    def misled(addresses: bytes) -> bool:
        parts = addresses.split()
        if wrong:
            parts[wrong] = b"0x10"
        else:
            # Memory of the same size that belongs to nobody else.
            parts[0] = hex(ctypes.addressof(other)).encode()
        return hide(b" ".join(parts))

    monkeypatch.setattr(hidden_names, "hide", misled)
    plain = Plain()
    assert not plain.hide()
    assert plain.is_weak(b"__mode")


def test_what_was_lent_comes_back_when_a_state_is_closed() -> None:
    class Thing:
        def __call__(self) -> tuple[bool, int]:
            return True, 1

    thing = Thing()
    seen = weakref.ref(thing)
    state = opened("return function() end", {"clock": Bound(thing)})
    del thing
    assert seen() is not None
    state.close()
    gc.collect()
    assert seen() is None


def test_states_are_made_and_used_in_many_threads_at_once() -> None:
    def make(_: int) -> bool:
        states = [opened(CLASS) for _ in range(5)]
        fine = [
            state._lua.names_are_hidden and not state.deliver(5.0, [b"1"]).outcomes
            for state in states
        ]
        for state in states:
            state.close()
        return all(fine)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(make, range(8)))


def test_a_class_may_be_completed_after_its_first_object() -> None:
    state = opened(CLASS)
    progress = state.deliver(2.0, [b"1"])
    assert not progress.outcomes
    state.close()


def test_where_names_cannot_be_hidden_copies_stand_in_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hidden_names, "_find", lambda _state, _names: None)
    state_module._tell_of_copies.cache_clear()
    for _ in range(2):
        state = opened(
            "return function() local o = setmetatable({ {} }, { __mode = 'v', __gc = error }) "
            "for _ = 1, 50 do local _ = ('x'):rep(200000) .. _ end assert(o[1]) end"
        )
        assert not state.deliver(2.0, [b"1"]).outcomes
        state.close()
    assert caplog.text.count("copies of their metatables") == 1


def test_every_state_has_names_of_its_own() -> None:
    pairs = [hidden_names.new_pair() for _ in range(3)]
    every = list(itertools.chain(*pairs))
    assert len(set(every)) == 6
    assert all(len(name) <= 40 for name in every)
