"""The pages about Lua: what scripts may require, what tests have, and what `mq` does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from moonq.operations.annotations import Alias, Function, Line, Module, Shape, reference
from moonq.reference.markdown import fence, item, items, page, section, sentence

_LIBRARY = "What handlers may `require`: every module with its functions, methods and tables."
_TEST = "What tests written in Lua have: cases, assertions, the clock, stand-ins, queues and runs."
_MQ = "What the console's Lua can do to its host: the functions of `mq`."
_ABOUT = """\
A module is listed in an entry's `modules` and then required by its name. Behind `->` stand the
types of what a function answers; a `?` marks what may be left out. What the world does is
answered as `nil, err`, with an [errors.Error](lua.md#errors); what only a mistake of the caller
can do is raised, at the caller's line. `moonq.QueueId` and its like are strings: ids of the
project, which [the editor](../editor.md) knows."""
#: What objects are called in code, where it is not the last part of their class.
_CALLED = {
    "errors.Error": "err",
    "queue.Message": "msg",
    "sql.Transaction": "tx",
    "testing.Database": "db",
}
_TYPE = re.compile(r"[a-z_]+\.[A-Z]\w*")
_ERROR = "errors.Error"
_BLOCK = re.compile(r"(?:^ {4}.*\n?(?:^\n(?=^ {4}))?)+", re.MULTILINE)


def library() -> str:
    """Return the page about the standard library."""
    others = ("test", "mq")
    found = [one for name, one in reference().modules.items() if name not in others]
    return page("Lua modules", _LIBRARY, _ABOUT, *map(_module, found))


def tests() -> str:
    """Return the page about `test`."""
    return page("The Lua module test", _TEST, _ABOUT, _module(reference().modules["test"]))


def console() -> str:
    """Return the page about `mq`."""
    return page("The Lua module mq", _MQ, _ABOUT, _module(reference().modules["mq"]))


def called(name: str) -> str:
    """Return a method's name as code calls it: `queue.Message:retry` is `msg:retry`."""
    owner, _, method = name.partition(":")
    return f"{_CALLED.get(owner, owner.rpartition('.')[2].lower())}:{method}" if method else name


def _module(module: Module) -> str:
    methods = {one.name for shape in module.shapes for one in shape.methods}
    parts = [prose(module.doc)]
    parts += map(_function, module.functions)
    for shape in module.shapes:
        parts.append(_shape(shape))
        parts += map(_function, shape.methods)
    parts += [_function(one) for one in module.methods if one.name not in methods]
    parts += map(_alias, module.aliases)
    return section(module.name, *parts)


def _function(found: Function) -> str:
    name = called(found.name)
    head = f"{name}({', '.join(one.name for one in found.params)})"
    results = ", ".join(one.type for one in found.results)
    signature = f"{head} -> {results}" if results else head
    return section(
        name,
        fence("text", signature),
        prose(found.doc),
        items(_lines(found.params), "Takes:"),
        items(_lines(_told(found.results)), "Answers:"),
        level=3,
    )


def _shape(shape: Shape) -> str:
    methods = ", ".join(f"`{called(one.name)}`" for one in shape.methods)
    return section(
        shape.name,
        sentence(shape.remark),
        items(_lines(shape.fields), "Fields:"),
        f"Methods: {methods}." if methods else "",
        level=3,
    )


def _alias(alias: Alias) -> str:
    return section(alias.name, sentence(alias.remark), fence("text", alias.type), level=3)


def _told(results: Iterable[Line]) -> list[Line]:
    """Return results by their names, or by their types where they have none."""
    found = list(results)
    told = any(one.remark or _see(one.type) for one in found)
    return [Line(one.name or one.type, one.type, one.remark) for one in found] if told else []


def _lines(found: Iterable[Line]) -> Iterator[str]:
    for one in found:
        name, may_omit = one.name.removesuffix("?"), one.name.endswith("?")
        kind = "" if one.type == one.name else f"`{one.type}`" if one.type else ""
        facts = ", ".join(filter(None, (kind, "optional" if may_omit else "")))
        told = sentence(one.remark.removeprefix("# "))
        yield item(name, facts, told or _see(one.type))


def _see(kind: str) -> str:
    """Return links to the tables and objects that a type names; errors are explained anyway."""
    names = [name for name in _TYPE.findall(kind) if name in _described() and name != _ERROR]
    links = [f"[{one}]({_file(one)}#{one.replace('.', '').lower()})" for one in names]
    return f"See {', '.join(links)}." if links else ""


def _file(name: str) -> str:
    """Return the page that has the type called *name*."""
    owner = name.partition(".")[0]
    return {"mq": "mq.md", **dict.fromkeys(("test", "testing", "spies"), "test.md")}.get(
        owner, "lua.md"
    )


@cache
def _described() -> frozenset[str]:
    modules = reference().modules.values()
    shapes = {one.name for module in modules for one in module.shapes}
    return frozenset(shapes | {one.name for module in modules for one in module.aliases})


def prose(doc: str) -> str:
    """Return the words of a comment, its indented examples as Lua in fences."""

    def fenced(match: re.Match[str]) -> str:
        lines = [line.removeprefix("    ") for line in match[0].rstrip().splitlines()]
        end = "\n" if match[0].endswith("\n") else ""
        return fence("lua", "\n".join(lines)) + end

    return _BLOCK.sub(fenced, doc)
