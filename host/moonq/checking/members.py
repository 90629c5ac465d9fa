"""Members that no module has, and objects of the standard library without such a method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moonq.checking import calls, offers
from moonq.checking.names import Chain, How, Required
from moonq.checking.reading import Known, Reading
from moonq.text.suggestions import listed, question

#: So many names are shown where none is like the wrong one.
FEW = 8


def module_(reading: Reading, known: Known, module: str) -> None:
    """Look at the use of a module, or of what is taken out of it."""
    fields = known.chain.fields
    if not fields:
        return
    missing = _missing(module, fields)
    if missing:
        asks = known.use.how is How.ASK and missing == len(fields)
        if not asks and not reading.is_asked(Chain(known.chain.base, fields[:missing])):
            _no_member(reading, known, module, fields[:missing])
    elif (called := offers.function(module, fields)) and known.use.arguments is not None:
        if known.use.how is How.METHOD and not offers.is_object(module):
            reading.add(
                "L314",
                f"`{called.name}` is called with a dot",
                known.place(len(fields)),
                label="the colon hands over the module as its first argument",
                help=f"write `{called.name}(…)`",
            )
        else:
            calls.count(reading, known, called)
            calls.options(reading, known, called)
            calls.name(reading, known, called)


def lent(reading: Reading, known: Known, names: Sequence[str]) -> None:
    """Look at what is taken out of a Python module that lends the functions *names*."""
    fields = known.chain.fields
    if fields and fields[0] not in names:
        base = known.chain.base
        called = base.module if isinstance(base, Required) else ""
        reading.add(
            "L312",
            f"`{called}` lends no function `{fields[0]}`",
            known.place(1),
            about=f"{called}.{fields[0]}",
            help=near(reading, fields[0], names, called),
        )


def _missing(module: str, fields: Sequence[str]) -> int:
    """Return which of *fields*, counted from 1, the module does not have; 0: all are there."""
    names = offers.members(module)
    if fields[0] not in names:
        return 1
    tables = {name.partition(".")[0] for name in names if "." in name}
    deep = fields[0] in tables and len(fields) > 1 and ".".join(fields[:2]) not in names
    return 2 if deep else 0


def _no_member(reading: Reading, known: Known, module: str, fields: tuple[str, ...]) -> None:
    owner = ".".join((module, *fields[:-1]))
    start = "".join(f"{field}." for field in fields[:-1])
    there = [one.removeprefix(start) for one in offers.members(module) if one.startswith(start)]
    reading.add(
        "L312",
        f"`{owner}` has no `{fields[-1]}`",
        known.place(len(fields)),
        about=f"{owner}.{fields[-1]}",
        help=near(reading, fields[-1], [name for name in there if "." not in name], owner),
    )


def object_(reading: Reading, known: Known, found: offers.Object) -> None:
    """Look at the use of an object that a function of the standard library answers."""
    if not known.chain.fields:
        return
    field, *more = known.chain.fields
    method = found.methods.get(field)
    if field in found.fields:
        return
    if method is None:
        reading.add(
            "L312",
            f"a {found.shape} has no `{field}`",
            known.place(1),
            about=f"{found.shape}:{field}",
            help=near(reading, field, {*found.methods, *found.fields}, ""),
        )
    elif not more and known.use.how is How.CALL:
        reading.add(
            "L314",
            f"`{method.name}` is called with a colon",
            known.place(1),
            help=f"write `:{field}(…)`",
        )
    elif not more and known.use.how is How.METHOD:
        calls.count(reading, known, method)
        calls.options(reading, known, method)


def near(reading: Reading, name: str, names: Iterable[str], owner: str) -> str:
    """Return what *name* was probably meant to be; without a likely one all that *owner* has."""
    likely = question(reading.likely(name, names))
    there = sorted(names)
    return likely or (f"it has {listed(there)}" if owner and len(there) <= FEW else "")
