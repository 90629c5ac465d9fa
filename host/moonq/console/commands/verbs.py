"""Commands that are verbs: each is its row, typed word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from moonq import views
from moonq.console.commands.table import COMMANDS, Command, command, miscounted, words
from moonq.control.asking import beside, perform
from moonq.errors import Invalid, NotFound, ProjectInvalid
from moonq.operations.verb import Argument, Verb
from moonq.operations.verbs import VERBS
from moonq.text.json_in import parsed

if TYPE_CHECKING:
    from moonq.console.core import Console

#: Words that one command may have.
MOST = 100


def act(console: Console, rest: str, verb: Verb) -> None:
    """Do what *verb* says with the words in *rest*, and show what came of it."""
    fields = {**_covered(console, verb), **_fields(console, verb, rest)}
    screen = console.face.screen()
    try:
        found = perform(console.attached, verb, fields, console.face)
    except ProjectInvalid as invalid:
        shown = [*screen.findings(invalid.findings), "", *views.problem(invalid, screen)]
        console.face.fail(shown)
        return
    if found is None:
        console.face.notice("nothing was done")
        return
    if console.face.is_program:
        console.face.answer(verb.schema or f"moonq.{verb.name}/1", found)
        return
    told = {**verb.view_options(fields), **beside(console.attached, verb, fields)}
    console.face.show(getattr(views, verb.view)(found, screen, **told))
    for note, _ in views.notes(found) if verb.view in views.NOTED else ():
        console.face.notice(note)


def _fields(console: Console, verb: Verb, rest: str) -> dict[str, Any]:
    every = [one for one in verb.arguments if one.typed]
    typed = [one for one in every if not one.typed.startswith("[--")]
    rest, flags = _flags([one for one in every if one not in typed], rest)
    return {**_placed(console, verb, typed, rest), **flags}


def _flags(arguments: Sequence[Argument], rest: str) -> tuple[str, dict[str, Any]]:
    """Take the flags off the end of *rest*, where they stand behind what may be any text."""
    for one in arguments:
        form = f" {one.cli.split()[0]}" + ("" if one.type == "flag" else r"(?: +|=)([\w.:-]+)")
        if found := re.search(rf"{form} *$", f" {rest}"):
            value = True if one.type == "flag" else found[1]
            others = [other for other in arguments if other is not one]
            rest, more = _flags(others, rest[: found.start()])
            return rest, {one.name: value, **more}
    return rest, {}


def _placed(console: Console, verb: Verb, typed: Sequence[Argument], rest: str) -> dict[str, Any]:
    """Return the fields whose place says which they are."""
    body_at = next((at for at, one in enumerate(typed) if one.type == "json"), None)
    if body_at is not None:
        first, _, body = rest.partition(" ")
        found = words(first, verb.usage())
        if not found:
            raise miscounted(found, verb.usage())
        return {typed[0].name: found[0], **_body(console, typed[body_at], body.strip())}
    least = sum(not one.typed.startswith("[") for one in typed)
    most = MOST if typed and typed[-1].type == "texts" else len(typed)
    found = words(rest, verb.usage())
    if not least <= len(found) <= most:
        raise miscounted(found, verb.usage())
    fields: dict[str, Any] = {}
    for at, (one, word) in enumerate(zip(typed, found, strict=False)):
        if one.type != "texts":
            fields[one.name] = _value(verb, one, word)
        else:
            names = found[at:]
            fields |= _letters(console, found[0], names) if verb.takes else {one.name: names}
    return fields


def _value(verb: Verb, argument: Argument, word: str) -> Any:
    if argument.type == "integer":
        if not word.isdecimal():
            raise Invalid(f"{word!r} is no number", hint=f"write \\{verb.usage()}")
        return int(word)
    if argument.type == "flag" and word != argument.name:
        raise Invalid(f"{word!r} means nothing here", hint=f"write \\{verb.usage()}")
    return word if argument.type == "text" else True


def _body(console: Console, argument: Argument, text: str) -> dict[str, Any]:
    """Return *text*, a value in Lua or in JSON, as JSON."""
    if not text:
        return {}
    try:
        parsed(text)
    except ValueError:
        found = console.run(f'require("json").encode({text}\n)')
        if not found.is_well or not found.values or not isinstance(found.values[0], str):
            raise Invalid(f"{text[:60]!r} is neither JSON nor a Lua literal") from None
        text = found.values[0]
    return {argument.name: text}


def _letters(console: Console, queue: str, names: Sequence[str]) -> dict[str, Any]:
    """Return which dead letters are meant: some ids, or one kind of error."""
    if len(names) > 1 or _letter(console, queue, names[0]):
        return {"ids": list(names)}
    return {"error": names[0]}


def _letter(console: Console, queue: str, name: str) -> Any:
    """Return the dead letter with the id *name*; None when there is none."""
    try:
        verb = VERBS["dead_letter"]
        return console.request(verb.name, queue=queue, message=name, **_covered(console, verb))
    except NotFound:
        return None


def _covered(console: Console, verb: Verb) -> dict[str, Any]:
    """Let fields that the project hides be shown where the person wants it."""
    shows = console.settings["redact"] == "off" and any(
        one.name == "redact" for one in verb.arguments
    )
    return {"redact": False} if shows else {}


@command(
    "dead [QUEUE] [ID | FINGERPRINT]",
    lua=f"{VERBS['dead_letters'].lua_form()}, {VERBS['dead_letter'].lua_form()}",
    takes="queue",
)
def dead(console: Console, queue: str = "", which: str = "") -> None:
    """Show why messages died, by kind of error, or one of them; alone, which queues have any."""
    screen = console.face.screen()
    if not queue:
        console.face.show(views.dead_queues(console.request("dead_queues"), screen))
        return
    if which and (one := _letter(console, queue, which)):
        verb, answer, lines = VERBS["dead_letter"], one, views.letter(one, screen)
    else:
        chosen = {"error": which} if which else {}
        answer = console.request("dead_letters", queue=queue, **chosen)
        verb, lines = VERBS["dead_letters"], views.letters(answer, screen)
    if console.face.is_program:
        console.face.answer(verb.schema, answer)
    else:
        console.face.show(lines)


def _define(verb: Verb) -> Command:
    typed = [one for one in verb.arguments if one.typed]
    takes = typed[0].source if typed else ""
    action = partial(act, verb=verb)
    return Command(verb.usage(), verb.about, action, verb.lua_form(), takes, is_whole=True)


COMMANDS.update({verb.typed: _define(verb) for verb in VERBS.values() if verb.typed})
