"""Texts that would keep the compiler busy for seconds are refused before it sees them."""

from __future__ import annotations

import time

import pytest

from moonq.sandbox import jumps, syntax

OPERATORS = "more than 2000 'and' and 'or' in one expression"
BRANCHES = "more than 1000 'elseif' in one statement"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("return a\n" + " and a" * 2001, (2, OPERATORS)),
        ("x = not a" + " or not a" * 2001, (1, OPERATORS)),
        ("f(\n\na" + " and a" * 2001 + ")", (3, OPERATORS)),
        ("return a" + " and (a or a)" * 1001, (1, OPERATORS)),
        ("return a" + " and not (a or a)" * 1001, (1, OPERATORS)),
        ("while a" + " or a" * 2001 + " do end", (1, OPERATORS)),
        ("repeat until a" + " or a" * 2001, (1, OPERATORS)),
        ("return { x = { a" + " or a" * 2001 + " } }", (1, OPERATORS)),
        ("return function() return a" + " or a" * 2001 + " end", (1, OPERATORS)),
        ("if a then" + "\nelseif a then x = 1" * 1001 + " end", (1002, BRANCHES)),
    ],
)
def test_too_many_jumps_are_found_with_their_line(text: str, found: tuple[int, str]) -> None:
    assert jumps.excess(text.encode()) == found


@pytest.mark.parametrize(
    "text",
    [
        "return a" + " and a" * 2000,
        "x = a and b\n" * 3000,
        "local x = a and b;" * 3000,
        "assert(a and b, c or d)\n" * 3000,
        "x = a and b\n" + "assert (a and b) f(a or b){ a or b }\n" * 1500,
        "return {" + "a and b," * 3000 + "}",
        "return {" + "f(a and b), [a or b] = g(c or d);" * 3000 + "}",
        "describe(function() " + "x = a or b\n" * 3000 + " end)",
        "repeat local x until a and b\n" * 3000,
        "if a and b then x() elseif b or c then y() else z = 1 end\n" * 3000,
        "if a then " + "if a then elseif b then end\n" * 3000 + " end",
        "-- and or elseif\n" * 3000,
        "x = 'a and b' .. [[ or ]] .. \"elseif\"\n" * 3000,
        "x = [==[" + " and or elseif ]] " * 3000 + "]==]",
    ],
)
def test_many_jumps_that_do_not_meet_are_none_too_many(text: str) -> None:
    assert jumps.excess(text.encode()) is None


@pytest.mark.parametrize(
    "unit",
    [
        " and a",
        " or a",
        " and a or a",
        " and (a or a)",
        " and f(a or a)",
        " and a < a",
        "(a and a)",
    ],
)
def test_what_is_let_through_is_compiled_quickly(unit: str) -> None:
    statement = "x = a" + unit * (2000 // (unit.count("and") + unit.count("or"))) + "\n"
    text = (statement * (syntax.MAX_SOURCE // len(statement))).encode()
    began = time.process_time()
    assert syntax.check(text, "work.lua") is None
    assert time.process_time() - began < 2


def test_the_look_itself_is_quick() -> None:
    unit = "if a and b then x = f(a or 'text', { a = 1 }) elseif not c then return y end -- so\n"
    text = (unit * (276 * 1024 // len(unit))).encode()
    began = time.process_time()
    assert jumps.excess(text) is None
    assert time.process_time() - began < 0.5
