"""Makes commands of verbs.

forward(VERBS["pause"])             # the whole command: it asks the host and shows the answer

@command_of(VERBS["call"])          # its arguments and its help; the rest is the function's
def call(options: Options, **given: Any) -> int: ...
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached, host_option
from moonq.cli.completing import completer
from moonq.cli.everywhere import all_option, at_each, places
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.errors import ConfirmationNeeded
from moonq.operations.verb import Argument, Confirm, Needs, Verb, Where

Action = Callable[..., int]


def forward(verb: Verb) -> click.Command:
    """Return the command that asks the host what *verb* says, and shows the answer."""

    def run(options: Options, yes: bool = False, everywhere: bool = False, **given: Any) -> int:
        fields = fields_of(verb, given)
        if everywhere:
            _at_each(options, verb, fields, yes=yes)
            return 0
        found, beside = ask(options, verb, fields, yes=yes)
        tell(options, verb, found, **verb.view_options(given), **beside)
        return 1 if found.get("refused") else 0

    return command_of(verb)(run)


def command_of(verb: Verb, *more: click.Parameter) -> Callable[[Action], click.Command]:
    """Make a function the command of *verb*, with *more* parameters than the row has."""
    name = verb.command.rpartition(" ")[2]

    def make(action: Action) -> click.Command:
        parameters = [*(_parameter(verb, one) for one in verb.arguments if one.cli), *more]
        if verb.where is not Where.ANY:
            parameters.append(all_option(verb))
        if verb.changes:
            parameters.append(_yes(verb))
        return command(name=name, params=parameters, help=_help(verb))(host_option(action))

    return make


def ask(
    options: Options, verb: Verb, fields: Mapping[str, Any], *, yes: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the host's answer, once it is confirmed, and what else the view needs.

    Raises:
        ConfirmationNeeded: The person said no, or could not be asked.
    """
    from moonq.control.asking import beside, perform

    live, loud = verb.needs is Needs.LIVE, verb.needs is Needs.ANY
    place = places(options, everywhere=False)[0] if verb.where is Where.ONE else None
    changes = _changes(verb, fields)
    with attached(options, live=live, changes=changes, yes=yes, loud=loud, place=place) as host:
        # In production the right to change things was asked for in the same words.
        sure = yes or verb.confirm is Confirm.PRODUCTION
        found = perform(host, verb, fields, options, sure=sure)
        if found is None:
            raise ConfirmationNeeded("nothing was done", hint="add --yes if you mean it")
        return found, {} if options.json else beside(host, verb, fields)


def _at_each(options: Options, verb: Verb, fields: Mapping[str, Any], *, yes: bool) -> None:
    changes = _changes(verb, fields)
    at_each(options, verb, lambda host: host.request(verb.name, **fields), changes=changes, yes=yes)


def _changes(verb: Verb, fields: Mapping[str, Any]) -> str:
    return verb.deed(fields) if verb.changes and verb.needs_write(fields) else ""


def tell(options: Options, verb: Verb, found: Mapping[str, Any], /, **told: Any) -> None:
    """Print an answer: as its document, or as its view with what that is *told*."""
    if options.json:
        echo(json.dumps({"schema": verb.schema, **found}, ensure_ascii=False))
        return
    from moonq import views

    view = getattr(views, verb.view)
    views.show(view(found, views.Screen.of(sys.stdout, options.color), **told))
    for note, important in views.notes(found) if verb.view in views.NOTED else ():
        options.say(note, important=important)


def fields_of(verb: Verb, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request; what was not said is left to the host."""
    found = {one.name: _field(one, given.get(one.name)) for one in verb.fields() if one.cli}
    return {name: value for name, value in found.items() if value is not None}


def _field(argument: Argument, value: Any) -> Any:
    if argument.type == "pairs":
        return dict(value) if value else None
    if argument.type == "texts":
        return list(value) if value else None
    if argument.type == "flag" and argument.default is True:
        return not value
    return value


def _parameter(verb: Verb, argument: Argument) -> click.Parameter:
    spelt = argument.cli.split()
    flags = [one for one in spelt if one.startswith("-")]
    metavar = next((one for one in spelt if not one.startswith("-")), None)
    complete = completer(argument.source) if argument.source else None
    if not flags:
        many = argument.type == "texts"
        return click.Argument(
            [argument.name],
            metavar=metavar,
            type=_type(argument),
            nargs=-1 if many else 1,
            required=not (many or str(metavar).startswith("[")),
            shell_complete=complete,
        )
    place = [*verb.command.split(), flags[-1].strip("-")]
    return click.Option(
        [*flags, argument.name],
        metavar=metavar,
        type=_type(argument),
        is_flag=argument.type == "flag",
        multiple=argument.type in ("pairs", "texts"),
        default=False if argument.type == "flag" else argument.default,
        envvar="_".join(["MOONQ", *place]).upper().replace("-", "_"),
        help=f"{argument.about[0].upper()}{argument.about[1:]}.",
        shell_complete=complete,
    )


def _type(argument: Argument) -> Any:
    if argument.choices:
        return click.Choice(argument.choices)
    types: dict[str, Any] = {
        "integer": click.IntRange(argument.least, argument.most),
        "duration": arguments.duration,
        "json": arguments.json_text,
        "pairs": arguments.header,
        "flag": bool,
    }
    return types.get(argument.type, str)


def _yes(verb: Verb) -> click.Option:
    asks = verb.confirm in (Confirm.YES, Confirm.NAME)
    text = "Do not ask." if asks else "Do it in production as well."
    return click.Option(["--yes"], is_flag=True, help=text)


def _help(verb: Verb) -> str:
    parts = [verb.sentence(), verb.more] if verb.more else [verb.sentence()]
    lines = "\n".join(f"  {one}" for one in verb.examples)
    return "\n\n".join([*parts, f"\b\nExamples:\n{lines}"])
