"""What people type.

`COMMANDS` is the map. Most commands are verbs: a row of `operations/verbs.py` makes them, and only
those that do more than ask and show have a file in `commands`, named after them. Data goes to
stdout, talk to stderr; no command catches `MoonqError`: `failures` turns it into its line and its
exit code.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from moonq import __version__
from moonq.cli.groups import Group
from moonq.cli.options import Options, command
from moonq.operations.verbs import VERBS

#: Commands that are no verbs, with what they do.
_OTHERS = {
    "check": "say all that is wrong with a project",
    "completion": "complete commands and live ids in bash, zsh or fish",
    "dead": "see why messages died, and give them another life or drop them",
    "dev": "run a project, reload what you save, and talk to it in the same terminal",
    "doctor": "say what the project stands on, or hold a driver against the contract",
    "eval": "evaluate Lua on the running host, or on a private one",
    "explain": "explain a code, a kind, a field, a function or a command; or who may do what",
    "guide": "read the manual",
    "init": "make a folder with other things in it a project",
    "new": "make a project",
    "repl": "talk to the running host in Lua, or to a private one",
    "run": "run a project's queues",
    "tail": "show publishes, deliveries, verdicts and log lines as they go by",
    "test": "run tests written in Lua, in virtual time",
    "top": "see what a running host does, second by second",
    "types": "write what editors read of a project",
    "version": "say which moonq this is",
}
#: Commands with a file. That of a verb does more than ask the host and show the answer.
_FILES = {path.stem for path in Path(__file__).with_name("commands").glob("[a-z]*.py")}
_VERBS = {verb.command: verb for verb in VERBS.values() if verb.command}

#: Every command with one sentence about it, as the README has it.
COMMANDS = dict(
    sorted(
        {
            **_OTHERS,
            **{name: verb.about for name, verb in _VERBS.items() if " " not in name},
        }.items()
    )
)

ALIASES = {"console": "repl"}


class Commands(Group):
    """Loads the file of a command when that command is asked for."""

    aliases = ALIASES

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command with its sentence; none is loaded for that."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _sentence(about)) for name, about in COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called *cmd_name*."""
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in _VERBS and cmd_name not in _FILES:
            from moonq.cli.forwarding import forward

            return forward(_VERBS[cmd_name])
        if cmd_name == "dead":
            return _dead()
        command: click.Command = getattr(import_module(f"moonq.cli.commands.{cmd_name}"), cmd_name)
        return command


def _sentence(about: str) -> str:
    return f"{about[:1].upper()}{about[1:]}."


def _dead() -> click.Command:
    """Gather the verbs about dead letters; alone it answers, too."""
    from moonq.cli.forwarding import forward

    verbs = {
        name.removeprefix("dead "): verb
        for name, verb in _VERBS.items()
        if name.startswith("dead ")
    }
    examples = ["moonq dead", *(verb.examples[0] for verb in verbs.values())]
    parts = [
        _sentence(COMMANDS["dead"]),
        "Alone it says which queues have any.",
        "\b\nExamples:\n" + "\n".join(f"  {one}" for one in examples),
    ]
    return command(
        cls=Group,
        name="dead",
        commands={name: forward(verb) for name, verb in verbs.items()},
        help="\n\n".join(parts),
        invoke_without_command=True,
    )(_dead_queues)


def _dead_queues(options: Options) -> int:
    """Answer where no verb is named."""
    if click.get_current_context().invoked_subcommand is not None:
        return 0
    from moonq.cli.forwarding import ask, tell

    verb = VERBS["dead_queues"]
    found, _ = ask(options, verb, {})
    tell(options, verb, found)
    return 0


@command(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "MOONQ",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, message="moonq %(version)s")
def moonq(_options: Options) -> None:
    """Run Lua handlers on queues that YAML declares.

    \b
    Example:
      moonq new shop
      moonq run shop
    """
