"""Commands that only look."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from moonq import durations, views
from moonq.console import chunk, manual
from moonq.console.chunk import Completeness
from moonq.console.commands.table import COMMANDS, command, find, words
from moonq.control import EVENTS
from moonq.errors import Invalid
from moonq.views import Screen

if TYPE_CHECKING:
    from moonq.console.core import Console


@command("?", "? [NAME]", "lists the commands, or says what a name is", lua="mq")
def help_(console: Console, rest: str) -> None:
    """Show the commands, one command, or what the annotations say."""
    screen = console.face.screen()
    if rest.startswith("\\"):
        found = find(rest[1:])
        console.face.show([f"\\{found.usage}", f"  {found.about}"])
    elif rest:
        console.face.show(manual.about(rest, screen))
    else:
        width = max(len(one.usage) for one in COMMANDS.values())
        lines = [f"  \\{one.usage.ljust(width)}  {one.about}" for one in COMMANDS.values()]
        tail = "  ?name shows the help of a function, \\name? the Lua behind a command"
        console.face.show([*map(screen.plain, lines), tail])


@command("i", "i [EXPR]", "shows the type and size of a value", lua="mq.inspect(v)")
def inspect(console: Console, rest: str) -> None:
    """Inspect an expression, or the last value."""
    console.evaluate(f"mq.inspect({rest or '_'})")


@command(
    "tail",
    "tail [QUEUE | FUNCTION | ID]… [--event nack,dead] | off",
    "shows what happens, line by line above the prompt",
    takes="queue",
)
def tail(console: Console, rest: str) -> None:
    """Begin or end to show events."""
    usage = "tail [QUEUE | FUNCTION | ID]… [--event nack,dead] | off"
    found = words(rest, usage, most=20)
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


@command(
    "watch",
    "watch [2s] EXPR | off",
    "keeps the value of an expression below the prompt",
)
def watch(console: Console, rest: str) -> None:
    """Begin or end to watch an expression."""
    if rest in ("", "off"):
        ended = console.live.end_watch()
        console.face.notice("nothing is watched" if not ended else "watched no more")
        return
    seconds, expression = _interval(rest)
    judged = chunk.judge(expression)
    if judged.state is not Completeness.WHOLE or not judged.is_expression:
        raise Invalid("that is no expression", hint="write \\watch [2s] EXPR")
    screen = console.face.screen()
    room = screen.room

    # Printed, not answered: `_` shall stay what the person made it.
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
