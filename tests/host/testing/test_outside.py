"""Tests are shut to the outside: what is not stubbed fails, with the line to write."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import INDEX, Shop

BANK = "def charge(cents):\n    return cents\n"
#: A script may make what it likes of an error: the test fails all the same.
QUIET = 'local bank = require("bank")\nreturn function() pcall(bank.charge, 1) return 1 end\n'
WORDS = "it would call app:bank.charge(5), and tests are shut to the outside"
LINE = 'write test.module("bank", { charge = function(…) return … end }), or run with --real'


@pytest.fixture
def shut(shop: Shop) -> Shop:
    kind = "kind: module.python, source: file://bank.py, functions: [charge]"
    shop.write("_index.yaml", INDEX.replace("kind: library.lua, source: file://bank.lua", kind))
    shop.write("bank.py", f"{BANK}import pathlib\npathlib.Path('loaded').touch()\n")
    return shop


def test_a_call_that_is_not_stubbed_fails_with_the_line_to_write(shut: Shop) -> None:
    shut.tests("""\
it("charges", function()
  local found, err = test.call("app:process", { id = 1, cents = 5 })
  test.is_nil(err)
end)
it("retries", function()
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5 })
  test.acked(orders:drain(), 1)
end)
it("calls itself", function()
  eq(select(2, require("bank").charge(5)):kind(), "UNAVAILABLE")
end)""")
    results: list[Any] = shut.results()
    assert [one["status"] for one in results] == ["failed"] * 3
    said = shut.run().out
    assert said.count(WORDS) >= 3
    assert LINE in " ".join(said.split())
    assert not (shut.folder / "loaded").exists()


def test_a_script_cannot_hide_that_it_reached_for_the_outside(shut: Shop) -> None:
    shut.write("process.lua", QUIET)
    shut.tests('it("is content", function() eq(test.call("app:process", {}), 1) end)')
    said = shut.run()
    assert said.code == 1
    assert "T712 it would call app:bank.charge(1)" in " ".join(said.out.split())


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_real_does_it(shut: Shop, jobs: str) -> None:
    charges = 'it("charges", function() eq(require("bank").charge(5), 5) end)'
    shut.tests(charges)
    shut.tests(charges, "test/other_test.lua")
    assert [one["status"] for one in shut.results("--real", "-j", jobs)] == ["passed"] * 2


def test_a_stub_is_enough(shut: Shop) -> None:
    shut.tests("""\
it("charges", function()
  local spies = test.module("bank", { charge = function(cents) return cents + 1 end })
  eq(test.call("app:process", { id = 1, cents = 5 }).charged, 6)
  eq(spies.charge.calls, { { 5 } })
end)""")
    assert shut.status() == {"charges": "passed"}
