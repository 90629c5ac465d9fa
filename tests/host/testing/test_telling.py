"""How a run is told: to people, to GitHub, and to programs."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

FILE = """\
describe("orders", function()
  it("are charged", function()
    local charged = { total = "25.0", items = { 1, 2 } }
    eq(charged, { total = 25.0, items = { 1, 3 } })
  end)
  it("are sent", function() end)
  test.it_skip("are kept", function() end)
end)
"""
#: Stands between the names of blocks.
INSIDE = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
BLOCK = f"""\
  1) orders {INSIDE} are charged
     T701 expected equal tables, 2 differences   test/shop_test.lua:7

        5 │   it("are charged", function()
        6 │     local charged = {{ total = "25.0", items = {{ 1, 2 }} }}
     ▸  7 │     eq(charged, {{ total = 25.0, items = {{ 1, 3 }} }})
          │     charged = {{ items = {{ 1, 2 }}, total = "25.0" }}

       at items[2]   got 2   expected 3
       at total      got "25.0"   expected 25.0   (same text, different type)
"""


def block(out: str) -> str:
    """The first failure of what was printed."""
    return out[out.index("  1) ") :]


def test_a_failure_shows_code_lines_values_and_differences(shop: Any) -> None:
    shop.tests(FILE)
    said = shop.run()
    for row in BLOCK.splitlines()[:7]:
        assert row in said.out
    assert "at total" in said.out
    assert "same text, different type" in said.out
    assert "     rerun  moonq test test/shop_test.lua:5\n" in said.out


def test_the_rerun_line_runs_that_test_alone(shop: Any) -> None:
    shop.tests(FILE)
    rerun = next(row for row in shop.run().out.splitlines() if "rerun" in row)
    assert shop.status(rerun.split()[-1]) == {"are charged": "failed"}


def test_the_last_logs_stand_below_a_failure(shop: Any) -> None:
    shop.tests("""\
it("fails", function()
  test.stub("bank", "charge", function() return nil, "shut" end)
  local orders = test.queue("orders")
  orders:publish({ id = 1 })
  local run = orders:drain()
  test.acked(run, 1)
end)
""")
    said = shop.run()
    assert "T703 expected 1 acked, got 0: {}" in said.out
    assert "logs  INFO  app:process  processing  order=1" in said.out
    assert "WARN  app:process  nack → again in 1s: UNKNOWN shut" in said.out
    assert "ERROR app:process  dead (max_attempts) → app:orders.dead" in said.out


def test_control_characters_of_scripts_never_reach_the_terminal(shop: Any) -> None:
    shop.tests('it("a\\27[2Jb", function() error("red \\27[31m\\7 alert", 0) end)')
    for form in ("pretty", "plain", "github", "tap"):
        assert "\x1b" not in shop.run("--reporter", form).out
    assert "\x1b" not in shop.run("--list").out


def test_ascii_terminals_get_ascii(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonq.text.plain.speaks_unicode", lambda _: False)
    shop.tests(FILE)
    out = shop.run().out
    assert out.isascii()
    assert "FAIL are charged" in out
    assert "ok are sent" in out


def test_colours_are_there_when_they_are_wanted(shop: Any) -> None:
    shop.tests(FILE)
    assert re.search(r"\x1b\[38;[\d;]+m +✗ are charged", shop.run("--color", "always").out)
    assert "\x1b" not in shop.run("--color", "never").out


def test_quiet_shows_failures_and_the_last_line(shop: Any) -> None:
    shop.tests(FILE)
    out = shop.run("-q").out
    assert "are sent" not in out
    assert "are charged" in out
    assert "1 failed · 1 passed · 1 skipped" in out


def test_logs_of_passing_tests_are_shown_on_demand(shop: Any) -> None:
    shop.tests('it("prints", function() print("hello", 7) end)')
    assert "hello" not in shop.run().out
    assert "INFO  test/shop_test.lua  hello" in shop.run("--show-logs").out


def test_plain_is_one_line_per_test(shop: Any) -> None:
    shop.tests(FILE)
    rows = shop.run("--reporter", "plain").out.splitlines()
    assert rows[:3] == [
        f"FAIL  test/shop_test.lua  orders {INSIDE} are charged",
        f"ok    test/shop_test.lua  orders {INSIDE} are sent",
        f"skip  test/shop_test.lua  orders {INSIDE} are kept",
    ]


def test_github_gets_annotations(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.tests(FILE)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    rows = shop.run().out.splitlines()
    note = next(row for row in rows if row.startswith("::error "))
    assert note.startswith(
        f"::error file=test/shop_test.lua,line=7,title=orders {INSIDE} are charged::T701"
    )
    assert "%0A" in note


def test_tap_counts_points(shop: Any) -> None:
    shop.tests(FILE)
    rows = shop.run("--reporter", "tap").out.splitlines()
    assert rows[0] == "TAP version 14"
    assert rows[1] == "not ok 1 - test/shop_test.lua orders are charged"
    assert "ok 2 - test/shop_test.lua orders are sent" in rows
    assert "ok 3 - test/shop_test.lua orders are kept # SKIP" in rows
    assert rows[-1] == "1..3"


def test_json_is_a_stream_of_documents(shop: Any) -> None:
    shop.tests(FILE)
    said = shop.run("--json")
    documents = [json.loads(line) for line in said.out.splitlines()]
    assert {one["schema"] for one in documents} == {"moonq.test/1"}
    charged = documents[0]
    assert (charged["path"], charged["name"], charged["line"]) == (["orders"], "are charged", 5)
    assert charged["problem"]["code"] == "T701"
    assert charged["problem"]["values"]["charged"] == '{ items = { 1, 2 }, total = "25.0" }'
    end = documents[-1]
    assert (end["event"], end["failed"], end["passed"], end["skipped"]) == ("end", 1, 1, 1)


def test_junit_has_a_suite_per_file(shop: Any) -> None:
    shop.tests(FILE)
    shop.tests("local x =", "test/broken_test.lua")
    shop.run("--junit", "out/report.xml", "-q")
    root = ET.parse(Path("out/report.xml")).getroot()
    suites = {suite.get("name"): suite for suite in root}
    shop_suite = suites["test/shop_test.lua"]
    assert (shop_suite.get("tests"), shop_suite.get("failures")) == ("3", "1")
    case = shop_suite[0]
    assert (case.get("classname"), case.get("name"), case.get("line")) == (
        "orders",
        "are charged",
        "5",
    )
    assert "T701" in (case.find("failure").text or "")
    assert shop_suite[2].find("skipped") is not None
    assert suites["test/broken_test.lua"].get("errors") == "1"


MESS = """\
test.after_each(function() error("a mess", 0) end)
test.after_all(function() error("a last mess", 0) end)
it("fails", function() eq(1, 2) end)
it("passes", function() end)
"""


@pytest.mark.parametrize("form", ["pretty", "plain", "json", "tap", "github"])
def test_every_form_tells_what_hooks_lost_behind_a_failed_test(shop: Any, form: str) -> None:
    shop.tests(MESS)
    said = shop.run("--reporter", form, "--junit", "report.xml")
    assert said.code == 1
    for told in (said.out, Path("report.xml").read_text(encoding="utf-8")):
        assert "expected 2, got 1" in told
        assert told.count("after_each of the file: a mess") >= 2
        assert "after_all of the file: a last mess" in told


def test_junit_counts_what_stands_in_it(shop: Any) -> None:
    shop.tests(FILE)
    shop.tests(MESS, "test/mess_test.lua")
    shop.tests("local x =", "test/broken_test.lua")
    shop.tests('test.todo("later")\ntest.it_skip("never", function() end)', "test/late_test.lua")
    shop.tests("", "test/empty_test.lua")
    shop.run("--junit", "report.xml", "-q", "--repeat", "2")
    root = ET.parse(Path("report.xml")).getroot()
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for count, tag in tags.items():
        for part in (root, *root):
            assert int(part.get(count, "")) == len(list(part.iter(tag))), (count, part.get("name"))
    assert (root.get("tests"), root.get("errors")) == ("15", "3")


@pytest.mark.parametrize("form", ["pretty", "plain", "json", "tap", "github"])
def test_every_form_tells_of_a_file_that_does_not_load(shop: Any, form: str) -> None:
    shop.tests("local x =")
    said = shop.run("--reporter", form, "--junit", "report.xml")
    assert said.code == 1
    assert "does not load" in said.out
    assert "does not load" in Path("report.xml").read_text(encoding="utf-8")


def test_a_helper_shows_where_it_was_called_from(shop: Any) -> None:
    shop.tests("""\
local function check(total)
  eq(total, 3)
end
it("fails", function()
  local result = 2
  check(result)
  return result
end)
""")
    out = shop.run().out
    assert "T701 expected 3, got 2   test/shop_test.lua:5" in out
    assert "total = 2" in out
    assert "called from  test/shop_test.lua:9: in function" in out
