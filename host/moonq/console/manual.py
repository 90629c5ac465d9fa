"""What `?name` and `\\?` print, and the line about a function that is being typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moonq.console.calling import opened
from moonq.errors import NotFound
from moonq.manual import Manual
from moonq.operations.annotations import Function, Line, Module, Reference, Shape, read, reference
from moonq.registry.lua.tokens import tokens
from moonq.text import suggestions
from moonq.views import Screen
from moonq.views import manual as views
from moonq.views.tables import facts, paragraph


def about(name: str, screen: Screen, request: Callable[..., Any] | None = None) -> Iterable[str]:
    """Return what the annotations say about *name*; *request* asks the host for those of entries.

    Raises:
        NotFound: They say nothing.
    """
    found = reference().find(name) or (_of_project(name, request) if request else None)
    if isinstance(found, Function):
        return _function(found, screen)
    if isinstance(found, Module):
        return _module(found, screen)
    if isinstance(found, Shape):
        return _shape(found, screen)
    try:
        return views.explained(Manual.of_package().about(name), screen)
    except NotFound as missing:
        hint = suggestions.question(suggestions.close(name, reference().names()))
        told = hint or missing.hint or "`\\?` lists what there is"
        raise NotFound(f"no help about {name!r}", hint=told) from None


def _of_project(name: str, request: Callable[..., Any]) -> Module | Function | None:
    """What *name* means of a Python module of the project: `bank`, or `bank.charge`."""
    module = name.partition(".")[0]
    entries = request("entries", pattern="*", entry_kind="module.python")["entries"]
    mine = [one["id"] for one in entries if one["id"].rpartition(":")[2] == module]
    text = request("entry", name=mine[0]).get("annotations") if len(mine) == 1 else None
    found = Reference({module: read(module, text)}).find(name) if text else None
    return found if isinstance(found, Module | Function) else None


def call_at(text: str) -> Function | None:
    """Return the function whose arguments are being typed at the end of *text*."""
    names = (one.name for one in reversed(opened(tokens(text))))
    found = (reference().function(name) for name in names if "." in name or ":" in name)
    return next(filter(None, found), None)


def _function(found: Function, screen: Screen) -> Iterator[str]:
    yield from paragraph(found.signature, "bold", screen)
    yield from screen.markdown(found.doc)
    yield from _lines("takes", found.params, screen)
    yield from _lines("answers", found.results, screen)
    if shown := _example(found.name):
        yield screen.paint("head", "for example")
        yield from map(screen.lua, shown)


def _example(name: str) -> list[str]:
    """The lines of the module's own example that show this function."""
    module = reference().modules.get(name.partition(".")[0])
    if module is None or ":" in name:
        return []
    lines = module.doc.splitlines()
    return [line for line in lines if line.startswith("    ") and name in line][:3]


def _module(found: Module, screen: Screen) -> Iterator[str]:
    yield screen.paint("bold", found.name)
    yield from screen.markdown(found.doc)
    yield ""
    yield from facts([(one.name, one.summary) for one in found.functions], screen, indent="  ")


def _shape(found: Shape, screen: Screen) -> Iterator[str]:
    yield screen.paint("bold", found.name)
    if found.remark:
        yield from screen.markdown(found.remark)
    yield from _lines("fields", found.fields, screen)
    if found.methods:
        yield screen.paint("head", "methods")
        # Without the name of the class, which is not how they are called.
        told = [(one.head[one.head.index(":") :], one.summary) for one in found.methods]
        yield from facts(told, screen, indent="  ")


def _lines(title: str, found: tuple[Line, ...], screen: Screen) -> Iterator[str]:
    if found:
        yield screen.paint("head", title)
        told = [(line.name or "-", f"{line.type}  {line.remark}".strip()) for line in found]
        yield from facts(told, screen, indent="  ")
