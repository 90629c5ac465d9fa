"""Globals that no script has, and what the sandbox lacks of stock Lua."""

from __future__ import annotations

from moonq import assets
from moonq.checking import calls, stock
from moonq.checking.members import near
from moonq.checking.names import Chain, Global, How
from moonq.checking.reading import Known, Reading
from moonq.checking.walking import OPENING
from moonq.registry.lua.runtime import FOREIGN, required
from moonq.text.suggestions import question


def global_(reading: Reading, known: Known, name: str) -> None:
    """Look at the use of a name that no scope declares."""
    fields = known.chain.fields
    base = Chain(Global(name))
    if name not in stock.names():
        # What would open the text is certain itself: no other can have made it before.
        is_hidden = reading.names.is_open and name not in OPENING
        if known.needs >= 0 and not is_hidden and not reading.is_asked(base):
            _unknown_global(reading, known, name)
        return
    if known.needs >= 1 and not reading.is_asked(Chain(Global(name), fields[:1])):
        _field(reading, known, name, fields[0])
    if known.use.how is How.CALL:
        calls.too_few(reading, known, ".".join((name, *fields)))


def _unknown_global(reading: Reading, known: Known, name: str) -> None:
    place = known.place(0)
    instead = stock.instead_of(".".join((name, *known.chain.fields[:1])), name)
    if instead is not None:
        _not_here(reading, known, name, instead)
    elif name in assets.stdlib_modules() | reading.owner.imports:
        what = "an import" if name in reading.owner.imports else "a module"
        reading.add(
            "L310",
            f"`{name}` is {what}, and this file does not require it",
            place,
            about=name,
            help=required(name),
        )
    else:
        likely = reading.likely(
            name,
            {
                *stock.names(),
                *reading.names.locals,
                *assets.stdlib_modules(),
                *reading.owner.imports,
            },
        )
        likely = [one for one in likely if "." not in one]
        reading.add(
            "L310",
            f"there is no global `{name}`, so this will fail",
            place,
            about=name,
            help=f"Lua writes `{FOREIGN[name]}`" if name in FOREIGN else question(likely),
        )


def _not_here(reading: Reading, known: Known, name: str, instead: str) -> None:
    # A library is written for every Lua: what is missing here may stand where it never runs.
    reading.add(
        "L311",
        f"there is no `{name}` in the sandbox",
        known.place(name.count(".")),
        about=name,
        help=instead,
        severity="note" if reading.owner.is_library else "warning",
    )


def _field(reading: Reading, known: Known, library: str, field: str) -> None:
    full = f"{library}.{field}"
    there = stock.fields(library)
    if full in stock.names() or not there:
        return
    instead = stock.instead_of(full, library)
    if instead is not None:
        _not_here(reading, known, full, instead)
    else:
        reading.add(
            "L312",
            f"`{library}` has no `{field}`",
            known.place(1),
            about=full,
            help=near(reading, field, there, library),
        )
