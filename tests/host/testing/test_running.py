"""What the runner makes of files with tests: what passes, what fails, and what is not even run."""

from __future__ import annotations

from typing import Any


def test_a_failing_test_is_reported_as_failed(shop: Any) -> None:
    shop.tests('it("holds", function() eq(1, 1) end)\nit("does not", function() eq(1, 2) end)')
    said = shop.run()
    assert said.code == 1
    assert "✓ holds" in said.out
    assert "✗ does not" in said.out
    assert "T701 expected 2, got 1" in said.out
    assert "1 failed · 1 passed · 0 skipped · 2 tests in 1 file" in said.out


def test_passing_tests_end_with_0(shop: Any) -> None:
    shop.tests('it("holds", function() eq(1, 1) end)')
    assert shop.run().code == 0


def test_nothing_to_run_ends_with_9(shop: Any) -> None:
    said = shop.run()
    assert said.code == 9
    assert "there are no tests here" in said.err
    assert "test/NAME_test.lua" in said.err
    shop.tests('it("holds", function() end)')
    assert shop.run("-k", "nosuch").code == 9
    said = shop.run("nosuch")
    assert said.code == 9
    assert "no test matches 'nosuch'" in said.err


def test_an_invalid_project_ends_with_3_and_runs_nothing(shop: Any) -> None:
    shop.tests('it("holds", function() end)')
    shop.write("_index.yaml", "namespace: app\nentries:\n  - {name: q, kind: queue.queu}\n")
    said = shop.run()
    assert said.code == 3
    assert "queue.queu" in said.err
    assert said.out == ""


def test_a_folder_without_any_yaml_is_a_project_without_entries(shop: Any) -> None:
    for name in ("_index.yaml", "bank.lua", "process.lua"):
        (shop.folder / name).unlink()
    shop.tests('it("holds", function() eq(require("json").encode({ 1 }), "[1]") end)')
    assert shop.status() == {"holds": "passed"}


def test_globals_at_the_top_of_a_file_can_be_assigned_in_its_tests(shop: Any) -> None:
    shop.tests(
        """
        count = 0
        test.before_each(function() count = count + 1 end)
        it("first", function() eq(count, 1) end)
        it("second", function() count = count + 1 eq(count, 3) end)
        it("a new one", function()
          local ok, problem = pcall(function() counter = 1 end)
          eq({ ok, problem:match("assignment to global 'counter'") ~= nil }, { false, true })
        end)
        """
    )
    assert shop.status() == {"first": "passed", "second": "passed", "a new one": "passed"}


def test_a_file_with_a_syntax_error_is_a_failure_with_its_frame(shop: Any) -> None:
    shop.tests('it("holds", function() end')
    shop.tests('it("other", function() end)', "test/other_test.lua")
    said = shop.run()
    assert said.code == 1
    assert "error[T702]: test/shop_test.lua does not load: " in said.out
    assert "┌─ test/shop_test.lua:4" in said.out
    assert "✓ other" in said.out
    assert "1 failed · 1 passed" in said.out


def test_a_file_that_raises_while_it_loads_is_a_failure_with_its_frame(shop: Any) -> None:
    shop.tests("local x = nothing.at.all")
    said = shop.run()
    assert said.code == 1
    assert "T702" in said.out
    assert "attempt to index a nil value (global 'nothing')" in said.out
    assert "┌─ test/shop_test.lua:4" in said.out


def test_an_undeclared_global_in_a_test_file_is_an_error(shop: Any) -> None:
    shop.tests('it("leaks", function() counter = 1 end)')
    (result,) = shop.results()
    assert result["status"] == "error"
    assert "assignment to global 'counter'" in result["problem"]["message"]


def test_an_endless_test_is_stopped_where_it_is_and_the_next_one_runs(shop: Any) -> None:
    shop.tests(
        'it("hangs", function()\n  while true do end\nend)\nit("goes on", function() eq(1, 1) end)'
    )
    hangs, goes_on = shop.results("--timeout", "200ms")
    assert hangs["status"] == "error"
    assert hangs["problem"]["code"] == "T709"
    assert "still running after 200ms" in hangs["problem"]["message"]
    assert hangs["problem"]["line"] == 5
    assert goes_on["status"] == "passed"


def test_a_test_that_eats_its_memory_is_stopped_and_the_next_one_runs(shop: Any) -> None:
    eats = 'it("eats", function() local t = {} while true do t[#t + 1] = ("x"):rep(999) end end)'
    shop.tests(f'{eats}\nit("goes on", function() eq(1, 1) end)')
    assert shop.status() == {"eats": "error", "goes on": "passed"}


def test_before_all_runs_again_in_the_state_that_replaces_a_stopped_one(shop: Any) -> None:
    shop.tests(
        "local ready\ntest.before_all(function() ready = true end)\n"
        'it("hangs", function() while true do end end)\n'
        'it("is prepared", function() eq(ready, true) end)'
    )
    assert shop.status("--timeout", "200ms") == {"hangs": "error", "is prepared": "passed"}


def test_a_hook_that_does_not_end_is_named_and_hides_no_failure(shop: Any) -> None:
    shop.tests("""\
test.after_each(function() while true do end end)
it("fails", function() eq(1, 2) end)
it("passes", function() end)
""")
    first, second = shop.results("--timeout", "100ms")
    assert (first["status"], first["problem"]["message"]) == ("failed", "expected 2, got 1")
    hung = "after_each of the file: still running after 100ms, so it was stopped"
    assert [one["message"] for one in first["problem"]["also"]] == [hung]
    assert (second["status"], second["problem"]["message"]) == ("error", hung)


def test_a_problem_of_after_all_makes_the_run_fail(shop: Any) -> None:
    shop.tests('test.after_all(function() error("a mess") end)\nit("holds", function() end)')
    said = shop.run()
    assert said.code == 1
    assert "after_all of the file: a mess" in said.out


def test_skipped_and_unwritten_tests_are_counted_apart(shop: Any) -> None:
    shop.tests('test.it_skip("later", function() error("x") end)\ntest.todo("more")')
    said = shop.run()
    assert said.code == 0
    assert "- later  (skipped)" in said.out
    assert "- more  (not written yet)" in said.out
    assert "0 failed · 0 passed · 2 skipped" in said.out


def test_it_real_runs_with_real_only(shop: Any) -> None:
    shop.tests('test.it_real("asks", function() eq(1, 2) end)\nit("plays", function() end)')
    said = shop.run()
    assert said.code == 0
    assert "- asks  (runs with --real)" in said.out
    assert shop.run("--real").code == 1


def test_it_only_runs_alone_in_its_file(shop: Any) -> None:
    shop.tests('test.it_only("this", function() end)\nit("that", function() end)')
    shop.tests('it("elsewhere", function() end)', "test/other_test.lua")
    assert shop.status() == {"elsewhere": "passed", "this": "passed"}


def test_it_only_left_in_the_code_fails_in_ci(shop: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("CI", "true")
    shop.tests('test.it_only("this", function() end)\nit("that", function() end)')
    assert shop.status() == {"this": "failed", "that": "passed"}


def test_entries_with_meta_type_test_are_tests(shop: Any) -> None:
    shop.write(
        "_index.yaml",
        """\
namespace: app
entries:
  - name: cases
    kind: function.lua
    meta: {type: test}
    source: file://cases.lua
    method: run
    modules: [test]
  - name: plain
    kind: function.lua
    meta: {type: test, name: adds up}
    source: "return function() return 1 + 1 == 2 end"
  - name: wrong
    kind: function.lua
    meta: {type: test}
    source: "return function() return nil, 'no good' end"
""",
    )
    shop.write(
        "cases.lua",
        'local test = require("test")\n'
        "local function define()\n"
        '  test.describe("cases", function() test.it("one", function() end) end)\n'
        "end\n"
        "return { run = test.run_cases(define) }\n",
    )
    assert shop.status() == {"one": "passed", "adds up": "passed", "app:wrong": "error"}
    assert shop.status("app:cases") == {"one": "passed"}
    assert shop.status("cases") == {"one": "passed"}


def test_an_entry_gets_the_modules_that_it_declares_and_no_others(shop: Any) -> None:
    shop.write(
        "_index.yaml",
        """\
namespace: app
entries:
  - name: narrow
    kind: function.lua
    meta: {type: test}
    source: |
      return function()
        local name = "json"
        return require(name)
      end
""",
    )
    (result,) = shop.results()
    assert "module 'json' is not declared for app:narrow" in result["problem"]["message"]


def test_an_entry_that_is_no_test_cannot_be_run_as_one(shop: Any) -> None:
    said = shop.run("app:process")
    assert said.code == 9
    assert "app:process is no test" in said.err


def test_tests_of_users_cannot_reach_the_trusted_half(shop: Any) -> None:
    shop.tests('it("tries", function() require("host.raw") end)')
    (result,) = shop.results()
    assert "module 'host.raw' is not declared" in result["problem"]["message"]
