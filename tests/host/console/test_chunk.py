"""When Enter runs a text, when it asks for more, and when it refuses."""

from __future__ import annotations

import pytest

from moonq.console import chunk


@pytest.mark.parametrize(
    "text",
    ["1 + 2", "x = 1", "return 1, 2", "f()", "for i = 1, 3 do end", "-- words", "", "a.b[1]", "=1"],
)
def test_whole_pieces_are_run(text: str) -> None:
    assert chunk.judge(text).finding is None


@pytest.mark.parametrize(
    "text",
    ["for i = 1, 3 do", "f(", "{ 1,", "1 +", "x =", "function f()", "[[long", "--[[ words", "if a"],
)
def test_what_only_ended_too_early_continues(text: str) -> None:
    assert chunk.judge(text).is_incomplete


@pytest.mark.parametrize("text", ["a b", "x +* 2", "end", '"abc', "1 2", "for for"])
def test_what_can_never_become_lua_is_refused(text: str) -> None:
    judged = chunk.judge(text)
    assert judged.finding is not None
    assert not judged.is_incomplete


def test_the_caret_goes_to_the_error() -> None:
    found = chunk.judge("local a = 1\nlocal b = a +* 2")
    assert found.caret == len("local a = 1\nlocal b = a +")
    assert found.finding is not None
    assert "`*`" in found.finding.message


def test_an_error_in_an_expression_is_placed_as_it_was_typed() -> None:
    found = chunk.judge("1 + * 2")
    assert found.caret == 4
    assert found.finding is not None
    assert found.finding.spans[0].lines == ((1, "1 + * 2"),)


def test_a_habit_of_other_languages_is_answered_with_lua() -> None:
    finding = chunk.judge("x += 1").finding
    assert finding is not None
    assert finding.helps == ("write `x = x + 1`: Lua has no `+=`",)


def test_expressions_are_told_from_statements() -> None:
    assert chunk.judge("f()").is_expression
    assert chunk.judge("= f()").text.strip() == "f()"
    assert not chunk.judge("x = 1").is_expression
    assert not chunk.judge("-- nothing").is_expression


def test_a_semicolon_at_the_end_mutes() -> None:
    assert chunk.judge("f();").is_muted
    assert chunk.judge("f(); -- done").is_muted
    assert not chunk.judge('";"').is_muted


@pytest.mark.parametrize(
    ("line", "spaces"),
    [
        ("for i = 1, 3 do", 2),
        ("  if x then", 4),
        ("local f = function(a)", 2),
        ("  x = {", 4),
        ("  y = 1", 2),
        ("f(function() end)", 0),
        ("-- do", 0),
    ],
)
def test_a_new_line_is_indented_as_the_code_wants(line: str, spaces: int) -> None:
    assert chunk.indent_after(line) == " " * spaces


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("x = 20\nx * 2", "x = 20\nreturn x * 2"),
        ("x = 20\nx", "x = 20\nreturn x"),
        ("x = 20\nx * 2;\n\n-- so", "x = 20\nreturn x * 2;\n\n-- so"),
        ("x = 1\n{\n  a = x,\n}", "x = 1\nreturn {\n  a = x,\n}"),
        ("f()\nx\n  .y", "f()\nreturn x\n  .y"),
        ("for i = 1, 3 do\n  f(i)\nend\n'done'", "for i = 1, 3 do\n  f(i)\nend\nreturn 'done'"),
        ("f\n(x)", "f\n(x)"),
        ("x = 1\nf(x)", "x = 1\nreturn f(x)"),
    ],
)
def test_what_is_pasted_may_end_in_an_expression(text: str, sent: str) -> None:
    judged = chunk.judge(text)
    assert (judged.finding, judged.code, judged.text) == (None, sent, text)


@pytest.mark.parametrize("text", ["x = 1\nx *", "x = 1\n{ 1,", "x = 1\nfor i = 1, 3 do"])
def test_what_is_pasted_may_end_too_early(text: str) -> None:
    assert chunk.judge(text).is_incomplete


def test_what_is_pasted_and_no_lua_is_refused() -> None:
    judged = chunk.judge("x = 1\nx +* 2\ny = 3")
    assert judged.finding
    assert judged.finding.place[1:] == (2, 3)


@pytest.mark.parametrize(
    "text",
    [
        "function g()\n  return 1\nend\n<g()",
        "function g()\n  return 1\nend\n<g()\n",
        "x = 1\n<t.a:g(\n  x)\n\n-- done",
        'x = 1\n<print "x"',
    ],
)
def test_a_call_behind_pasted_statements_is_a_value_too(text: str) -> None:
    at = text.index("<")
    judged = chunk.judge(text.replace("<", ""))
    assert judged.finding is None
    assert judged.value_from == at


@pytest.mark.parametrize(
    "text",
    [
        "x = f\n(g)()",
        "x = f\n{ 1 }",
        "x = f\n'text'",
        "s = [[\nf()\n]]",
        "for i = 1, 3 do\n  f(i)\nend",
        "f()\nx = 1",
        "f()\nlocal x",
        "x = 1\nfunction f() end",
    ],
)
def test_what_goes_on_with_the_line_before_or_is_no_call_stays_a_statement(text: str) -> None:
    judged = chunk.judge(text)
    assert judged.finding is None
    assert judged.code == text
