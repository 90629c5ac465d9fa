"""The options that every command takes, before its name or after it."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from moonq.text import theme
from moonq.text.folding import fold_text
from moonq.text.plain import has_color, width_of

if TYPE_CHECKING:
    from moonq.registry.overrides import Said


@dataclass
class Options:
    """What the common options say, and the ways to talk that follow from them."""

    project: Path = Path()
    profile: str = ""
    color: str = "auto"
    json: bool = False
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False
    host: str = ""
    """Which of the project's hosts is meant; "" is the only one, or any."""
    settings: list[tuple[str, str]] = field(default_factory=list)
    """What `--set` says, each behind the name of the option or variable that says it."""
    overrides: list[tuple[str, str]] = field(default_factory=list)
    """What `--override` says, likewise."""
    given: set[str] = field(default_factory=set)
    """Which of these were said, be it with their defaults."""

    @property
    def said(self) -> Said:
        """What is said instead of the files."""
        from moonq.registry.overrides import Flag, Said

        return Said(
            tuple(Flag(*one) for one in self.settings),
            tuple(Flag(*one, is_field=True) for one in self.overrides),
        )

    def has_color(self, stream: TextIO) -> bool:
        """Say whether *stream* takes colours."""
        return has_color(stream) if self.color == "auto" else self.color == "always"

    def say(self, text: str, *, important: bool = False) -> None:
        """Tell the person something that is not the result."""
        if important or not self.quiet:
            lines = fold_text(text, width_of(sys.stderr))
            # One write: workers log to the same stream at the same moment.
            sys.stderr.write("".join(f"{line}\n" for line in lines))
            sys.stderr.flush()

    def warn(self, text: str) -> None:
        """Say what matters, even where little is said."""
        self.say(text, important=True)

    def notice(self, text: str) -> None:
        """Say it, as the other faces of `moonq.control.asking` do."""
        self.say(text)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Say how far something is, on a terminal."""
        from moonq.cli.drawing import Progress

        with Progress(self) as progress:
            yield progress.show

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


_SURROGATE = re.compile("[\ud800-\udfff]")

pass_options = click.make_pass_decorator(Options, ensure=True)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Remember *value* where every command finds it; a default never undoes what was said."""
    if param.name and ctx.get_parameter_source(param.name) != ParameterSource.DEFAULT:
        options = ctx.ensure_object(Options)
        setattr(options, param.name, value)
        options.given.add(param.name)


def _gather(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    """Add to what was said so far: before the command, and in the environment."""
    option = param.opts[-1]
    variable = f"{ctx.auto_envvar_prefix}_{param.name}".upper()
    found = [(option, text) for text in value]
    try:
        found += [(variable, text) for text in shlex.split(os.environ.get(variable, ""))]
    except ValueError as problem:
        raise click.BadParameter(f"{variable}: {problem}") from None
    is_field = param.name == "override"
    form = (
        "ENTRY:FIELD=VALUE, such as app:orders:retry.max_attempts=3"
        if is_field
        else ("PATH=VALUE, such as log.level=debug")
    )
    for option, text in found:
        target, _, path = text.partition("=")[0].rpartition(":")
        if "=" not in text or not path or (is_field and not target) or "\n" in text:
            where = "" if option in param.opts else f"{option}: "
            raise click.BadParameter(f"{where}{text!r} is not {form}")
    options = ctx.ensure_object(Options)
    said = options.overrides if is_field else options.settings
    said.extend(found)
    # The later counts, and an option more than any variable.
    said.sort(key=lambda one: one[0].startswith("-"))


def _choose_theme(ctx: click.Context, param: click.Parameter, value: str) -> None:
    if ctx.get_parameter_source(str(param.name)) != ParameterSource.DEFAULT:
        theme.choose(value)


def project_of(ctx: click.Context) -> Path:
    """Return the project of a command line that is still being typed."""
    context: click.Context | None = ctx
    while context is not None:
        place = context.params.get("project") or context.params.get("place")
        if place is not None:
            return Path(place)
        context = context.parent
    return ctx.ensure_object(Options).project


def _profiles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from moonq.registry.profiles import names_at

    names = names_at(project_of(ctx))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


#: What a shell is offered behind an option; `completing`, which needs the options, fills it in.
OFFERS: dict[str, Callable[[click.Context, str], list[CompletionItem]]] = {}


def _offered(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return OFFERS[str(param.name)](ctx, incomplete)


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
        "--profile",
        metavar="NAME",
        help="Profile of moonq.yaml to lay over the project.",
        shell_complete=_profiles,
        **KEPT,
    ),
    click.option(
        "--set",
        multiple=True,
        allow_from_autoenv=False,
        metavar="PATH=VALUE",
        help="A setting instead of moonq.yaml's: log.level=debug; repeatable, or in MOONQ_SET.",
        shell_complete=_offered,
        callback=_gather,
        expose_value=False,
    ),
    click.option(
        "-o",
        "--override",
        multiple=True,
        allow_from_autoenv=False,
        metavar="ENTRY:FIELD=VALUE",
        help="A field instead of the entry's: app:orders:retry.max_attempts=3; repeatable, or in "
        "MOONQ_OVERRIDE.",
        shell_complete=_offered,
        callback=_gather,
        expose_value=False,
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour: auto is a terminal without NO_COLOR.",
        **KEPT,
    ),
    click.option(
        "--theme",
        type=click.Choice(list(theme.THEMES)),
        default="auto",
        help="Colours for a dark or a light background; auto suits both.",
        callback=_choose_theme,
        expose_value=False,
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


def _text_only(action: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what is no text where it is not the name of a file, for only those may be bytes."""

    @functools.wraps(action)
    def run(*args: Any, **given: Any) -> Any:
        ctx = click.get_current_context()
        for one in ctx.command.params:
            name = one.name or ""
            if isinstance(one.type, click.Path) or is_text(ctx.params.get(name)):
                continue
            try:
                given[name] = _reread(ctx.params[name])
            except UnicodeError:
                raise click.BadParameter("it is not UTF-8", ctx, one) from None
        return action(*args, **given)

    return run


def is_text(value: Any) -> bool:
    """Whether *value*, an argument, was text; Python makes surrogates of what it cannot read."""
    if isinstance(value, tuple | list):
        return all(map(is_text, value))
    return not isinstance(value, str) or not _SURROGATE.search(value)


def _reread(value: Any) -> Any:
    """Return *value* read as UTF-8, where the locale says that the terminal has less than that.

    Raises:
        UnicodeError: It is not UTF-8.
    """
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode()
    if isinstance(value, tuple):
        parts = map(_reread, value)
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value


def command(
    cls: type[click.Command] = click.Command, **attributes: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command, with the common options as its first argument."""

    def make(action: Callable[..., Any]) -> click.Command:
        made = click.command(cls=cls, **attributes)(pass_options(_text_only(action)))
        for option in COMMON:
            option(made)
        return made

    return make
