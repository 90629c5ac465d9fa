"""`moonq explain`: one screen about one thing, or how moonq comes to an answer."""

from __future__ import annotations

import json
import sys

import click
from click.shell_completion import CompletionItem

from moonq.cli.forwarding import forward
from moonq.cli.groups import Group
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.operations.verbs import VERBS

# `--watch` may be what is to be explained.
_TAKES_OPTIONS = {"ignore_unknown_options": True}


@command(name="manual", context_settings=_TAKES_OPTIONS)
@click.argument("name", nargs=-1, required=True)
def look_up(options: Options, name: tuple[str, ...]) -> None:
    """Show what the manual says about NAME."""
    from moonq.manual import Manual
    from moonq.views import Screen
    from moonq.views import manual as views
    from moonq.views.pager import paged

    wanted = " ".join(name)
    found = Manual.of_package().about(wanted)
    if options.json:
        told = [{"title": one.title, "place": views.place(one), "text": one.text} for one in found]
        echo(json.dumps({"schema": "moonq.explanation/1", "name": wanted, "found": told}))
    else:
        screen = Screen.of(sys.stdout, options.color)
        paged(views.explained(found, screen), color=screen.color)


class Explaining(Group):
    """Looks up whatever is not the name of one of its commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* name, or the one that looks them up."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return look_up.name, look_up, args

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return its commands and all that the manual names."""
        from moonq.manual import Manual

        names = (one for one in Manual.of_package().names if one.startswith(incomplete))
        return [*super().shell_complete(ctx, incomplete), *map(CompletionItem, names)]


_VERBS = {verb.command: verb for verb in VERBS.values() if verb.command.startswith("explain ")}


@command(
    cls=Explaining,
    commands={name.removeprefix("explain "): forward(verb) for name, verb in _VERBS.items()},
    subcommand_metavar="NAME | COMMAND [ARGS]...",
    context_settings=_TAKES_OPTIONS,
)
def explain(_options: Options) -> None:
    """Explain one thing in one screen: NAME.

    NAME is an error code, a kind of entry, a field, a Lua module or function, a command, an option,
    a variable of the environment: whatever the manual names. `kind.field` is the field of one kind.

    \b
    Examples:
      moonq explain R202
      moonq explain queue.consumer
      moonq explain queue.consumer.prefetch
      moonq explain queue.publish
      moonq explain run --watch
      moonq explain access clerk queue.publish app:mail
    """
