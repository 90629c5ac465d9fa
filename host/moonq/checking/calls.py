"""Calls that must fail: too few or too many arguments, ids of entries that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moonq.checking import offers, stock
from moonq.checking.parsing import keys, literal, text
from moonq.checking.reading import Known, Reading
from moonq.operations.annotations import Function
from moonq.registry.fields import Ref
from moonq.text.suggestions import listed, question

if TYPE_CHECKING:
    from tree_sitter import Node

#: What a first argument may name by its annotation -> the kinds of such entries.
NAMED = {
    "queue": Ref(("queue.queue",)),
    "function": Ref(("function.lua",)),
    "store": Ref(("store.",)),
    "sql": Ref(("sql.database",)),
    "http": Ref(("http.client",)),
    "entry": Ref(),
}
#: The last of several arguments may be many when it is one of these.
_MANY = ("function_call", "vararg_expression")


def _given(known: Known) -> tuple[int, bool]:
    """How many arguments are written, and whether the last of them may be more than one."""
    arguments = known.use.arguments or ()
    return len(arguments), bool(arguments) and arguments[-1].type in _MANY


def count(reading: Reading, known: Known, called: Function) -> None:
    """Look whether a function of the standard library gets as many arguments as it takes."""
    given, is_open = _given(known)
    least, most = offers.counts(called)
    if given < least and not is_open:
        lacking = called.params[given].name
        message = f"`{called.name}` needs {_words(least)} and gets {given}"
        label = f"no `{lacking}` here"
    elif most is not None and given - is_open > most:
        message, label = f"`{called.name}` takes {_words(most)} at most and gets {given}", ""
    else:
        return
    place = known.place(len(known.chain.fields))
    reading.add("L314", message, place, label=label, help=f"it is {called.signature}")


def options(reading: Reading, known: Known, called: Function) -> None:
    """Look whether the options that are written in a call are there."""
    for param, argument in zip(called.params, known.use.arguments or (), strict=False):
        shape = offers.options(param.type)
        names = {line.name.rstrip("?") for line in shape.fields} if shape else set()
        for place in keys(argument) if shape else ():
            name = text(place)
            if name not in names:
                reading.add(
                    "L312",
                    f"`{called.name}` has no option `{name}`",
                    place,
                    help=question(reading.likely(name, names)) or f"it has {listed(names)}",
                )


def too_few(reading: Reading, known: Known, name: str) -> None:
    """Look whether a function of stock Lua gets what it cannot do without."""
    given, is_open = _given(known)
    least = stock.LEAST.get(name, 0)
    if given < least and not is_open and not reading.is_asked(known.chain):
        message = f"`{name}` needs {_words(least)} and gets {given}"
        reading.add("L314", message, known.place(len(known.chain.fields)))


def _words(count: int) -> str:
    return f"{count} argument{'s' * (count != 1)}"


def name(reading: Reading, known: Known, called: Function) -> None:
    """Look whether the entry exists that the first argument names."""
    place = next(iter(known.use.arguments or ()), None)
    written = literal(place)
    # A test may well ask for what is not there.
    if place is None or written is None or reading.owner.is_test:
        return
    if called.name == "env.get":
        _variable(reading, place, written)
    elif called.names:
        _entry(reading, place, called, written)


def _variable(reading: Reading, place: Node, written: str) -> None:
    """A variable is named by its entry, or by its own name."""
    owner = reading.owner
    if written in owner.variables or owner.known.get(owner.full(written)) == "env.variable":
        return
    likely = question(reading.likely(written, owner.variables))
    entry = f"{{name: …, kind: env.variable, variable: {written}}}"
    reading.add(
        "L313",
        f"no entry names the variable `{written}`",
        place,
        help=likely or f"add an entry: {entry}",
    )


def _entry(reading: Reading, place: Node, called: Function, written: str) -> None:
    owner, wanted = reading.owner, NAMED[called.names]
    full = owner.full(written)
    kind = owner.known.get(full)
    if kind is not None and wanted.accepts(kind):
        return
    fitting = [id_ for id_, kind in owner.known.items() if wanted.accepts(kind)]
    bare = full.partition(":")[2]
    same = sorted(one for one in fitting if one.partition(":")[2] == bare)
    what = wanted.wanted or "entry"
    reading.add(
        "L313",
        f"`{called.name}` names a {what}, and `{full}` is a {kind}"
        if kind
        else f"`{called.name}` names an entry that does not exist",
        place,
        label="" if kind else f"no entry `{full}`",
        help=question((same or reading.likely(full, fitting))[:3]),
    )
