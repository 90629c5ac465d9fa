"""Commands about the console itself: its settings, files, history, and the way out."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from moonq.console import saving, settings
from moonq.console.commands.table import command
from moonq.console.face import Leave
from moonq.console.settings import SETTINGS
from moonq.errors import Invalid, MoonqError
from moonq.text import theme
from moonq.text.reading import text_of
from moonq.text.wording import lasted
from moonq.views.tables import Column, table

if TYPE_CHECKING:
    from moonq.console.core import Console


@command("set [NAME VALUE]", takes="setting")
def set_(console: Console, name: str = "", value: str = "") -> None:
    """Show the settings, or change one."""
    if not name:
        columns = [
            Column("", lambda one: one.name),
            Column("", lambda one: console.settings[one.name]),
            Column("", lambda one: f"{one.about} ({' '.join(one.values())})", wraps=True),
        ]
        screen, every = console.face.screen(), SETTINGS.values()
        console.face.show(table(columns, every, screen, indent="  ", has_head=False))
    elif not value:
        raise Invalid("a setting needs a value", hint="write \\set NAME VALUE")
    else:
        chosen = settings.chosen(name, value)
        if (name, chosen) != ("redact", "off") or console.face.confirms(
            "show fields that are covered?"
        ):
            console.settings[name] = chosen
            if name == "theme":
                theme.choose(chosen)


@command("x")
def next_output(console: Console) -> None:
    """Go on to the next output format."""
    choices = SETTINGS["output"].choices
    after = choices.index(console.settings["output"]) + 1
    console.settings["output"] = choices[after % len(choices)]
    console.face.notice(f"values are printed as {console.settings['output']}")


@command("more")
def more(console: Console) -> None:
    """Show more of what was too long for the screen."""
    console.face.more()


@command("time EXPR", is_whole=True)
def time_(console: Console, code: str) -> None:
    """Run Lua and say how long it took."""
    if not code:
        raise Invalid("nothing to run", hint="write \\time EXPR")
    answer = console.evaluate(code)
    console.face.notice(f"took {lasted(answer.took)}")


@command("history [RE]", is_whole=True)
def history(console: Console, pattern: str) -> None:
    """Show what was typed, or what of it fits."""
    try:
        wanted = re.compile(pattern)
    except re.error as problem:
        raise Invalid(f"{pattern!r} is no regular expression: {problem}") from None
    console.face.show([text for text in console.face.typed() if wanted.search(text)])


@command("save FILE", takes="file")
def save(console: Console, name: str) -> None:
    """Write what went well as a Lua file, or as a test."""
    path = console.folder / name
    if path.exists() and not console.face.confirms(f"overwrite {path}?"):
        return
    if path.name.endswith("_test.lua"):
        text = saving.as_test(path.name.removesuffix("_test.lua"), console.entered)
    else:
        text = saving.as_lua(console.entered)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise MoonqError(f"{path}: {problem.strerror}") from None
    console.face.notice(f"wrote {path}")


@command("load FILE", takes="file")
def load(console: Console, name: str) -> None:
    """Run a Lua file in this session."""
    from moonq.console import scripts

    scripts.run(console, name, text_of(str(console.folder / name)))


@command("pipe COMMAND", is_whole=True)
def pipe(console: Console, line: str) -> None:
    """Give the last value as JSON to a shell command."""
    if not line or console.last is None or not console.last.values:
        raise Invalid("there is no value to pipe", hint="write \\pipe jq .ready after a value")
    if 0 in console.last.unfit:
        raise Invalid(console.last.unfit[0])
    text = json.dumps(console.last.values[0], ensure_ascii=False)
    done = subprocess.run(  # noqa: S602 - a shell is what was asked for
        line, shell=True, input=text, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    console.face.show([*lines, *done.stderr.splitlines()])
    if done.returncode:
        console.face.notice(f"it ended with {done.returncode}")


@command("top")
def top(console: Console) -> None:
    """Show the dashboard; q returns."""
    console.face.top(console.attached.again)


@command("quit")
def quit_(console: Console) -> None:
    """Leave; a host that was attached to stays up."""
    raise Leave


@command("detach")
def detach(console: Console) -> None:
    """Leave, as \\quit does."""
    raise Leave


@command("write")
def write(console: Console) -> None:
    """Ask for the right to change things; the host logs it."""
    host = console.attached
    if not host.client.read_only:
        console.face.notice("this session may change things already")
    elif console.face.confirms(f"change things on {host.where}? The host logs it."):
        host.client.write()
        console.face.notice("this session may change things now")


@command("readonly")
def readonly(console: Console) -> None:
    """Give the right to change things back."""
    console.client.give_up_write()
    console.face.notice("this session may only look")
