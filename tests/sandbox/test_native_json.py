"""The native half of JSON around its work: found or not, within the limits, and stopped."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from isolated import processes, remote
from lupa.lua54 import LuaRuntime
from states import opened

from moonq.errors import Invalid, Unavailable
from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox import native

needs_native = pytest.mark.skipif(
    native.codec().name == "lua", reason=f"JSON in Lua: {native.codec().why}"
)
needs_maps = pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="what is loaded is looked for in /proc"
)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The choice is made anew in the test, and again behind it."""
    native.codec.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    native.codec.cache_clear()


@pytest.fixture(scope="module")
def hook(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_hook", root / "host/build_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_environment_can_choose_lua(anew: pytest.MonkeyPatch) -> None:
    anew.setenv(native.CHOICE, "lua")
    assert (native.codec().name, native.codec().why) == ("lua", "MOONQ_JSON_CODEC says so")
    state = opened('return function(n) return require("json").encode({ n }) end')
    assert state.call(b"[1]") == b'["[1]",null]'
    state.close()


def test_another_choice_is_refused(anew: pytest.MonkeyPatch) -> None:
    anew.setenv(native.CHOICE, "c")
    with pytest.raises(Invalid, match="MOONQ_JSON_CODEC is 'c'") as problem:
        native.codec()
    assert problem.value.hint == "set MOONQ_JSON_CODEC to native or lua, or unset it"


def test_without_a_library_json_stays_in_lua_unless_it_is_demanded(
    anew: pytest.MonkeyPatch, tmp_path: Path, root: Path
) -> None:
    anew.setattr(native, "LIBRARY", tmp_path / "json.native")
    anew.delenv(native.CHOICE, raising=False)
    assert native.codec() == (None, "was not built")
    assert native.path() is None
    native.codec.cache_clear()
    anew.setenv(native.CHOICE, "native")
    with pytest.raises(Unavailable, match=r"'native', and json\.native was not built"):
        Host(load(root / "examples/seed")).start()


@needs_native
def test_a_library_of_another_source_is_refused_and_told_of(
    hook: ModuleType, anew: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, library = tmp_path / "json.c", tmp_path / "json.native"
    source.write_bytes(native.SOURCE.read_bytes() + b"\n/* newer */\n")
    assert hook.compiled(source, library) == ""
    anew.delenv(native.CHOICE, raising=False)
    anew.setattr(native, "LIBRARY", library)
    assert native.codec() == (None, "was built from another json.c")
    assert f"JSON is read and written in Lua: {library} was built from another" in caplog.text
    anew.setattr(native, "SOURCE", source)
    assert native.problem(library) == ""


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF"])
def test_what_is_no_library_is_refused(tmp_path: Path, content: bytes) -> None:
    library = tmp_path / "json.native"
    library.write_bytes(content)
    assert native.problem(library).startswith("does not load: ")


def test_where_nothing_was_compiled_no_older_library_stays(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "json.native"
    library.write_bytes(b"old")
    monkeypatch.setenv("CC", "/no/compiler")
    assert hook.compiled(native.SOURCE, library) == "/no/compiler: No such file or directory"
    assert not library.exists()


@needs_native
def test_it_declines_while_the_main_coroutine_has_a_hook() -> None:
    lua = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    answers = lua.execute(
        b"""
        local path = ...
        local decode = package.loadlib(path, "moonq_json_decode")
        local encode = package.loadlib(path, "moonq_json_encode")
        local main, marks = coroutine.running(), {}
        local function both()
          return decode("1", {}, nil, marks, "[]", main), encode(1, marks, main)
        end
        local wrapped = coroutine.wrap(function() coroutine.yield(both()); return both() end)
        local before, text = wrapped()
        debug.sethook(print, "", 1000000)
        return before, text, wrapped()
        """,
        native.path(),
    )
    assert answers == (1, b"1", None)


@needs_native
def test_a_copy_that_was_not_given_the_functions_of_lua_declines(tmp_path: Path) -> None:
    copy = tmp_path / "json.native"
    copy.write_bytes(native.LIBRARY.read_bytes())
    lua = LuaRuntime(encoding=None, unpack_returned_tuples=True)
    text = b"""
        local path = ...
        local marks, main = {}, coroutine.running()
        local decode = package.loadlib(path, "moonq_json_decode")
        return decode("1", {}, nil, marks, "[]", main),
          package.loadlib(path, "moonq_json_encode")(1, marks, main)
        """
    assert lua.execute(text, str(copy).encode()) is None


@needs_native
def test_a_text_that_does_not_fit_ends_at_the_memory_limit() -> None:
    state = opened("return function(body) return #body end", memory=4 * 1024 * 1024)
    progress = state.deliver(5.0, [b"[" + b",".join([b"[[]]"] * 100_000) + b"]"])
    assert progress.stopped is not None
    assert progress.stopped.reason == "memory"
    assert state.spent
    state.close()


@needs_native
@needs_maps
def test_a_process_of_its_own_has_it_too() -> None:
    state = remote("return function(body) return #body end")
    assert state.call(b"[[1,2]]") == b"[2]"
    maps = [(one / "maps").read_text() for one in processes()]
    assert any(str(native.LIBRARY) in text for text in maps)
    state.close()
