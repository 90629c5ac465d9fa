"""The page about the command line: every command with its arguments and options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import NamedTuple

import click

from moonq.cli import moonq
from moonq.cli.options import COMMON
from moonq.operations.verbs import VERBS
from moonq.reference import exits
from moonq.reference.markdown import fence, item, items, page, section, sentence

_LEAD = "Every command of `moonq` with its arguments, options and examples."
_ABOUT = """\
Data goes to stdout, talk and logs to stderr. Every option can be set by a variable of the
environment, which stands behind it. [Every command](#options-of-every-command) takes the options
below, before its name or after it."""
_MORE = (
    item("--help", "`-h`", "Show what the command does, its options, and examples."),
    item("--version", "of `moonq` alone", "Say which moonq this is."),
)
_EXAMPLES = re.compile(r"\n*\x08\nExamples?:\n(?P<lines>(?:  .*\n?)+)")


class Found(NamedTuple):
    """A command, and how it is typed."""

    name: str
    command: click.Command
    context: click.Context


class Variable(NamedTuple):
    """A variable of the environment that sets an option."""

    name: str
    option: str
    command: str
    """How the command is typed; nothing: the option is of every command."""
    help: str


def text() -> str:
    """Return the page."""
    shared = items([*(_option(one, "") for one in _common()), *_MORE])
    return page(
        "Commands",
        _LEAD,
        _ABOUT,
        section("Options of every command", shared),
        exits.section_of_codes(),
        *map(_command, every()),
    )


def every() -> Iterator[Found]:
    """Yield every command, those within others behind them."""
    assert isinstance(moonq, click.Group)
    yield from _within(click.Context(moonq, info_name="moonq"), moonq, "moonq")


def variables() -> Iterator[Variable]:
    """Yield the variables that set options."""
    for one in _common():
        yield Variable(_variable(one, ""), one.opts[-1], "", sentence(one.help or ""))
    for found in every():
        for option in _own(found.command):
            told = sentence(option.help or "")
            yield Variable(_variable(option, found.name), option.opts[-1], found.name, told)


def _within(context: click.Context, group: click.Group, name: str) -> Iterator[Found]:
    for part in group.list_commands(context):
        command = group.get_command(context, part)
        assert command is not None
        typed = f"{name} {part}"
        inner = click.Context(command, parent=context, info_name=part)
        yield Found(typed, command, inner)
        if isinstance(command, click.Group):
            yield from _within(inner, command, typed)


def _command(found: Found) -> str:
    told = cleandoc(found.command.help or "")
    shown = _EXAMPLES.search(told)
    words = told[: shown.start()] if shown else told
    examples = [line.strip() for line in shown["lines"].splitlines()] if shown else []
    # Click folds it to the width of a terminal.
    usage = " ".join(found.command.get_usage(found.context).removeprefix("Usage: ").split())
    return section(
        found.name,
        words.strip(),
        fence("text", usage),
        items([*_arguments(found.name), *_options(found)]),
        fence("sh", "\n".join(examples)) if examples else "",
    )


def _arguments(name: str) -> Iterator[str]:
    """Yield what stands behind the command of a verb."""
    verb = next((one for one in VERBS.values() if f"moonq {one.command}" == name), None)
    for one in verb.arguments if verb else ():
        if one.cli and "-" not in one.cli.split(" ")[0]:
            name, may_omit = one.cli.strip("[].…"), one.cli.startswith("[")
            yield item(name.rstrip("]"), "optional" if may_omit else "", sentence(one.about))


def _options(found: Found) -> Iterator[str]:
    return (_option(one, found.name) for one in _own(found.command))


def _own(command: click.Command) -> list[click.Option]:
    """Return the options of a command that are not of every command."""
    shared = {name for one in _common() for name in one.opts}
    mine = [one for one in command.params if isinstance(one, click.Option)]
    return [one for one in mine if not shared & set(one.opts) and not one.hidden]


def _common() -> list[click.Option]:
    def nothing() -> None: ...

    for decorate in reversed(COMMON):
        nothing = decorate(nothing)
    return list(reversed(nothing.__click_params__))  # type: ignore[attr-defined]


def _option(option: click.Option, command: str) -> str:
    name, *others = sorted(option.opts, key=len, reverse=True)
    facts = [*(f"`{one}`" for one in others), _value(option), _default(option)]
    told = ", ".join(filter(None, [*facts, f"`{_variable(option, command)}`"]))
    return item(name, told, sentence(option.help or ""))


def _value(option: click.Option) -> str:
    """Return what stands behind the option."""
    if option.is_flag or option.count:
        return ""
    if option.metavar is None and isinstance(option.type, click.Choice):
        choices = [f"`{one}`" for one in option.type.choices]
        return f"{', '.join(choices[:-1])} or {choices[-1]}"
    if option.metavar is None and isinstance(option.type, click.IntRange):
        least, most = option.type.min, option.type.max
        return f"integer, {least} to {most}" if most is not None else f"integer, at least {least}"
    return option.metavar or option.type.name


def _default(option: click.Option) -> str:
    if option.is_flag or option.count or option.multiple:
        return ""
    plain = isinstance(option.default, str | int | float) and option.default != ""
    return f"default {option.default}" if plain else ""


def _variable(option: click.Option, command: str) -> str:
    """Return the variable that sets *option*, as click does."""
    if isinstance(option.envvar, str):
        return option.envvar
    place = [*(command.split() or ["moonq"]), option.name or ""]
    return "_".join(place).upper().replace("-", "_")
