"""pytest collects `*_test.lua` files, each test as one item."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

pytest_plugins = ["pytester"]

FILE = """\
local test = require("test")
test.describe("orders", function()
  test.it("are charged", function() test.eq(1, 2) end)
  test.it("are sent", function() end)
  test.it_skip("are kept", function() end)
end)
"""


class Keeper:
    """Keeps what pytest imports in this process: a module that comes twice has each class twice."""

    def __init__(self) -> None:
        self._imported: dict[str, ModuleType] = {}

    def pytest_unconfigure(self) -> None:
        self._imported = {name: one for name, one in sys.modules.items() if name != "bank"}

    def give_back(self) -> None:
        sys.modules.update(self._imported | sys.modules)


@pytest.fixture
def lua(pytester: pytest.Pytester) -> Any:
    """Run pytest on Lua tests."""

    def run(text: str, *arguments: str) -> pytest.RunResult:
        pytester.makefile(".lua", shop_test=text)
        keeper = Keeper()
        result = pytester.runpytest_inprocess(*arguments, plugins=[keeper])
        keeper.give_back()
        return result

    return run


def test_each_test_is_an_item_with_a_name_to_choose_it_by(lua: Any) -> None:
    result = lua(FILE, "-v")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "shop_test.lua::orders are charged FAILED*",
            "shop_test.lua::orders are sent PASSED*",
            "shop_test.lua::orders are kept SKIPPED*",
        ]
    )
    lua(FILE, "shop_test.lua::orders are sent").assert_outcomes(passed=1)
    lua(FILE, "-k", "charged").assert_outcomes(failed=1, deselected=2)


def test_a_failure_is_the_block_that_moonq_test_shows(lua: Any) -> None:
    result = lua(FILE)
    result.stdout.fnmatch_lines(
        [
            "T701 expected 2, got 1   shop_test.lua:3",
            '*3 │   test.it("are charged", function() test.eq(1, 2) end)',
            "rerun  moonq test shop_test.lua:3",
        ]
    )
    assert "repr_failure" not in result.stdout.str()


def test_a_file_that_does_not_load_is_an_error_with_its_frame(lua: Any) -> None:
    result = lua("local x =")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["error[[]T702[]]: shop_test.lua does not load*"])


def test_hooks_run_around_the_chosen_tests(lua: Any) -> None:
    text = """\
local test = require("test")
local opened, closed = 0, 0
test.before_all(function() opened = opened + 1 end)
test.after_all(function() error("closed", 0) end)
test.it("one", function() test.eq(opened, 1) end)
test.it("two", function() test.eq(opened, 1) end)
"""
    result = lua(text, "-k", "one or two")
    # The last of them answers for what goes wrong behind it.
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*after_all of the file: closed*"])


def test_names_that_come_twice_are_told_apart(lua: Any) -> None:
    text = """\
local test = require("test")
for _ = 1, 2 do
  test.it("again", function() end)
end
"""
    result = lua(text, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::again PASSED*", "*::again #2 PASSED*"])


def test_it_only_runs_alone_but_not_in_ci(lua: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
local test = require("test")
test.it_only("this", function() end)
test.it("that", function() end)
"""
    monkeypatch.delenv("CI", raising=False)
    lua(text).assert_outcomes(passed=1)
    monkeypatch.setenv("CI", "true")
    result = lua(text)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["T711 it_only is left in the file*"])


def test_the_outside_is_opened_by_an_option_or_for_a_folder(
    lua: Any, pytester: pytest.Pytester
) -> None:
    pytester.makefile(".py", bank="def charge(cents):\n    return cents\n")
    pytester.makefile(
        ".yaml",
        _index="""
        namespace: app
        entries:
          - {name: bank, kind: module.python, source: file://bank.py, functions: [charge]}
        """,
    )
    text = 'require("test").it("pays", function() assert(require("bank").charge(1) == 1) end)'
    result = lua(text)
    result.assert_outcomes(failed=1)
    assert 'test.module("bank", { charge' in result.stdout.str()
    lua(text, "--moonq-real").assert_outcomes(passed=1)
    pytester.makeini(f"[pytest]\nmoonq_real = {pytester.path}\n")
    lua(text).assert_outcomes(passed=1)
