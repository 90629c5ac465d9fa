"""The options that every command takes, before its name or after it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click
from click.core import ParameterSource

from moonq.text.plain import has_color


@dataclass
class Options:
    """What the common options say, and the ways to talk that follow from them."""

    project: Path = Path()
    color: str = "auto"
    json: bool = False
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False

    def has_color(self, stream: TextIO) -> bool:
        """Say whether *stream* takes colours."""
        return has_color(stream) if self.color == "auto" else self.color == "always"

    def say(self, text: str, *, important: bool = False) -> None:
        """Tell the person something that is not the result."""
        if important or not self.quiet:
            # One write: workers log to the same stream at the same moment.
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def notice(self, text: str) -> None:
        """Say it, as the other faces of `moonq.control.asking` do."""
        self.say(text)

    def confirms(self, question: str) -> bool:
        """Ask *question*; without a terminal or with --no-input the answer is no."""
        return self.can_ask() and click.confirm(question, err=True)

    def asks(self, question: str) -> str:
        """Ask for a word; without a terminal or with --no-input it is empty."""
        if not self.can_ask():
            return ""
        return str(click.prompt(question, "", prompt_suffix=" ", show_default=False, err=True))

    def can_ask(self) -> bool:
        """Say whether there is a person to ask."""
        asks = not (self.no_input or self.json)
        return asks and sys.stdin.isatty() and sys.stderr.isatty()


pass_options = click.make_pass_decorator(Options, ensure=True)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Remember *value* where every command finds it; a default never undoes what was said."""
    if param.name and ctx.get_parameter_source(param.name) != ParameterSource.DEFAULT:
        setattr(ctx.ensure_object(Options), param.name, value)


KEPT: dict[str, Any] = {"callback": _keep, "expose_value": False}

COMMON = (
    click.option(
        "-C",
        "--project",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of the project (or one YAML file).",
        **KEPT,
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour: auto is a terminal without NO_COLOR.",
        **KEPT,
    ),
    click.option("--json", is_flag=True, help="Answer as JSON; errors too, on stderr.", **KEPT),
    click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.", **KEPT),
    click.option("-v", "--verbose", count=True, help="Say more; twice: everything.", **KEPT),
    click.option("--no-input", is_flag=True, help="Never ask.", **KEPT),
)


def _keep_project(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Options).project = value


#: PROJECT, for commands where naming it without -C is natural.
project_argument = click.argument(
    "place",
    metavar="[PROJECT]",
    required=False,
    type=click.Path(path_type=Path),
    callback=_keep_project,
    expose_value=False,
)


def command(
    cls: type[click.Command] = click.Command, **attributes: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command, with the common options as its first argument."""

    def make(action: Callable[..., Any]) -> click.Command:
        made = click.command(cls=cls, **attributes)(pass_options(action))
        for option in COMMON:
            option(made)
        return made

    return make
