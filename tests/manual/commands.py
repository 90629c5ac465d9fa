"""Command lines as a page shows them."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile

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
    rest = block.text
    while begun := re.search(r"^ *(?:\$ )?moonq (?=.)", rest, re.MULTILINE):
        typed, rest = split(rest[begun.end() :])
        try:
            _parse([*takewhile(_is_word, shlex.split(typed, comments=True))])
        except click.exceptions.Exit:
            pass  # --help and --version end there
        except click.UsageError as problem:
            told = problem.format_message()
            raise AssertionError(f"{block.place}: moonq {typed}: {told}") from None


def _is_word(word: str) -> bool:
    """Say whether *word* is for the command, and not for the shell."""
    return word not in ("|", "<", ">", ">>", "&", "&&", ";")


def _parse(args: list[str]) -> None:
    command: click.Command | None = moonq
    context = click.Context(moonq, obj=Options())
    name = "moonq"
    while isinstance(command, click.Group) and args and not args[0].startswith("-"):
        found = command.get_command(context, args[0])
        if found is None and command is not moonq:
            return  # `moonq explain R202`: a group that takes words, too
        if found is None:
            raise click.UsageError(f"no such command {args[0]!r}")
        name, args, command = args[0], args[1:], found
        context = click.Context(command, parent=context, obj=Options())
    assert command is not None
    if not isinstance(command, click.Group):
        command.make_context(name, args, parent=context.parent)
