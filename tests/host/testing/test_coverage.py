"""Which lines ran, which could have, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lupa.lua54 import LuaRuntime

from moonq.sandbox.dumps import executable_lines

BRANCHES = """\
local helpers = {}

function helpers.pick(flag)
  if flag then
    return "yes"
  end
  return "no"
end

function helpers.never(x)
  local y = x * 2
  return function()
    return y
  end
end

for _ = 1, 2 do
  helpers.count = (helpers.count or 0) + 1
end

return helpers
"""


def test_lines_that_can_run_include_functions_that_nobody_calls() -> None:
    lines = executable_lines(BRANCHES.encode())
    assert {4, 5, 7, 11, 13, 17, 18, 21} <= lines
    # Blank lines, and the ends of blocks that only close something.
    assert not {2, 6, 9, 16, 20} & lines


def test_what_is_no_lua_has_no_lines() -> None:
    assert executable_lines(b"local x =") == frozenset()
    assert executable_lines(b"") == frozenset()


def test_lua_itself_agrees_about_the_main_chunk(root: Path) -> None:
    lua = LuaRuntime(encoding=None)
    active = lua.execute(b"""
      return function(source)
        local lines = {}
        for line in pairs(debug.getinfo(load(source, "=x"), "L").activelines) do
          lines[#lines + 1] = line
        end
        return table.concat(lines, ",")
      end""")
    for path in [*root.glob("lua/**/*.lua"), *root.glob("stdlib/*.lua")]:
        source = path.read_bytes()
        main = {int(line) for line in active(source).split(b",")}
        assert main <= executable_lines(source), path


def covered(shop: Any, helpers: str, test: str, *options: str) -> str:
    shop.write(
        "_index.yaml",
        "namespace: app\nentries:\n"
        "  - {name: helpers, kind: library.lua, source: file://helpers.lua}\n"
        "  - {name: legacy, kind: library.lua, source: file://legacy.lua}\n",
    )
    shop.write("helpers.lua", helpers)
    shop.write("legacy.lua", "local legacy = {}\nreturn legacy\n")
    shop.tests(test)
    said = shop.run("--coverage", *options)
    return str(said.out)


def rows(out: str) -> dict[str, list[str]]:
    """The table, by the first word of each row."""
    return {words[0]: words[1:] for words in map(str.split, out.splitlines()) if words}


def test_the_table_names_what_is_missing(shop: Any) -> None:
    test = 'it("picks", function() eq(require("helpers").pick(false), "no") end)'
    table = rows(covered(shop, BRANCHES, test))
    assert table["helpers.lua"][3:] == ["5,", "11-14"]
    assert table["legacy.lua"] == ["2", "0", "0.0", "never", "loaded"]
    lines, hit, percent = table["total"][:3]
    assert float(percent) == pytest.approx(100 * int(hit) / int(lines), abs=0.1)


def test_a_mark_takes_lines_and_blocks_out(shop: Any) -> None:
    marked = BRANCHES.replace(
        "function helpers.never(x)", "function helpers.never(x) -- moonq: no cover"
    ).replace('    return "yes"', '    return "yes" -- moonq: no cover')
    test = 'it("picks", function() eq(require("helpers").pick(false), "no") end)'
    table = rows(covered(shop, marked, test))
    assert table["helpers.lua"][2:] == ["100.0"]


def test_lines_in_handlers_coroutines_and_called_functions_count(shop: Any) -> None:
    shop.write(
        "process.lua",
        """\
local time = require("time")

return function(order)
  local co = coroutine.wrap(function()
    time.sleep("1s")
    coroutine.yield(order.id)
    error("never")
  end)
  return co()
end
""",
    )
    shop.write(
        "_index.yaml",
        """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: process}
  - {name: process, kind: function.lua, source: file://process.lua, modules: [time]}
""",
    )
    shop.tests("""\
it("runs", function()
  local orders = test.queue("orders")
  orders:publish({ id = 1 })
  test.acked(orders:drain(), 1)
end)
""")
    assert rows(shop.run("--coverage").out)["process.lua"][3:] == ["7"]


def test_too_little_ends_with_10_but_a_failure_with_1(shop: Any) -> None:
    shop.tests('it("holds", function() end)')
    assert shop.run("--coverage", "--cov-min", 50).code == 10
    assert shop.run("--cov-min", 0).code == 0
    said = shop.run("--coverage=lcov", "--cov-min", 50)
    assert said.code == 10
    assert "0.0 % covered, below 50" in said.out
    shop.tests('it("fails", function() eq(1, 2) end)')
    assert shop.run("--coverage", "--cov-min", 50).code == 1


def test_files_are_written_for_browsers_and_editors(shop: Any) -> None:
    test = 'it("picks", function() eq(require("helpers").pick(false), "no") end)'
    covered(shop, BRANCHES, test, "--coverage=html,lcov")
    page = Path(".moonq/coverage/index.html").read_text(encoding="utf-8")
    assert '<span class="miss"><span class="no">    5 </span>    return &quot;yes&quot;' in page
    assert '<span class="hit"><span class="no">    7 </span>' in page
    lcov = Path(".moonq/coverage/lcov.info").read_text(encoding="utf-8")
    assert "SF:helpers.lua\n" in lcov
    assert "DA:5,0\n" in lcov
    assert "DA:7,1\n" in lcov


def test_only_known_forms_are_taken(shop: Any) -> None:
    shop.tests('it("holds", function() end)')
    assert shop.run("--coverage=pdf").code == 2


def test_an_endless_test_is_stopped_while_lines_are_noted(shop: Any) -> None:
    shop.tests('it("hangs", function() while true do end end)')
    (result,) = shop.results("--coverage", "--timeout", "20ms")
    assert result["problem"]["code"] == "T709"


def test_several_processes_put_their_lines_together(shop: Any) -> None:
    test = 'it("picks", function() eq(require("helpers").pick({}), "{}") end)'
    shop.tests(test.format("false", "no"), "test/no_test.lua")
    table = rows(covered(shop, BRANCHES, test.format("true", "yes"), "-j", "2"))
    assert table["helpers.lua"][3:] == ["11-14"]


def test_every_file_may_have_a_minimum_of_its_own(shop: Any) -> None:
    shop.tests('it("holds", function() end)')
    assert shop.run("--cov-min-file", 0).code == 0
    said = shop.run("--cov-min-file", 60)
    assert said.code == 10
    assert "never loaded  ✗ below 60" in said.out
    said = shop.run("--coverage=lcov", "--cov-min-file", 60)
    assert (said.code, "0.0 % of" in said.out) == (10, True)


def test_continuous_integration_reads_cobertura(shop: Any) -> None:
    test = 'it("picks", function() eq(require("helpers").pick(false), "no") end)'
    covered(shop, BRANCHES, test, "--coverage=cobertura")
    root = ElementTree.parse(".moonq/coverage/cobertura.xml").getroot()
    [one] = [one for one in root.iter("class") if one.get("filename") == "helpers.lua"]
    lines = {line.get("number"): line.get("hits") for line in one.iter("line")}
    assert (lines["5"], lines["7"]) == ("0", "1")
    assert 0 < float(str(one.get("line-rate"))) < 1
    assert root.findtext("sources/source") == str(Path.cwd())
    assert int(str(root.get("lines-covered"))) < int(str(root.get("lines-valid")))
