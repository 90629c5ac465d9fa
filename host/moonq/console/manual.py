"""What `?name` and `\\?` print, and the line about a function that is being typed."""

from __future__ import annotations

from moonq.console.annotations import Function, Line, Module, Shape, reference
from moonq.console.ink import Ink
from moonq.errors import NotFound
from moonq.registry.lua.tokens import Token, tokens
from moonq.text import suggestions


def about(name: str, ink: Ink) -> list[str]:
    """Return what the annotations say about *name*.

    Raises:
        NotFound: They say nothing.
    """
    found = reference().find(name)
    if isinstance(found, Function):
        return _function(found, ink)
    if isinstance(found, Module):
        return _module(found, ink)
    if isinstance(found, Shape):
        return [ink.paint("bold", found.name), *_rows(found.fields)]
    hint = suggestions.question(suggestions.close(name, reference().names()))
    raise NotFound(f"no help about {name!r}", hint=hint or "`\\?` lists what there is")


def call_at(text: str) -> Function | None:
    """Return the function whose arguments are being typed at the end of *text*."""
    opened: list[Function | None] = []
    before: list[Token] = []
    for token in tokens(text):
        if token.text in ("(", "{", "["):
            opened.append(_named(before) if token.text == "(" else None)
        elif token.text in (")", "}", "]") and opened:
            opened.pop()
        before = [*before[-8:], token]
    return next((one for one in reversed(opened) if one), None)


def _named(before: list[Token]) -> Function | None:
    """The function whose name stands at the end of *before*."""
    name = ""
    for token in reversed(before):
        is_name = token.kind == "name"
        if is_name == bool(name and name[0] not in ".:") or not (is_name or token.text in ".:"):
            break
        name = token.text + name
    return reference().function(name) if "." in name or ":" in name else None


def _function(found: Function, ink: Ink) -> list[str]:
    lines = [ink.paint("bold", found.signature), *found.doc.splitlines()]
    if found.params:
        lines += [ink.paint("dim", "takes"), *_rows(found.params)]
    if found.results:
        lines += [ink.paint("dim", "answers"), *_rows(found.results)]
    lines += _example(found.name)
    return [ink.plain(line) for line in lines]


def _example(name: str) -> list[str]:
    """The lines of the module's own example that show this function."""
    module = reference().modules.get(name.partition(".")[0])
    if module is None or ":" in name:
        return []
    shown = [line for line in module.doc.splitlines() if line.startswith("    ") and name in line]
    return ["for example", *shown[:3]] if shown else []


def _module(found: Module, ink: Ink) -> list[str]:
    lines = [ink.paint("bold", found.name), *found.doc.splitlines(), ""]
    width = max((len(one.name) for one in found.functions), default=0)
    lines += [f"  {one.name.ljust(width)}  {one.summary}" for one in found.functions]
    return [ink.plain(line) for line in lines]


def _rows(found: tuple[Line, ...]) -> list[str]:
    names = [line.name or "-" for line in found]
    width = max(map(len, names), default=0)
    kinds = max((len(line.type) for line in found), default=0)
    return [
        f"  {name.ljust(width)}  {line.type.ljust(kinds)}  {line.remark}".rstrip()
        for name, line in zip(names, found, strict=True)
    ]
