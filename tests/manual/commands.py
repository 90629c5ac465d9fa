"""Command lines as a page shows them."""

from __future__ import annotations

import re
import shlex

import click
from tests.manual.page import Block

from moonq.cli import moonq
from moonq.cli.options import Options


def split(text: str) -> tuple[str, str]:
    """Split off the command, which goes on where a line ends with a backslash or within quotes."""
    lines = text.splitlines(keepends=True)
    for count in range(1, len(lines) + 1):
        typed = "".join(lines[:count])
        if not typed.endswith("\\\n") and _is_closed(typed):
            return typed.replace("\\\n", " ").strip(), "".join(lines[count:])
    raise AssertionError(f"a quote is not closed: {text}")


def _is_closed(typed: str) -> bool:
    try:
        shlex.split(typed)
    except ValueError:
        return False
    return True


def check(block: Block) -> None:
    """See that moonq has the commands and options that *block* shows, without running them."""
    for line in block.text.replace("\\\n", " ").splitlines():
        typed = re.match(r"(?:\$ )?moonq (.*)$", line.strip())
        if typed is None:
            continue
        try:
            _parse(shlex.split(re.split(r" (?:[|<>&]|&&) ?", typed[1])[0], comments=True))
        except click.exceptions.Exit:
            pass  # --help and --version end there
        except click.UsageError as problem:
            raise AssertionError(f"{block.place}: {line}: {problem.format_message()}") from None


def _parse(args: list[str]) -> None:
    command: click.Command | None = moonq
    context = click.Context(moonq, obj=Options())
    name = "moonq"
    while isinstance(command, click.Group) and args and not args[0].startswith("-"):
        name, args = args[0], args[1:]
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"no such command {name!r}")
        command = found
        context = click.Context(command, parent=context, obj=Options())
    assert command is not None
    if not isinstance(command, click.Group):
        command.make_context(name, args, parent=context.parent)
