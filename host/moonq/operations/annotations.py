"""What the annotations in the standard library's Lua files say: the help of the console.

    reference = annotations.reference()
    reference.function("queue.info").signature    # "queue.info(queue_id) -> queue.Info|nil, ..."
    reference.find("queue.info").doc              # "The numbers of a queue."

The files are the only description of the Lua API, so nothing is said here in other words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from moonq import assets
from moonq.operations.mq import annotated
from moonq.operations.verbs import VERBS

_HEAD = re.compile(r"function ([A-Za-z_][\w.]*)([.:])([A-Za-z_]\w*)\(")
_ALIAS = re.compile(r"([a-z_]\w*\.\w+) = ([a-z_]\w*\.\w+)$")
_METHODS = re.compile(r"local (\w+) = (?:\{\}|.*\.__index)$")
_CLASS = re.compile(r"(?P<exact>\(exact\) )?(?P<name>[\w.]+)\s*(?P<remark>.*)")
_ALIASED = re.compile(r"([\w.]+)\s*\|?\s*(.+)")
_NAMED = re.compile(r"([A-Za-z_]\w*\??|\.\.\.)(?:\s+|$)(.*)")
_FUN = re.compile(r"fun\((?P<params>.*)\)(?::\s*(?P<result>.+))?$")

#: How the remark about a parameter says that it names an entry, and of which kind.
_NAMES_ENTRY = re.compile(r"the id of an? (?:`(\w+)\.\w+` )?entry")

#: What modules answer that files of the trusted half make: the module, and the file.
OBJECTS = (
    ("queue", "run.message"),
    ("sql", "run.sql_values"),
    ("test", "test.database_under_test"),
    ("test", "test.driver_under_test"),
    ("test", "test.http_under_test"),
    ("test", "test.queue_under_test"),
    ("test", "test.results"),
    ("test", "test.testing"),
    ("test", "test.spies"),
)

#: What a class is called that no script ever has in its hands.
TRUSTED = "host."

#: The texts of the comment lines above a piece of code, by their tag; the words have none.
Block = dict[str, list[str]]


class Line(NamedTuple):
    """A parameter, a result, or a field: its name, its type, and a remark."""

    name: str
    type: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """Something with a name and a description."""

    name: str
    doc: str

    @property
    def summary(self) -> str:
        """The first sentence of its description, on one line."""
        text = " ".join(self.doc.partition("\n\n")[0].split())
        sentence, stop, _ = text.partition(". ")
        return sentence + stop.strip()


@dataclass(frozen=True, slots=True)
class Function(Described):
    """A function or a method, as its annotations describe it."""

    params: tuple[Line, ...]
    results: tuple[Line, ...]

    @property
    def names(self) -> str:
        """What its first argument names: `queue`, `function`, `store`, `entry`; or nothing."""
        first = self.params[0] if self.params else Line("", "")
        found = _NAMES_ENTRY.search(first.remark)
        named = "queue" if first.name == "queue_id" else ""
        return found[1] or "entry" if found else named

    @property
    def head(self) -> str:
        """Its name and parameters: `queue.publish(queue_id, body, headers?, options?)`."""
        return f"{self.name}({', '.join(param.name for param in self.params)})"

    @property
    def signature(self) -> str:
        """The head of the function and its result types, on one line."""
        results = ", ".join(result.type for result in self.results)
        return f"{self.head} -> {results}" if results else self.head


class Alias(NamedTuple):
    """A name for a type."""

    name: str
    type: str
    remark: str = ""


class Shape(NamedTuple):
    """A table with known fields, or an object with methods."""

    name: str
    remark: str
    fields: tuple[Line, ...]
    methods: tuple[Function, ...] = ()
    is_exact: bool = False
    """Whether it has no other fields."""


@dataclass(frozen=True, slots=True)
class Module(Described):
    """A module: its description and what it holds."""

    functions: tuple[Function, ...]
    methods: tuple[Function, ...]
    shapes: tuple[Shape, ...]
    aliases: tuple[Alias, ...] = ()


def _blocks(text: str) -> Iterator[tuple[Block, str]]:
    """Every line of code with the comment lines right above it, by their tags."""
    block: Block = defaultdict(list)
    last = block[""]
    for line in text.splitlines():
        comment = line.removeprefix("---")
        tag, _, rest = comment.partition(" ")
        if comment == line:
            yield block, line
            block = defaultdict(list)
            last = block[""]
        elif tag.startswith("@"):
            last = block[tag]
            last.append(rest.strip())
        elif tag.startswith("|") and last is not block[""]:
            # The choices of an alias, each on a line of its own or some on one.
            last[-1] = f"{last[-1]} {comment.strip()}".replace(" | ", "|")
        elif last is not block[""] and comment.startswith("    "):
            # Deeply indented words go on with the remark of the line above.
            last[-1] += f" {comment.strip()}"
        else:
            block[""].append(comment.removeprefix(" "))


def _doc(block: Block) -> str:
    return "\n".join(block[""]).strip()


def _named(texts: list[str]) -> tuple[Line, ...]:
    """Parameters and fields: name, type, remark."""
    found = filter(None, map(_NAMED.match, texts))
    return tuple(Line(one[1], *_type_and_rest(one[2])) for one in found)


def _results(texts: list[str]) -> tuple[Line, ...]:
    """Results: type, perhaps a name, remark."""
    lines = []
    for kind, rest in map(_type_and_rest, texts):
        found = _NAMED.match(rest)
        lines.append(Line(found[1], kind, found[2]) if found else Line("", kind, rest))
    return tuple(lines)


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
        self._text = text
        self._owners: dict[str, str] = {}
        self._functions: dict[str, Function] = {}
        self._methods: list[Function] = []
        self._shapes: list[Shape] = []
        self._aliases: list[Alias] = []

    def module(self) -> Module:
        """Return what the file describes."""
        blocks = list(_blocks(self._text))
        doc = _doc(blocks[0][0])
        for block, code in blocks:
            self._take(block, code)
        functions = self._functions.values() or self._of_fields(doc.partition("\n")[0])
        methods = tuple(self._methods)
        shapes = tuple(_with_methods(shape, methods) for shape in self._shapes)
        aliases = tuple(self._aliases)
        return Module(self._name, doc, tuple(functions), methods, shapes, aliases)

    def _take(self, block: Block, code: str) -> None:
        for found in filter(None, map(_ALIASED.match, block["@alias"])):
            kind, remark = _type_and_rest(found[2])
            self._aliases.append(Alias(found[1], kind, remark or _doc(block)))
        if classes := block["@class"]:
            self._take_shape(classes[-1], block, code)
        if head := _HEAD.match(code):
            self._take_function(head, block)
        elif (alias := _ALIAS.match(code)) and (known := self._functions.get(alias[2])):
            doc = f"The same as {known.name}. {known.doc}"
            self._functions[alias[1]] = replace(known, name=alias[1], doc=doc)

    def _take_shape(self, named: str, block: Block, code: str) -> None:
        found, owner = _CLASS.match(named), _METHODS.match(code)
        if found and not found["name"].startswith(TRUSTED):
            fields, remark = _named(block["@field"]), found["remark"] or _doc(block)
            shape = Shape(found["name"], remark, fields, is_exact=bool(found["exact"]))
            self._shapes.append(shape)
            if owner:
                self._owners[owner[1]] = found["name"]

    def _take_function(self, head: re.Match[str], block: Block) -> None:
        owner, sign, name = head[1], head[2], head[3]
        shown = f"{self._owners.get(owner, owner)}{sign}{name}"
        params, results = _named(block["@param"]), _results(block["@return"])
        function = Function(shown, _doc(block), params, results)
        if owner.partition(".")[0] == self._name:
            self._functions[shown] = function
        elif owner in self._owners:
            self._methods.append(function)

    def _of_fields(self, doc: str) -> Iterator[Function]:
        """A module without functions of its own is the object that its class describes."""
        for line in (line for shape in self._shapes for line in shape.fields):
            if found := _FUN.match(line.type):
                yield _of_type(f"{self._name}.{line.name}", found, line.remark or doc)


def _with_methods(shape: Shape, methods: tuple[Function, ...]) -> Shape:
    own = (one for one in methods if one.name.startswith(f"{shape.name}:"))
    return shape._replace(methods=tuple(own))


def _of_type(name: str, found: re.Match[str], doc: str) -> Function:
    """The function that is only described by its type."""
    params = []
    for text in filter(None, re.split(r",\s*(?=\w+\??:)", found["params"])):
        parameter, _, kind = text.partition(":")
        params.append(Line(parameter.strip(), kind.strip()))
    results = tuple(Line("", kind) for kind in (found["result"] or "").split(", ") if kind)
    return Function(name, doc, tuple(params), results)


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


def _beside(module: Module, found: Module) -> Module:
    """Return *module* with the objects of a file whose own functions no script sees."""
    return replace(
        module,
        methods=module.methods + found.methods,
        shapes=module.shapes + found.shapes,
        aliases=module.aliases + found.aliases,
    )


@cache
def reference() -> Reference:
    """Return the help for everything that scripts may require."""
    modules = {
        name: read(name, assets.stdlib_source(name).decode())
        for name in sorted(assets.stdlib_modules())
    }
    for name, file in OBJECTS:
        modules[name] = _beside(modules[name], read(file, assets.lua_source(file).decode()))
    operations = annotated(VERBS.values())
    modules["mq"] = read("mq", f"{assets.lua_source('console.mq').decode()}\n{operations}")
    return Reference(modules)
