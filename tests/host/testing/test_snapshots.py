"""Snapshots: taken once, compared ever after, and kept as Lua."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa.lua54 import LuaRuntime

from moonq.testing.snapshots import compose, parse

FILE = Path("test/__snapshots__/shop_test.snap.lua")


def test_the_first_run_takes_it_and_the_next_compares(shop: Any) -> None:
    shop.tests('it("fits", function() test.snapshot({ total = 5, items = { "a" } }) end)')
    assert shop.status() == {"fits": "passed"}
    assert '["fits"] = { items = { "a" }, total = 5 }' in FILE.read_text(encoding="utf-8")
    assert shop.status() == {"fits": "passed"}
    shop.tests('it("fits", function() test.snapshot({ total = 6, items = { "a" } }) end)')
    (result,) = shop.results()
    assert result["problem"]["code"] == "T707"
    assert any("total = 6" in row for row in result["problem"]["diff"])


def test_update_takes_it_anew(shop: Any) -> None:
    shop.tests('it("fits", function() test.snapshot(1) end)')
    shop.run()
    shop.tests('it("fits", function() test.snapshot(2) end)')
    assert shop.status("--update") == {"fits": "passed"}
    assert shop.status() == {"fits": "passed"}


def kept() -> set[str]:
    return set(parse(FILE.read_text(encoding="utf-8")))


def test_update_drops_what_no_test_looks_at_any_more(shop: Any) -> None:
    shop.tests("""\
it("one", function() test.snapshot(1) end)
it("two", function() test.snapshot(2, "a") test.snapshot(3, "b") end)
it("three", function() test.snapshot(4) end)
test.it_skip("four", function() end)
describe("in", function() it("five", function() test.snapshot(5) end) end)
""")
    shop.run()
    assert kept() == {"one", "two / a", "two / b", "three", "in five"}
    shop.tests("""\
it("two", function() test.snapshot(2, "b") end)
test.it_skip("three", function() test.snapshot(4) end)
describe("in", function() it("five", function() error("no") test.snapshot(5) end) end)
""")
    shop.run()
    assert kept() == {"one", "two / a", "two / b", "three", "in five"}, "only --update takes away"
    shop.run("--update", "-k", "five")
    assert kept() == {"two / a", "two / b", "three", "in five"}, "a test that did not run keeps all"
    shop.run("--update")
    assert kept() == {"two / b", "three", "in five"}
    shop.tests('it("six", function() end)')
    shop.run("--update")
    assert not FILE.exists()


def test_update_drops_the_snapshots_of_a_deleted_file(shop: Any) -> None:
    shop.tests('it("one", function() test.snapshot(1) end)', "test/gone_test.lua")
    shop.tests('it("two", function() test.snapshot(2) end)')
    shop.run()
    gone = FILE.with_name("gone_test.snap.lua")
    assert gone.exists()
    (shop.folder / "test" / "gone_test.lua").unlink()
    shop.run("--update")
    assert (gone.exists(), kept()) == (False, {"two"})


def test_update_drops_nothing_where_the_file_does_not_load_or_is_shared(shop: Any) -> None:
    shop.tests('it("one", function() test.snapshot(1) end)')
    shop.run()
    shop.tests("local x =")
    shop.run("--update")
    assert kept() == {"one"}
    entry = (
        "  - {{name: {0}, kind: function.lua, meta: {{type: test}}, modules: [test], "
        "source: \"return function() require('test').snapshot('{0}') end\"}}\n"
    )
    index = (shop.folder / "_index.yaml").read_text() + entry.format("t1") + entry.format("t2")
    shop.write("_index.yaml", index)
    shop.tests("")
    shop.run("--update")
    shop.run("--update", "app:t1")
    text = (shop.folder / "__snapshots__" / "_index.snap.lua").read_text()
    assert set(parse(text)) == {"app:t1", "app:t2"}


def test_a_second_snapshot_without_a_name_is_an_error_at_once(shop: Any) -> None:
    shop.tests("""\
it("has two", function()
  test.snapshot(1)
  test.snapshot(1)
end)
it("has one", function() for _ = 1, 2 do test.snapshot(2) end end)
it("has names", function() test.snapshot(1, "a") test.snapshot(2, "b") test.snapshot(3) end)
""")
    for arguments in ((), ("--update",)):
        first, *others = shop.results(*arguments)
        assert (first["status"], first["problem"]["line"]) == ("error", 6)
        assert "this test has one already; give each a name" in first["problem"]["message"]
        assert [one["status"] for one in others] == ["passed", "passed"]


def test_two_values_of_one_name_are_told_when_they_are_taken(shop: Any) -> None:
    shop.tests('it("x", function() for i = 1, 2 do test.snapshot(i, "n") end end)')
    for arguments in ((), ("--update",)):
        (result,) = shop.results(*arguments)
        assert result["problem"]["code"] == "T707"


def test_ci_takes_none(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    shop.tests('it("fits", function() test.snapshot(1) end)')
    (result,) = shop.results()
    assert "no snapshot of 'fits'" in result["problem"]["message"]
    assert not FILE.exists()


@given(st.dictionaries(st.text(min_size=1), st.sampled_from(["1", '"a\\nb"', "{\n  a = 1,\n}"])))
def test_what_is_written_is_read_again(known: dict[str, str]) -> None:
    assert parse(compose(known)) == known


def test_the_file_is_lua() -> None:
    known = {'a "b"\n\\': "{\n  list = {\n    1,\n  },\n}", "€": '"text"'}
    value = LuaRuntime(encoding="utf-8").execute(compose(known))
    assert set(value) == set(known)
    assert value['a "b"\n\\']["list"][1] == 1
