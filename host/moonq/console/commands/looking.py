"""Commands that only look."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from moonq import durations, views
from moonq.console import chunk, manual
from moonq.console.commands.table import COMMANDS, command, find
from moonq.control import EVENTS
from moonq.errors import Invalid
from moonq.manual import Manual
from moonq.operations.annotations import reference
from moonq.views import Screen
from moonq.views.tables import facts, paragraph

if TYPE_CHECKING:
    from moonq.console.core import Console


@command("? [NAME]", lua="mq", is_whole=True)
def help_(console: Console, name: str) -> None:
    """List the commands, or say what a name is."""
    screen = console.face.screen()
    if name.startswith("\\") or (name in COMMANDS and not reference().find(name)):
        console.face.show(find(name.removeprefix("\\")).lines())
    elif name:
        console.face.show(manual.about(name, screen, console.request))
    else:
        told = [(f"\\{one.usage}", one.about) for one in COMMANDS.values()]
        listed = facts(told, screen, indent="  ")
        tail = "?name shows the help of a function, \\name? the Lua behind a command"
        console.face.show([*listed, *paragraph(tail, "", screen, "  ")])


@command("guide [PAGE | --search WORDS]", is_whole=True)
def guide(console: Console, words: str) -> None:
    """Read the manual: its pages, one of them, PAGE#SECTION, or where words stand."""
    book, screen = Manual.of_package(), console.face.screen()
    option, _, searched = words.partition(" ")
    if option == "--search":
        console.face.show(views.manual.hits(book.search(searched), screen))
    elif words:
        console.face.show(views.manual.excerpt(book.part(words), screen))
    else:
        console.face.show(views.manual.pages(book.pages, screen))


@command("i [EXPR]", lua="mq.inspect(v)", is_whole=True)
def inspect(console: Console, code: str) -> None:
    """Show the type and size of a value, by default of the last one."""
    console.evaluate(f"mq.inspect({code or '_'})")


@command("tail [TARGET]… [--event nack,dead] | off", takes="queue")
def tail(console: Console, *targets: str) -> None:
    """Show what happens (to a queue, function or message), line by line above the prompt."""
    found = list(targets)
    if found == ["off"]:
        console.face.notice("no more events" if console.live.end_tail() else "there was no tail")
        return
    # A private host's log lines come by themselves.
    events = list(EVENTS[:-1]) if console.attached.is_private else []
    if "--event" in found:
        at = found.index("--event")
        events = ",".join(found[at + 1 :][:1]).split(",")
        del found[at : at + 2]
    if set(events) - set(EVENTS):
        raise Invalid(f"no event is called {events!r}", hint=f"there are {', '.join(EVENTS)}")
    console.live.tail(found, events)
    console.face.notice("events appear above the prompt · \\tail off ends it")


@command("watch [2s] EXPR | off", is_whole=True)
def watch(console: Console, rest: str) -> None:
    """Keep the value of an expression below the prompt."""
    if rest in ("", "off"):
        ended = console.live.end_watch()
        console.face.notice("nothing is watched" if not ended else "watched no more")
        return
    seconds, expression = _interval(rest)
    judged = chunk.judge(expression)
    if not judged.is_expression:
        raise Invalid("that is no expression", hint="write \\watch [2s] EXPR")
    screen = console.face.screen()
    room = screen.room

    # Printed, not answered: `_` stays the person's own last value.
    source = f"print((require('json').encode((\n{judged.text}\n))))"

    def look() -> list[str]:
        printed: list[str] = []
        begun = console.client.begin(
            "eval", on_output=printed.append, src=source, timeout=seconds + 1
        )
        fault = (begun.wait() or {}).get("fault")
        lines = views.fault(fault, screen) if fault else _pane("".join(printed), screen)
        return list(islice(lines, 10))

    title = f"─ watch every {durations.show(seconds)}: {expression} ─ \\watch off to close "
    console.live.watch(look, screen.plain(title[: room - 1].ljust(room - 1, "─")), seconds)


def _pane(text: str, screen: Screen) -> Iterable[str]:
    """A value as it is watched: a table where it is one."""
    try:
        value = json.loads(text)
    except ValueError:
        return ["nil, or a value that JSON cannot carry"]
    return views.value(value, screen, output="table" if isinstance(value, list) else "lua")


def _interval(text: str) -> tuple[float, str]:
    first, _, rest = text.partition(" ")
    try:
        seconds = durations.parse(first)
    except ValueError:
        return 2.0, text
    return (max(0.2, seconds), rest.strip()) if rest.strip() else (2.0, text)
