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
