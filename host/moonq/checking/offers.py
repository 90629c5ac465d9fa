"""What the standard library offers: the members of its modules, and what their functions take.

Both are read from the Lua files: the functions from their annotations, the constants from the code.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import NamedTuple

from moonq import assets
from moonq.checking.names import Answer, Chain, Global, Local, Required
from moonq.checking.walking import names_of
from moonq.operations.annotations import Function, Module, Shape, reference


class Counts(NamedTuple):
    """How many arguments a function takes; most is None where it takes any number."""

    least: int
    most: int | None


class Object(NamedTuple):
    """What a call answers, such as the message of `queue.message()`."""

    shape: str
    methods: dict[str, Function]
    fields: frozenset[str]


def described(module: str) -> Module:
    """Return what the annotations say of *module*."""
    return reference().modules[module]


def module_of(chain: Chain) -> str:
    """Return the module of the standard library that *chain* begins with, empty if with none."""
    base = chain.base
    name = base.module if isinstance(base, Required) else ""
    if base == Global("errors"):
        name = "errors"
    return name if name in assets.stdlib_modules() else ""


@cache
def members(module: str) -> frozenset[str]:
    """Return what can be taken out of *module*, with what is in its tables: `clock.advance`."""
    found = {one.name.removeprefix(f"{module}.") for one in described(module).functions}
    for chain in names_of(assets.stdlib_source(module)).set:
        if isinstance(chain.base, Local) and chain.base.name == module:
            found.add(".".join(chain.fields))
    return frozenset(found | {name.partition(".")[0] for name in found})


@cache
def function(module: str, fields: tuple[str, ...]) -> Function | None:
    """Return the function of *module* at *fields*."""
    name = ".".join((module, *fields))
    return next((one for one in described(module).functions if one.name == name), None)


@cache
def is_object(module: str) -> bool:
    """Say whether *module* is an object itself, whose functions take a dot or a colon alike."""
    own = {one.name.removeprefix(f"{module}.") for one in described(module).functions}
    shapes = ({line.name for line in shape.fields} for shape in described(module).shapes)
    return any(own == names for names in shapes)


def answer(chain: Chain) -> Object | None:
    """Return the object that *chain* is, where the annotations say that a call answers one."""
    if not isinstance(chain.base, Answer):
        return None
    callee = chain.base.callee.expanded()
    module = module_of(callee)
    called = function(module, callee.fields) if module else None
    kinds = called.results[0].type.split("|") if called and called.results else []
    return next((_objects()[kind] for kind in kinds if kind in _objects()), None)


@cache
def _objects() -> dict[str, Object]:
    methods: dict[str, dict[str, Function]] = defaultdict(dict)
    for module in reference().modules.values():
        for method in module.methods:
            shape, _, name = method.name.partition(":")
            methods[shape][name] = method
    fields = {
        shape.name: frozenset(line.name.rstrip("?") for line in shape.fields)
        for module in reference().modules.values()
        for shape in module.shapes
    }
    return {name: Object(name, found, fields[name]) for name, found in methods.items()}


@cache
def options(kind: str) -> Shape | None:
    """Return the table of options that an argument of type *kind* is, if it has no other fields."""
    shapes = (shape for module in reference().modules.values() for shape in module.shapes)
    return next((one for one in shapes if one.is_exact and one.name in kind.split("|")), None)


def counts(called: Function) -> Counts:
    """Return how many arguments a function takes by its annotations."""
    params = [one for one in called.params if one.name != "..."]
    needed = [at for at, one in enumerate(params, 1) if not _may_be_left_out(one.name, one.type)]
    return Counts(max(needed, default=0), len(params) if params == [*called.params] else None)


def _may_be_left_out(name: str, kind: str) -> bool:
    # What may be anything may be nil as well.
    return name.endswith("?") or not {"nil", "any"}.isdisjoint(kind.split("|"))
