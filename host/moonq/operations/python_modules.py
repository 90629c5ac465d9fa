"""Python modules in the words of Lua: type hints and docstrings as annotations.

annotations("bank", text, ["charge"])
# --- Take the money of an order.
# ---@param order table<string, any>
# ---@return { … }|nil result
# ---@return errors.Error|nil err
# function bank.charge(order) end
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from moonq.registry.project import Entry
from moonq.run.modules.checks import text_of
from moonq.run.modules.reading import Function, PythonText

_TYPES = {
    "int": "integer",
    "float": "number",
    "complex": "any",
    "str": "string",
    "bytes": "string",
    "bytearray": "string",
    "bool": "boolean",
    "None": "nil",
    "dict": "table",
    "Mapping": "table",
    "list": "any[]",
    "tuple": "any[]",
    "Sequence": "any[]",
    "Iterable": "any[]",
    "Decimal": "string",
    "datetime": "string",
    "date": "string",
    "time": "string",
    "UUID": "string",
}
_LISTS = {"list", "Sequence", "Iterable", "set", "frozenset"}
_MAPS = {"dict", "Mapping", "MutableMapping"}


def of_entry(entry: Entry, root: Path, *, called: str = "") -> str | None:
    """Return the annotations of a `module.python` entry, None where its text cannot be read.

    The table of its functions is *called* so, by default as the entry is.
    """
    text = text_of(entry, root)
    names = getattr(entry.config, "functions", None) or ()
    return annotated(called or entry.name, text, names) if text is not None else None


def annotated(called: str, text: PythonText, names: Iterable[str]) -> str:
    """Return Lua with the functions *names* of *text*, as the module that scripts call *called*."""
    lines = [*_comment(text.doc), f"local {called} = {{}}", ""]
    for name in names:
        named = text.names.get(name)
        node = named.node if named else None
        lines += [*_function(node)] if node else []
        parameters = ", ".join(one for one, _ in _parameters(node)) if node else "..."
        lines += [f"function {called}.{name}({parameters}) end", ""]
    return "\n".join([*lines, f"return {called}", ""])


def _function(node: Function) -> Iterator[str]:
    yield from _comment(ast.get_docstring(node) or "")
    least = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
    for place, (name, kind) in enumerate(_parameters(node)):
        optional = "?" if place >= least and name != "..." else ""
        yield f"---@param {name}{optional} {kind}"
    results = _results(node.returns)
    for kind in results:
        yield f"---@return {_or_nil(kind)}"
    if not results:
        yield "---@return nil"
    yield "---@return errors.Error|nil err"


def _comment(doc: str) -> Iterator[str]:
    for line in doc.splitlines():
        yield f"--- {line}".rstrip()


def _parameters(node: Function) -> list[tuple[str, str]]:
    found = [(one.arg, _type(one.annotation)) for one in (*node.args.posonlyargs, *node.args.args)]
    more = node.args.vararg
    return [*found, ("...", _type(more.annotation))] if more else found


def _results(annotation: ast.expr | None) -> list[str]:
    """The types of the results, of which a tuple is several."""
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return []
    if isinstance(annotation, ast.Subscript) and _name(annotation.value) in {"tuple", "Tuple"}:
        inner = _inner(annotation)
        if inner and not any(map(_is_dots, inner)):
            return [_type(one) for one in inner]
    return [_type(annotation)]


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _or_nil(kind: str) -> str:
    return kind if kind in ("any", "nil") or kind.endswith("|nil") else f"{kind}|nil"


def _type(annotation: ast.expr | None) -> str:
    """What Lua's annotations call a type; what they have no word for is `any`."""
    if isinstance(annotation, ast.Constant):
        if isinstance(annotation.value, str):
            return _type(_parsed(annotation.value))
        return "nil" if annotation.value is None else "any"
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _union([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        return _generic(_name(annotation.value), _inner(annotation))
    return _TYPES.get(_name(annotation), "any")


def _generic(name: str, inner: list[ast.expr]) -> str:
    if name in ("Optional", "Union"):
        return _union(inner) + ("|nil" if name == "Optional" else "")
    if name == "Annotated" and inner:
        return _type(inner[0])
    if name == "Literal":
        values = [one.value for one in inner if isinstance(one, ast.Constant)]
        texts = [f'"{value}"' for value in values if isinstance(value, str)]
        return "|".join(texts) if len(texts) == len(inner) else "any"
    if name in _LISTS and inner:
        item = _type(inner[0])
        return f"({item})[]" if "|" in item else f"{item}[]"
    if name in _MAPS and len(inner) > 1:
        return f"table<{_type(inner[0])}, {_type(inner[1])}>"
    return _TYPES.get(name, "any")


def _union(parts: list[ast.expr]) -> str:
    kinds = dict.fromkeys(_type(one) for one in parts)
    return "any" if "any" in kinds else "|".join(kinds)


def _inner(annotation: ast.Subscript) -> list[ast.expr]:
    inner = annotation.slice
    return list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]


def _name(node: ast.expr | None) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
