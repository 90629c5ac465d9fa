"""Codes of tests in Lua."""

from __future__ import annotations

from collections.abc import Mapping

from moonq.text.codes.code import SHOWN, Code


def _test(body: str) -> Mapping[str, str]:
    lines = "".join(f"  {line}\n" for line in body.splitlines())
    head = 'local test = require("test")\n\ntest.it("counts", function()\n'
    return {"orders_test.lua": f"{head}{lines}end)\n"}


CODES = (
    Code(
        "T701",
        "Two values differ",
        "`eq`, `match`, `is` and the like found another value than the test expects; the"
        " differences are shown.",
        "See which of the two is right.",
        _test("test.eq({ total = 3 }, { total = 4 })"),
    ),
    Code(
        "T702",
        "A file of tests does not load",
        "It is no Lua, requires what is not there, or raised outside of its tests.",
        "Correct the line that is shown.",
        {"orders_test.lua": 'local test = require("test")\ntest.it("counts", function(\n'},
    ),
    Code(
        "T703",
        "A claim does not hold",
        "An assertion about a number, a type, a text or a run, such as `gt`, `is_nil`, `contains`"
        " or `acked`,"
        " found it otherwise.",
        "See whether the claim or the code is wrong.",
        _test("test.gt(2, 3)"),
    ),
    Code(
        "T704",
        "It raised otherwise than expected, or not at all",
        "`throws`, `fails`, `has_error` and `error_kind` expect an error, `no_throw` and"
        " `no_error` none.",
        "See whether the code fails as it should.",
        _test("test.throws(function() end)"),
    ),
    Code(
        "T705",
        "A run does not end",
        "`drain` delivered as many messages as it may, and the queues are not empty: handlers"
        " publish to each"
        " other without an end.",
        "Correct the circle, or allow more: `test.drain({ max = 5000 })`.",
        {
            SHOWN: "T705 app:orders is not idle after 1000 deliveries; is a handler publishing to"
            " its own"
            " queue?\n"
        },
    ),
    Code(
        "T706",
        "The test called `fail`",
        "It came to a place where it should not come.",
        "See how it got there.",
        _test('test.fail("never here")'),
    ),
    Code(
        "T707",
        "A value differs from its snapshot",
        "`snapshot` compares with what was written down when the test ran first; in CI none is"
        " taken anew.",
        "See whether the new value is right, then run `moonq test --update`.",
        {SHOWN: "T707 differs from its snapshot\n"},
    ),
    Code(
        "T708",
        "It never became so",
        "`eventually` asked again and again, in virtual time, until its time was over.",
        "Give it more time, or see why it does not happen.",
        _test("test.eventually(function() return false end)"),
    ),
    Code(
        "T709",
        "A test was stopped",
        "It ran longer than it may, or took more memory.",
        "See what does not end; `--timeout` allows more.",
        {SHOWN: "T709 still running after 5s, so it was stopped\n"},
    ),
    Code(
        "T710",
        "A test raised",
        "An error came out of the test, or of a function that it called, which no assertion"
        " expected.",
        "Correct the line on top of the stack.",
        _test("local order = nil\nreturn order.total"),
    ),
    Code(
        "T711",
        "`it_only` was left in a file",
        "In CI no test may leave out the others.",
        "Write `it`.",
        {SHOWN: "T711 it_only is left in the file; write `it`\n"},
    ),
    Code(
        "T712",
        "A test reached for the outside",
        "A handler called a Python module, a database or a service over HTTP, and nothing stood"
        " in for it.",
        "Stub it, as the line says, or let the test reach it: `test.it_real` and `moonq test"
        " --real`.",
        {SHOWN: "T712 it would call bank.charge, and tests are shut to the outside\n"},
    ),
)
