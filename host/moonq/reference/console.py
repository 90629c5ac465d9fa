"""The page about the console: its commands, settings and keys."""

from __future__ import annotations

from collections.abc import Iterator

from moonq.console.commands import COMMANDS
from moonq.console.commands.table import SHORT, Command
from moonq.console.face import Leave
from moonq.console.keys import Refusal, bindings
from moonq.console.settings import SETTINGS
from moonq.reference.markdown import fence, item, items, page, section, sentence

_LEAD = "What can be typed in the console beside Lua: its commands, settings and keys."
_ABOUT = """\
`moonq repl`, and `moonq dev`, read Lua: an expression shows its value, `_` is the last one. A
line that begins with a backslash is a command. `\\?` lists them, `\\NAME?` shows the Lua behind
one, `?name` the help of a function, a module, a kind of entry or an error code. What Lua can do
to the host is on [the page about mq](mq.md)."""
_KEYS = {"c-": "Ctrl-", "escape": "Escape", "enter": "Enter", "tab": "Tab", " ": "Space"}
#: What the keys do that are not the console's own, as readline has it.
_READLINE = {
    "Tab": "Complete names, members, ids of entries, options; again: the next one.",
    "Up, Down": "Go through what was typed before, or through the lines of what is being typed.",
    "Ctrl-R": "Search what was typed before.",
    "Ctrl-A, Ctrl-E": "Go to the beginning, to the end of the line.",
    "Ctrl-W, Ctrl-K": "Delete the word before the caret, the rest of the line.",
    "Ctrl-L": "Clear the screen.",
    "Ctrl-D": "Leave, where nothing is typed.",
}


def text() -> str:
    """Return the page."""
    settings = (
        item(one.name, " ".join(f"`{choice}`" for choice in one.values()), sentence(one.about))
        for one in SETTINGS.values()
    )
    return page(
        "The console",
        _LEAD,
        _ABOUT,
        *map(_command, COMMANDS.values()),
        section(
            "Settings of the console",
            "`\\set NAME VALUE`; the first is the default.",
            items(settings),
        ),
        section("Keys of the console", items(item(key, "", about) for key, about in keys())),
    )


def _command(command: Command) -> str:
    others = [f"`\\{short}`" for short, name in SHORT.items() if name == command.name]
    also = f"Also {', '.join(others)}." if others else ""
    return section(
        f"`\\{command.name}`",
        " ".join(filter(None, (sentence(command.about), also))),
        fence("text", f"\\{command.usage}"),
        f"In Lua: `{command.lua}`" if command.lua else "",
    )


def keys() -> Iterator[tuple[str, str]]:
    """Yield each key and what it does: the console's own first."""
    own: dict[str, list[str]] = {}
    for one in bindings(Refusal(), lambda: None, Leave()).bindings:
        names = [_name(str(getattr(key, "value", key))) for key in one.keys]
        pressed = " ".join(names).replace("Escape ", "Alt-")
        own.setdefault(one.handler.__doc__ or "", []).append(pressed)
    yield from ((", ".join(dict.fromkeys(pressed)), about) for about, pressed in own.items())
    yield from _READLINE.items()


def _name(key: str) -> str:
    key = {"c-m": "enter", "c-i": "tab"}.get(key, key)
    for written, shown in _KEYS.items():
        if key == written:
            return shown
        if key.startswith(written) and written.endswith("-"):
            return f"{shown}{key.removeprefix(written).upper()}"
    return key
