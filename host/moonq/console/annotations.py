"""What the annotations in the standard library's Lua files say: the help of the console.

    reference = annotations.reference()
    reference.function("queue.info").signature    # "queue.info(queue_id) -> queue.Info|nil, ..."
    reference.find("queue.info").doc              # "The numbers of a queue."

The files are the only description of the Lua API, so nothing is said here in other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from moonq import assets
from moonq.operations.mq import annotated
from moonq.operations.verbs import VERBS

_HEAD = re.compile(r"function ([A-Za-z_][\w.]*)([.:])([A-Za-z_]\w*)\((.*?)\)")
_ALIAS = re.compile(r"([a-z_]\w*\.\w+) = ([a-z_]\w*\.\w+)$")
_MADE = re.compile(r"([a-z_][\w.]*) = \w+\(")
_METHODS = re.compile(r"local (\w+) = \{\}$")
_CLASS = re.compile(r"(?:\(exact\) )?([\w.]+)\s*(.*)")
_NAMED = re.compile(r"([A-Za-z_]\w*\??|\.\.\.)\s+(.*)")
_FUN = re.compile(r"fun\((?P<params>.*)\)(?::\s*(?P<result>.+))?$")


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter, a result, or a field: its name, its type, and a remark."""

    name: str
    type: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or a method, as its annotations describe it."""

    name: str
    params: tuple[Line, ...]
    results: tuple[Line, ...]
    doc: str

    @property
    def signature(self) -> str:
        """The head of the function and its result types, on one line."""
        results = ", ".join(result.type for result in self.results)
        return f"{self.name}({', '.join(p.name for p in self.params)})" + (
            f" -> {results}" if results else ""
        )

    @property
    def summary(self) -> str:
        """The first line of its description."""
        return self.doc.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Shape:
    """A table with known fields."""

    name: str
    remark: str
    fields: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its description and what it holds."""

    name: str
    doc: str
    functions: tuple[Function, ...]
    methods: tuple[Function, ...] = ()
    shapes: tuple[Shape, ...] = ()

    @property
    def summary(self) -> str:
        """The first line of its description."""
        return self.doc.partition("\n")[0]


@dataclass(slots=True)
class _Block:
    """The comment lines that stand together above a piece of code."""

    doc: list[str] = field(default_factory=list)
    params: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    fields: list[Line] = field(default_factory=list)
    shape: tuple[str, str] | None = None
    type: str = ""
    last: list[Line] | None = None

    def take(self, text: str) -> None:
        """Read one comment line, without its dashes."""
        tag, _, rest = text.partition(" ")
        rest = rest.strip()
        if not tag.startswith("@"):
            self._take_words(text)
        elif tag in {"@param", "@field"}:
            named = _NAMED.match(rest)
            if named:
                self._add(self.params if tag == "@param" else self.fields, named[1], named[2])
        elif tag == "@return":
            self._add(self.results, "", rest)
        elif tag == "@class":
            found = _CLASS.match(rest)
            self.shape = (found[1], found[2]) if found else None
            self.last = None
        else:
            self.type = rest if tag == "@type" else self.type
            self.last = None

    def _take_words(self, text: str) -> None:
        # Deeply indented words go on with the remark of the line above.
        if self.last and text.startswith("    "):
            before = self.last[-1]
            self.last[-1] = Line(before.name, before.type, f"{before.remark} {text.strip()}")
        else:
            self.doc.append(text.removeprefix(" "))

    def _add(self, lines: list[Line], name: str, rest: str) -> None:
        kind, remark = _type_and_rest(rest)
        if not name:
            found = re.match(r"([A-Za-z_]\w*|\.\.\.)(?:\s+|$)(.*)", remark)
            name, remark = (found[1], found[2]) if found else ("", remark)
        lines.append(Line(name, kind, remark))
        self.last = lines


def _type_and_rest(text: str) -> tuple[str, str]:
    """Cut the type off: it ends at the first space that is in no bracket and behind no colon."""
    depth = 0
    for index, char in enumerate(text):
        if char in "(<{[":
            depth += 1
        elif char in ")>}]":
            depth -= 1
        elif char == " " and depth == 0 and text[index - 1] not in ":|":
            return text[:index], text[index:].strip()
    return text, ""


class _Reader:
    """Reads one Lua file."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        self._owners: dict[str, str] = {}
        self.functions: list[Function] = []
        self.methods: list[Function] = []
        self.shapes: list[Shape] = []

    def module(self) -> Module:
        """Return what the file describes."""
        doc = self._head()
        for block, code in self._blocks():
            self._take(block, code)
        if not self.functions:
            self._functions_from_fields()
        return Module(
            self._name, doc, tuple(self.functions), tuple(self.methods), tuple(self.shapes)
        )

    def _head(self) -> str:
        doc = []
        for line in self._lines:
            if not line.startswith("---"):
                break
            doc.append(line[3:].removeprefix(" "))
        return "\n".join(doc).strip()

    def _blocks(self) -> Iterator[tuple[_Block, str]]:
        block = _Block()
        for line in self._lines:
            if line.startswith("---"):
                block.take(line[3:])
            else:
                yield block, line
                block = _Block()

    def _take(self, block: _Block, code: str) -> None:
        if block.shape:
            self.shapes.append(Shape(*block.shape, tuple(block.fields)))
            owner = _METHODS.match(code)
            if owner:
                self._owners[owner[1]] = block.shape[0]
        head = _HEAD.match(code)
        if head:
            self._take_function(head, block)
        alias = _ALIAS.match(code)
        if alias:
            self._take_alias(alias[1], alias[2])
        made, kind = _MADE.match(code), _FUN.match(block.type)
        if made and kind and made[1].partition(".")[0] == self._name:
            self.functions.append(_of_type(made[1], kind, "\n".join(block.doc).strip()))

    def _take_function(self, head: re.Match[str], block: _Block) -> None:
        owner, sign, name = head[1], head[2], head[3]
        of_module = owner.partition(".")[0] == self._name
        if not of_module and owner not in self._owners:
            return
        shown = f"{self._owners.get(owner, owner)}{sign}{name}"
        function = Function(
            shown, tuple(block.params), tuple(block.results), "\n".join(block.doc).strip()
        )
        (self.functions if of_module else self.methods).append(function)

    def _take_alias(self, name: str, meant: str) -> None:
        for known in self.functions:
            if known.name == meant:
                doc = f"The same as {meant}. {known.doc}"
                self.functions.append(Function(name, known.params, known.results, doc))
                return

    def _functions_from_fields(self) -> None:
        """A module without functions of its own is the object that its class describes."""
        for shape in self.shapes:
            for line in shape.fields:
                found = _FUN.match(line.type)
                if found:
                    doc = line.remark or self._head().partition("\n")[0]
                    self.functions.append(_of_type(f"{self._name}.{line.name}", found, doc))


def _of_type(name: str, found: re.Match[str], doc: str) -> Function:
    """The function that is only described by its type."""
    params = []
    for text in filter(None, re.split(r",\s*(?=\w+\??:)", found["params"])):
        parameter, _, kind = text.partition(":")
        params.append(Line(parameter.strip(), kind.strip()))
    results = tuple(Line("", kind) for kind in (found["result"] or "").split(", ") if kind)
    return Function(name, tuple(params), results, doc)


class Reference:
    """Everything that can be looked up."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules
        self._functions: dict[str, Function] = {}
        self._shapes: dict[str, Shape] = {}
        for module in modules.values():
            self._shapes.update((shape.name, shape) for shape in module.shapes)
            self._functions.update((one.name, one) for one in (*module.functions, *module.methods))

    def function(self, name: str) -> Function | None:
        """Return the function called *name*; a method also under its last name, `msg:ack`."""
        found = self._functions.get(name)
        if found or not name:
            return found
        _, colon, method = name.rpartition(":")
        if colon:
            return next((f for n, f in self._functions.items() if n.endswith(f":{method}")), None)
        endings = [f for n, f in self._functions.items() if re.split(r"[.:]", n)[-1] == name]
        return endings[0] if len(endings) == 1 else None

    def find(self, name: str) -> Module | Function | Shape | None:
        """Return what *name* means: a module, a function, a method, or the shape of a table."""
        return self.modules.get(name) or self._shapes.get(name) or self.function(name)

    def names(self) -> list[str]:
        """Return every name that `find` knows in full."""
        return sorted({*self.modules, *self._functions, *self._shapes})


def read(name: str, text: str) -> Module:
    """Return what the Lua file of module *name* describes."""
    return _Reader(name, text).module()


@cache
def reference() -> Reference:
    """Return the help for everything that scripts may require."""
    modules = {
        name: read(name, assets.stdlib_source(name).decode())
        for name in sorted(assets.stdlib_modules())
    }
    # What queue.message() answers is made by a file of the trusted half.
    message = read("message", assets.lua_source("run.message").decode())
    queue = modules["queue"]
    modules["queue"] = Module(
        queue.name, queue.doc, queue.functions, queue.methods + message.methods, queue.shapes
    )
    operations = annotated(VERBS.values())
    modules["mq"] = read("mq", f"{assets.lua_source('console.mq').decode()}\n{operations}")
    return Reference(modules)
