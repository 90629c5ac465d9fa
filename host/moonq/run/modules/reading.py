"""What a Python file defines, read without running any of it.

text = read("bank.py", b"def charge(order): ...")
text.names["charge"].kind       # "function"
text.offered                    # what its `__all__` lists, None without one
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from moonq.text.findings import Source

#: `value` is what is no function for certain, `unknown` what only running the file would tell.
Found = Literal["function", "generator", "class", "value", "unknown"]
Function = ast.FunctionDef | ast.AsyncFunctionDef

#: What people call what cannot be lent.
CALLED = {"generator": "a generator", "class": "a class", "value": "no function"}


@dataclass(frozen=True)
class Named:
    """One name at the top of a file."""

    kind: Found
    line: int
    column: int
    node: Function | None = None


@dataclass
class PythonText:
    """What a file defines."""

    source: Source
    names: dict[str, Named] = field(default_factory=dict)
    offered: tuple[str, ...] | None = None
    is_open: bool = False
    """Whether it may have names that cannot be seen: `from x import *`, `__getattr__`."""
    doc: str = ""

    def lacks(self, name: str) -> bool:
        """Say whether it certainly has no *name*."""
        return name not in self.names and not self.is_open


def read(file: str, data: bytes) -> PythonText:
    """Return what the file that people know as *file* defines.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It has zeros in it.
    """
    tree = ast.parse(data, file)
    found = PythonText(Source.of(file, data), doc=ast.get_docstring(tree) or "")
    for statement in _statements(tree.body):
        _note(found, statement)
    return found


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement that runs with the file, those in `if` and `try` too."""
    for statement in body:
        yield statement
        if not isinstance(statement, Function | ast.ClassDef):
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _statements(handler.body)


def _note(found: PythonText, statement: ast.stmt) -> None:
    place = statement.lineno, statement.col_offset + 1
    if isinstance(statement, Function):
        if statement.name == "__getattr__":
            found.is_open = True
        # A decorator may make anything of it.
        kind: Found = "unknown" if statement.decorator_list else "function"
        if kind == "function" and _yields(statement):
            kind = "generator"
        found.names[statement.name] = Named(kind, *place, statement)
    elif isinstance(statement, ast.ClassDef):
        found.names[statement.name] = Named("class", *place)
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        _note_import(found, statement, place)
    else:
        for name, value in _assigned(statement):
            found.names[name] = Named(_kind_of(value), *place)
            if name == "__all__":
                _note_offer(found, statement, value)


def _note_import(
    found: PythonText, statement: ast.Import | ast.ImportFrom, place: tuple[int, int]
) -> None:
    for alias in statement.names:
        name = alias.asname or alias.name.partition(".")[0]
        if name == "*":
            found.is_open = True
        else:
            is_module = isinstance(statement, ast.Import)
            found.names[name] = Named("value" if is_module else "unknown", *place)


def _note_offer(found: PythonText, statement: ast.stmt, value: ast.expr | None) -> None:
    try:
        names = tuple(ast.literal_eval(value)) if value is not None else ()
    except (ValueError, TypeError):
        found.offered = None
        return
    before = found.offered or () if isinstance(statement, ast.AugAssign) else ()
    found.offered = (*before, *(str(name) for name in names))


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    targets: Sequence[ast.expr] = ()
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        targets = [statement.target]
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                is_whole = node is target
                yield node.id, getattr(statement, "value", None) if is_whole else None


def _kind_of(value: ast.expr | None) -> Found:
    if isinstance(value, ast.Lambda):
        return "function"
    literals = ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.Set, ast.JoinedStr
    return "value" if isinstance(value, literals) else "unknown"


def _yields(function: Function) -> bool:
    """Whether *function* itself yields, and not only one that is defined in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda | ast.GeneratorExp):
            waiting += ast.iter_child_nodes(node)
    return False
