"""Which host a command is for that is about hosts themselves: the one that is meant, or all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from moonq.cli.attached import attached
from moonq.cli.options import Options
from moonq.cli.streams import echo
from moonq.errors import ConfirmationNeeded, MoonqError, NoHost
from moonq.operations.verb import Verb

if TYPE_CHECKING:
    from moonq.control.locating import Place
    from moonq.control.reaching import Reached

#: Does something at one host, and returns its answer.
Act = Callable[["Reached"], Mapping[str, Any]]


def all_option(
    verb: Verb, text: str = "At every host of the project that runs here."
) -> click.Option:
    """Return `--all`."""
    variable = f"MOONQ_{verb.command.upper()}_ALL"
    return click.Option(["--all", "everywhere"], is_flag=True, help=text, envvar=variable)


def places(options: Options, *, everywhere: bool) -> list[Place]:
    """Return where the host is that is meant, or where all are.

    Raises:
        UsageError: One is named, and all are meant.
        NoHost: None runs.
        SeveralHosts: More than one runs, and none is named.
    """
    from moonq.control import hosts

    if not everywhere:
        return [hosts.only(options.project, options.host)]
    if options.host:
        raise click.UsageError("--all and --host both say which host is meant: keep one")
    found = hosts.running(options.project)
    if not found:
        raise NoHost(
            f"no moonq host is running for {options.project.resolve().name}",
            hint="start one with `moonq run`",
        )
    return found


def at_each(
    options: Options,
    verb: Verb,
    act: Act,
    *,
    changes: str,
    yes: bool,
    then: Callable[[Place], None] = lambda _: None,
) -> None:
    """Do it at every host, and show what each says; *then* is for each once all were asked.

    One that fails keeps no other from it; what the first one met is raised in the end.
    """
    rows: dict[Place, dict[str, Any]] = {}
    problems: list[MoonqError] = []

    def guarded(place: Place, step: Callable[[], None]) -> None:
        try:
            step()
        except ConfirmationNeeded:
            raise
        except MoonqError as problem:
            rows[place]["problem"] = problem.in_one_line()
            problems.append(problem)

    def ask(place: Place) -> None:
        nonlocal yes
        with attached(options, live=True, changes=changes, yes=yes, place=place) as host:
            yes = True  # it is for all of them
            rows[place]["pid"] = host.client.hello["pid"]
            rows[place] |= act(host)

    for place in places(options, everywhere=True):
        rows[place] = {"name": place.name}
        guarded(place, partial(ask, place))
    for place, row in rows.items():
        if "problem" not in row:
            guarded(place, partial(then, place))
    tell_each(options, verb, list(rows.values()))
    if problems:
        raise problems[0]


def tell_each(options: Options, verb: Verb, rows: list[dict[str, Any]]) -> None:
    """Print what each host has answered."""
    from moonq import views

    if options.json:
        echo(json.dumps({"schema": verb.schema, "hosts": rows}, ensure_ascii=False))
        return
    view, screen = getattr(views, verb.view), views.Screen.of(sys.stdout, options.color)
    views.show(views.by_host(rows, screen, view))
