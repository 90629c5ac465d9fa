"""The functions of `mq`, as the verbs say them: what makes them in Lua, and their annotations.

functions_of(VERBS.values())     # for `lua/console/mq.lua`, which makes them
annotated(VERBS.values())        # for the console's help, which reads what editors read:

--- Show the messages of a queue; none is consumed.
---@param queue string  the queue
---@param options? mq.PeekOptions
---@return table|nil answer
---@return errors.Error|nil err
function mq.peek(queue, options) end
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moonq.operations.verb import Argument, Verb

#: The type of an argument -> what a check calls it, and what an annotation does.
_TYPES = {
    "text": ("string", "string"),
    "integer": ("integer", "integer"),
    "flag": ("boolean", "boolean"),
    "duration": ("number|string", "number|string"),
    "texts": ("table", "string[]"),
    "pairs": ("table", "table<string, string>"),
    "json": ("any", "any"),
}


def functions_of(verbs: Iterable[Verb]) -> list[dict[str, Any]]:
    """Return a description of each function: its name, and what becomes of its parameters."""
    return [
        {
            "name": verb.lua,
            "kind": verb.name,
            "answer": verb.answer or None,
            "parameters": [_parameter(verb, one) for one in verb.arguments if one.lua],
            "has_options": bool(verb.lua_options()),
        }
        for verb in verbs
        if verb.lua
    ]


def _parameter(verb: Verb, argument: Argument) -> dict[str, Any]:
    kind = _TYPES[argument.type][0]
    is_open = verb.may_omit(argument) and kind != "any"
    return {
        "name": argument.lua,
        "field": argument.name,
        "type": f"{kind}|nil" if is_open else kind,
    }


def annotated(verbs: Iterable[Verb]) -> str:
    """Return the functions as Lua text without bodies."""
    return "\n".join(line for verb in verbs if verb.lua for line in _function(verb))


def _function(verb: Verb) -> Iterator[str]:
    shape = f"mq.{verb.name.title().replace('_', '')}Options"
    if verb.lua_options():
        yield f"---@class {shape}  what `{verb.lua}` takes by name"
        yield from (_line("field", one, one.name, may_omit=True) for one in verb.lua_options())
        yield ""
    yield f"--- {verb.sentence()}"
    for one in verb.arguments:
        if one.lua:
            yield _line("param", one, one.lua, may_omit=verb.may_omit(one))
    if verb.lua_options():
        yield f"---@param options? {shape}"
    yield f"---@return table{'[]' if verb.answer else ''}|nil {verb.answer or 'answer'}"
    yield "---@return errors.Error|nil err"
    names = [name.removesuffix("?") for name in verb.lua_parameters()]
    yield f"function {verb.lua}({', '.join(names)}) end"
    yield ""


def _line(tag: str, argument: Argument, name: str, *, may_omit: bool) -> str:
    kind = "|".join(f'"{one}"' for one in argument.choices) or _TYPES[argument.type][1]
    return f"---@{tag} {name}{'?' if may_omit else ''} {kind}  {argument.about}"
