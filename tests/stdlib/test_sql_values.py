"""Parameters and results of SQL as they cross: what one side packs, the other reads the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from moonq.databases.wire import Result, parameters


@pytest.fixture
def through_lua(run_lua: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Give a Lua expression as the parameter `v`, and return what Python is handed."""

    def cross(expression: bytes) -> Any:
        text = (
            b"""
          local sql_values, json = require("host.run.sql_values"), require("json")
          return sql_values.pack({ v = %b })
        """
            % expression
        )
        packed = run_lua(text)
        return parameters(packed)["v"]

    return cross


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (b"1", 1),
        (b"math.mininteger", -(2**63)),
        (b"1.0", 1.0),
        (b"true", True),
        (b"false", False),
        (b"json.null", None),
        (b'"\\u{fc}"', "ü"),
        (b'""', ""),
        (b'sql_values.blob("\\0\\xff")', b"\0\xff"),
        (b'{ 1, "a", { json.null } }', [1, "a", [None]]),
        (b"{}", []),
    ],
)
def test_a_parameter_arrives(
    through_lua: Callable[[bytes], Any], expression: bytes, value: object
) -> None:
    found = through_lua(expression)
    assert (type(found), found) == (type(value), value)


def test_a_row_arrives(run_lua: Callable[..., Any]) -> None:
    values = [None, True, False, -(2**63), 2**64, 0.5, math.inf, b"\0\xff", "ü", [1, None, [b"x"]]]
    packed = Result([f"c{n}" for n in range(len(values))], [values], 3, 7).packed()
    text = b"""
      local sql_values, json = require("host.run.sql_values"), require("json")
      local done = sql_values.unpack(...)
      local row = done.rows[1]
      assert(done.affected == 3 and done.last_id == 7 and #done.rows == 1)
      assert(row.c0 == nil and row.c1 == true and row.c2 == false)
      assert(row.c3 == math.mininteger and row.c4 == "18446744073709551616")
      assert(row.c5 == 0.5 and row.c6 == math.huge)
      assert(row.c7 == "\\0\\xff" and row.c8 == "\xc3\xbc")
      assert(row.c9[1] == 1 and row.c9[2] == json.null and row.c9[3][1] == "x")
      return true
    """
    assert run_lua(text, packed)
