"""Codes of Lua that is looked at and not run."""

from __future__ import annotations

from collections.abc import Mapping

from moonq.text.codes.code import SHOWN, Code
from moonq.text.codes.files import INDEX


def _handler(text: str, modules: str = "") -> Mapping[str, str]:
    entry = f"- {{name: greet, kind: function.lua, source: file://greet.lua{modules}}}\n"
    return {INDEX: entry, "greet.lua": text}


CODES = (
    Code(
        "L301",
        "A module is required and not declared",
        "A script may only load what its entry lists in `modules` or `imports`.",
        "Add it there; `moonq check --fix` does.",
        _handler(
            'local json = require("json")\nreturn function(order) return json.encode(order) end\n'
        ),
    ),
    Code(
        "L302",
        "A module is declared and never required",
        "The script could do more than it needs.",
        "Remove it from `modules` or `imports`; `moonq check --fix` does.",
        _handler("return function(order) return true end\n", ", modules: [json]"),
    ),
    Code(
        "L303",
        "There is no such module",
        "`require` names neither a module of the standard library nor an import of the entry.",
        "Correct the name, or name your own library in `imports`.",
        _handler('local josn = require("josn")\nreturn function() return josn end\n'),
    ),
    Code(
        "L304",
        "The library behind a module is not installed",
        "Some modules need a Python package that moonq does not bring along, and would fail at"
        " every call.",
        "Install the extra that the help names, such as `pip install 'moonq[regex]'`.",
        {SHOWN: "error[L304]: the library behind the module `regex` is not installed\n"},
    ),
    Code(
        "L310",
        "There is no such global",
        "A name is misspelt, is another language's, or is a module that the file does not require.",
        "Write the name that the help names; declare variables with `local`.",
        _handler("return function(name) return nmae.first end\n"),
    ),
    Code(
        "L311",
        "The sandbox has no such function",
        "Of stock Lua scripts lack what reaches the machine or the sandbox itself: files,"
        " processes, `load`.",
        "Use what the help names instead.",
        _handler('return function() return os.getenv("HOME") end\n'),
    ),
    Code(
        "L312",
        "A module or an object has no such member",
        "A name behind a dot or a colon, or an option, is misspelt or never was there.",
        "Write the name that the help names; [Lua modules](lua.md) lists them all.",
        _handler(
            'local logger = require("logger")\nreturn function() logger.inf("hello") end\n',
            ", modules: [logger]",
        ),
    ),
    Code(
        "L313",
        "A call names an entry that is not there",
        "The first argument is an id in the text, and no entry of that kind has it.",
        "Write the id that the help names, or add the entry.",
        _handler(
            'local queue = require("queue")\n'
            'return function(order) return queue.publish("app:mial", order) end\n',
            ", modules: [queue]",
        ),
    ),
    Code(
        "L314",
        "A call must fail",
        "It has too few or too many arguments, or a dot where a colon belongs.",
        "Write it as the help says.",
        _handler(
            'local json = require("json")\nreturn function(text) return json.decode(text, {})'
            " end\n",
            ", modules: [json]",
        ),
    ),
)
