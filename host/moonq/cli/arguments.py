"""What commands take as arguments; each function says what it wants when it gets something else.

They serve as `type=` of a click option or argument.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import click

from moonq import durations, log
from moonq.cli.options import is_text
from moonq.errors import Invalid
from moonq.text.json_in import parsed
from moonq.text.reading import text_of


class Call(NamedTuple):
    """A function to call and its argument, as JSON text; empty for none."""

    function: str
    argument: str


def json_text(value: str) -> str:
    """Return *value*, JSON or a Lua literal, as JSON; `-` stands for what stdin holds."""
    if value == "-":
        return as_json(text_of("-"))
    return body(value) if value else ""


def body(value: str) -> str:
    """Return *value*, JSON or a Lua literal, as JSON; `-` stays, for it may be no text.

    What is typed and is neither is wrong usage; a file's content is the host's to judge.
    """
    if value == "-" or not is_text(value):
        return value  # bytes of another locale are read again, or refused, once all is parsed
    try:
        text = as_json(value)
    except Invalid as problem:
        raise click.BadParameter(problem.message) from None
    try:
        parsed(text, parse_constant=_no_number)
    except ValueError:
        from moonq.sandbox.bodies import Bodies

        # Ours says less of it than the reader that every body must pass.
        fault = Bodies().fault(text.encode("utf-8", "surrogateescape"))
        if fault is not None:
            raise click.BadParameter(f"not JSON: {fault}") from None
    return text


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def as_json(text: str) -> str:
    """Return a Lua literal as JSON, and any other text as it is: the host judges it.

    Raises:
        Invalid: It begins like a literal, and is neither that nor JSON.
    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        parsed(text)
    except ValueError:
        from moonq.sandbox.literals import Literals

        return Literals().read(text)
    return text


def call(value: str) -> Call:
    """Return `FUNCTION` or `FUNCTION=JSON` taken apart."""
    function, equals, argument = value.partition("=")
    return Call(function, json_text(argument) if equals else "")


def level(value: str) -> tuple[str, str]:
    """Return `LEVEL` or `LOGGER=LEVEL` as logger and level; no logger means all of them."""
    logger, _, name = value.rpartition("=")
    try:
        log.parse_level(name)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return logger, name


def duration(value: str) -> float:
    """Return a length of time in seconds."""
    try:
        return durations.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def rate(value: str) -> float:
    """Return `100/s`, `100` or `600/m` as a number per second."""
    number, _, unit = value.partition("/")
    try:
        per_second = float(number) / {"": 1, "s": 1, "m": 60, "h": 3600}[unit]
    except (ValueError, KeyError):
        raise click.BadParameter(f"{value!r} is no rate; write 100/s or 600/m") from None
    if not 0 < per_second < float("inf"):
        raise click.BadParameter("a rate is more than nothing")
    return per_second


def host_name(value: str) -> str:
    """Return the name of a host, which becomes that of its socket."""
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,39}", value):
        raise click.BadParameter(
            "a name begins with a letter or digit and has letters, digits, _ and -, 40 at most"
        )
    if value.isdigit():
        raise click.BadParameter("a name has a letter, for --host takes a number for a pid")
    return value


def header(value: str) -> tuple[str, str]:
    """Return `NAME=VALUE` taken apart."""
    name, equals, text = value.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{value!r} is not NAME=VALUE")
    return name, text
