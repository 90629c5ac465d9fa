"""Commands about the console itself: its settings, files, history, and the way out."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from moonq.console import chunk
from moonq.console.commands.table import command, words
from moonq.console.face import Leave
from moonq.console.settings import SETTINGS
from moonq.errors import Invalid, MoonqError

if TYPE_CHECKING:
    from moonq.console.core import Console


@command("set", "set [NAME VALUE]", "shows the settings, or changes one", takes="setting")
def set_(console: Console, rest: str) -> None:
    """Show or change settings."""
    found = words(rest, "set [NAME VALUE]", most=2)
    if len(found) == 1:
        raise Invalid("a setting needs a value", hint="write \\set NAME VALUE")
    if found == ["redact", "off"] and not console.face.confirms("show fields that are covered?"):
        return
    if found:
        console.settings.set(*found)
        return
    lines = []
    for one in SETTINGS.values():
        value, choices = console.settings[one.name], " ".join(one.choices)
        lines.append(f"  {one.name:8} {value:6}  {one.about} ({choices})")
    console.face.show(lines)


@command("x", "x", "goes on to the next output format")
def next_output(console: Console, rest: str) -> None:
    """Switch the output format."""
    words(rest, "x", most=0)
    console.face.notice(f"values are printed as {console.settings.next_output()}")


@command("time", "time EXPR", "runs Lua and says how long it took")
def time_(console: Console, rest: str) -> None:
    """Time a statement."""
    if not rest:
        raise Invalid("nothing to run", hint="write \\time EXPR")
    answer = console.evaluate(rest)
    console.face.notice(f"took {answer.took * 1000:.1f} ms")


@command("history", "history [RE]", "shows what was typed")
def history(console: Console, rest: str) -> None:
    """Show the history, or what of it fits."""
    try:
        wanted = re.compile(rest)
    except re.error as problem:
        raise Invalid(f"{rest!r} is no regular expression: {problem}") from None
    console.face.show([text for text in console.face.typed() if wanted.search(text)])


@command("save", "save FILE", "writes what went well as a Lua file, or as a test", takes="file")
def save(console: Console, rest: str) -> None:
    """Write the session's Lua to a file."""
    path = console.folder / words(rest, "save FILE", 1)[0]
    if path.exists() and not console.face.confirms(f"overwrite {path}?"):
        return
    text = "\n".join(console.entered)
    if path.name.endswith("_test.lua"):
        text = _as_test(path.name.removesuffix("_test.lua"), console.entered)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        raise MoonqError(f"{path}: {problem.strerror}") from None
    console.face.notice(f"wrote {path}")


def _as_test(name: str, entered: list[str]) -> str:
    lines = ['local test = require("test")', "", f'test.describe("{name}", function()']
    lines.append('  test.it("does what was typed", function()')
    lines.append("    local _")
    for text in entered:
        judged = chunk.judge(text)
        body = f"_ = {text.strip()}" if judged.is_expression else text
        lines += [f"    {line}" for line in body.split("\n")]
    return "\n".join([*lines, "  end)", "end)"])


@command("load", "load FILE", "runs a Lua file in this session", takes="file")
def load(console: Console, rest: str) -> None:
    """Run a file as one piece."""
    path = console.folder / words(rest, "load FILE", 1)[0]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise MoonqError(f"{path}: {problem}") from None
    console.evaluate(text)


@command("pipe", "pipe COMMAND", "gives the last value as JSON to a shell command")
def pipe(console: Console, rest: str) -> None:
    """Pipe the last value through a local command."""
    if not rest or console.last is None or not console.last.values:
        raise Invalid("there is no value to pipe", hint="write \\pipe jq .ready after a value")
    text = json.dumps(console.last.values[0], ensure_ascii=False)
    done = subprocess.run(  # noqa: S602 - a shell is what was asked for
        rest, shell=True, input=text, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    console.face.show([*lines, *done.stderr.splitlines()])
    if done.returncode:
        console.face.notice(f"it ended with {done.returncode}")


@command("top", "top", "shows the dashboard; q returns")
def top(console: Console, rest: str) -> None:
    """Show the full-screen dashboard."""
    words(rest, "top", most=0)
    console.face.top(console.attached.connect)


@command("quit", "quit", "leaves; a host that was attached to stays up")
def quit_(console: Console, rest: str) -> None:
    """Leave the console."""
    words(rest, "quit", most=0)
    raise Leave


@command("detach", "detach", "the same as \\quit")
def detach(console: Console, rest: str) -> None:
    """Leave the console."""
    quit_(console, rest)


@command("write", "write", "asks for the right to change things; the host logs it")
def write(console: Console, rest: str) -> None:
    """Leave read-only mode."""
    words(rest, "write", most=0)
    host = console.attached
    if not host.client.read_only:
        console.face.notice("this session may change things already")
    elif console.face.confirms(f"change things on {host.where}? The host logs it."):
        host.client.write()
        console.face.notice("this session may change things now")


@command("readonly", "readonly", "gives the right to change things back")
def readonly(console: Console, rest: str) -> None:
    """Enter read-only mode."""
    words(rest, "readonly", most=0)
    console.client.give_up_write()
    console.face.notice("this session may only look")
