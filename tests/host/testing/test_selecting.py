"""Which tests run, and in what order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moonq.testing import keywords

FILE = """\
describe("orders", function()
  it("are charged", function() end)
  it("are retried", function() end)
  describe("slowly", function()
    test.tag("slow")
    it("are sent", function() end)
  end)
end)
"""


def names(said: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in said]


@pytest.mark.parametrize(
    ("expression", "name", "matches"),
    [
        ("retry", "Retry waits", True),
        ("a and b", "b a", True),
        ("a and b", "a", False),
        ("a or b", "b", True),
        ("not a", "b", True),
        ("not a or a", "a", True),
        ("a and not (b or c)", "a c", False),
        ("a and not (b or c)", "a d", True),
        ("not not a", "a", True),
        ("are sent", "orders are sent", True),
        ("are sent and orders", "are not sent", False),
    ],
)
def test_expressions_over_names(expression: str, name: str, matches: bool) -> None:
    assert keywords.matches(expression, name) is matches


@pytest.mark.parametrize("expression", ["", "and", "a not b", "(a", "a or", "not", "a)"])
def test_what_is_no_expression_is_refused(shop: Any, expression: str) -> None:
    with pytest.raises(ValueError, match=r"stands where|missing"):
        keywords.parse(expression)
    assert shop.run("-k", expression).code == 2 or not expression


def test_names_tags_and_lines_choose(shop: Any) -> None:
    shop.tests(FILE)
    assert names(shop.results("-k", "charged or sent")) == ["are charged", "are sent"]
    assert names(shop.results("--tag", "slow")) == ["are sent"]
    assert names(shop.results("--not-tag", "slow")) == ["are charged", "are retried"]
    assert names(shop.results("test/shop_test.lua:6")) == ["are retried"]
    assert names(shop.results("test/shop_test.lua:9")) == ["are sent"]
    assert names(shop.results("test/shop_test.lua:5", "test/shop_test.lua:9")) == [
        "are charged",
        "are sent",
    ]


def test_folders_and_files_choose(shop: Any) -> None:
    shop.tests('it("a", function() end)', "test/a_test.lua")
    shop.tests('it("b", function() end)', "src/b_test.lua")
    shop.tests('it("c", function() end)', ".hidden/c_test.lua")
    assert names(shop.results()) == ["b", "a"]
    assert names(shop.results("test")) == ["a"]
    assert names(shop.results("src/b_test.lua", "test")) == ["b", "a"]
    assert names(shop.results("-C", shop.folder)) == ["b", "a"]


def test_list_names_the_tests_and_runs_none(shop: Any) -> None:
    shop.tests('it("a", function() error("ran") end)')
    said = shop.run("--list")
    assert (said.code, said.out) == (0, "test/shop_test.lua:4  a\n")


def test_failed_runs_what_failed_last_time(shop: Any) -> None:
    shop.tests('it("good", function() end)\nit("bad", function() eq(1, 2) end)')
    shop.run()
    assert names(shop.results("--failed")) == ["bad"]
    shop.tests('it("good", function() end)\nit("bad", function() end)')
    assert names(shop.results("--failed")) == ["bad"]
    assert shop.run("--failed").code == 9


def test_failed_first_keeps_the_rest(shop: Any) -> None:
    shop.tests('it("good", function() end)', "test/a_test.lua")
    shop.tests('it("fine", function() end)\nit("bad", function() eq(1, 2) end)', "test/b_test.lua")
    shop.run()
    assert names(shop.results("--failed-first")) == ["bad", "fine", "good"]


def test_a_run_of_some_tests_forgets_nothing_of_the_others(shop: Any) -> None:
    shop.tests('it("one", function() eq(1, 2) end)\nit("two", function() eq(1, 2) end)')
    shop.run()
    shop.run("-k", "one")
    kept = json.loads(Path(".moonq/cache/failed.json").read_text(encoding="utf-8"))
    assert kept == ["test/shop_test.lua::one", "test/shop_test.lua::two"]


def test_fail_fast_stops_at_the_first_failure(shop: Any) -> None:
    shop.tests('it("bad", function() eq(1, 2) end)\nit("never", function() end)', "test/a_test.lua")
    shop.tests('it("neither", function() end)', "test/b_test.lua")
    assert names(shop.results("-x")) == ["bad"]


def test_a_shuffled_run_tells_its_seed_and_repeats_with_it(shop: Any) -> None:
    tests = "\n".join(f'it("t{number}", function() end)' for number in range(20))
    shop.tests(tests)
    written = [f"t{number}" for number in range(20)]
    first = names(shop.results("--shuffle=7"))
    assert sorted(first) == sorted(written)
    assert first != written
    assert names(shop.results("--shuffle=7")) == first
    assert "seed " in shop.run("--shuffle", "test").out
    assert shop.run("--shuffle=x").code == 2


def test_repeat_runs_each_test_so_often(shop: Any) -> None:
    shop.tests('local n = 0\nit("counts", function() n = n + 1; eq(n < 3, true) end)')
    assert [one["status"] for one in shop.results("--repeat", 3)] == ["passed", "passed", "failed"]


def test_several_processes_give_the_same_results_in_the_same_order(shop: Any) -> None:
    for name in "abc":
        shop.tests(f'it("{name}", function() eq("{name}", "a") end)', f"test/{name}_test.lua")
    alone, together = shop.results(), shop.results("-j", 2)
    for one in (*alone, *together):
        one.pop("took_ms")
    assert together == alone
    assert shop.run("-j", 0).code == 2


def test_each_file_is_run_in_the_project_that_it_belongs_to(shop: Any) -> None:
    for name in ("_index.yaml", "bank.lua", "process.lua"):
        (shop.folder / name).unlink()
    entry = "namespace: app\nentries:\n  - {name: mine, kind: registry.entry, meta: {is: %s}}\n"
    claim = """\
it("is in %s", function()
  local registry = require("registry")
  eq(registry.get("app:mine").meta.is, "%s")
end)
"""
    for name in ("one", "two"):
        shop.write(f"{name}/_index.yaml", entry % name)
        shop.tests(claim % (name, name), f"{name}/test/deep_test.lua")
    shop.write("three/moonq.yaml", "name: three\n")
    shop.write("three/src/_index.yaml", entry % "three")
    shop.tests(claim % ("three", "three"), "three/test/deep_test.lua")
    assert shop.status() == {"is in one": "passed", "is in two": "passed", "is in three": "passed"}
    assert shop.status("two/test/deep_test.lua") == {"is in two": "passed"}
    assert shop.status("-C", "three") == {"is in three": "passed"}


def test_a_folder_that_is_only_part_of_a_project_is_told_how_to_name_the_whole(shop: Any) -> None:
    for name in ("_index.yaml", "bank.lua", "process.lua"):
        (shop.folder / name).unlink()
    entry = "namespace: %s\nentries:\n  - {name: %s, kind: queue.driver.memory}\n"
    shop.write("one/_index.yaml", entry % ("one", "mem"))
    shop.write("two/_index.yaml", entry % ("two", "other"))
    shop.write(
        "two/more.yaml",
        "namespace: two\nentries:\n  - {name: orders, kind: queue.queue, driver: one:mem}\n",
    )
    shop.tests('it("runs", function() end)', "two/test/deep_test.lua")
    said = shop.run()
    assert said.code == 3
    assert "hint: two was taken for the project" in said.err
    assert "`moonq test -C FOLDER`" in said.err
    assert shop.status("-C", ".") == {"runs": "passed"}
