"""Commands that run code to learn about it, and the editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moonq import views
from moonq.console import chunk
from moonq.console.commands.table import command
from moonq.console.commands.verbs import act
from moonq.errors import Invalid, MoonqError
from moonq.operations.verbs import VERBS

if TYPE_CHECKING:
    from moonq.console.core import Console


@command(
    "trace FUNCTION [BODY]",
    lua="mq.call(id, argument, { trace = true })",
    takes="function",
    is_whole=True,
)
def trace(console: Console, rest: str) -> None:
    """Run a function once, sending nothing, and show its lines: how long each took, what it set."""
    if not rest:
        raise Invalid("no function to trace", hint="write \\trace FUNCTION [BODY]")
    act(console, f"{rest} --trace", VERBS["call"])


@command("bench CODE", lua="mq.bench(fn, seconds)", is_whole=True)
def bench(console: Console, code: str) -> None:
    """Run Lua again and again for a second: how long, how often, its CPU and memory."""
    judged = chunk.judge(code)
    if not code or judged.finding:
        why = judged.finding.message if judged.finding else "nothing to run"
        raise Invalid(why, hint="write \\bench CODE")
    body = f"return {judged.text.strip().rstrip(';')}" if judged.is_expression else judged.text
    answer = console.run(f"mq.bench(function() {body}\nend)")
    if answer.is_well:
        console.face.show(views.bench(answer.values[0], console.face.screen()))
    else:
        console.tell(answer, judged)


@command("edit [ENTRY]", takes="entry")
def edit(console: Console, name: str = "") -> None:
    """Open $EDITOR on the last Lua, and run what is saved; or on an entry's file, and reload it."""
    console.face.check_screen("edit")
    if name:
        _edit_entry(console, name)
        return
    last = console.entered[-1] if console.entered else ""
    written = _edited(text=f"{last}\n")
    if written is None or not written.strip():
        console.face.notice("nothing was saved, so nothing is run")
    else:
        console.face.show(written.rstrip().splitlines())
        console.evaluate(written.rstrip())


def _edit_entry(console: Console, name: str) -> None:
    entry = console.request("entry", name=name)
    path = Path(console.request("status")["path"]) / (entry.get("source") or entry["file"])
    before = _bytes(path)
    _edited(filename=str(path))
    if _bytes(path) == before:
        console.face.notice(f"{path} is as it was")
    else:
        act(console, "", VERBS["reload"])


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise MoonqError(f"{path}: {problem.strerror}") from None


def _edited(**what: Any) -> str | None:
    try:
        found = click.edit(extension=".lua", **what)
    except click.ClickException as problem:
        hint = "set EDITOR to a command that waits until its window is closed"
        raise MoonqError(f"no editor: {problem.message}", hint=hint) from None
    return found if isinstance(found, str) else None
