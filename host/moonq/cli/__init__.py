"""What people type.

* moonq
  * call        run one function once
  * check       say what is wrong with a project
  * completion  make the shell complete moonq's names
  * dead        see why messages died; retry or drop them
  * dev         run, reload what is saved, and talk to it
  * doctor      hold a driver against the delivery contract
  * eval        evaluate Lua on a host
  * graph       show how entries hang together
  * ls          list entries
  * new         make a project
  * pause       let a queue or a consumer rest
  * peek        look at the messages of a queue
  * publish     put messages on a queue
  * purge       drop what waits in a queue
  * queues      show every queue with its numbers
  * reload      replace what has changed in the running host
  * repl        talk to a host in Lua (also called console)
  * resume      undo pause
  * run         run a project's queues
  * show        show one entry
  * status      show which hosts are running
  * stop        end the running host
  * tail        watch messages go by
  * test        run tests written in Lua
  * top         see what a running host does
  * version     say which moonq this is

One file per command, named after it. Data goes to stdout, talk to stderr; no command catches
`MoonqError`: `failures` turns it into its line and its exit code.
"""

from __future__ import annotations

from importlib import import_module

import click

from moonq import __version__
from moonq.cli.options import common

COMMANDS = (
    "call",
    "check",
    "completion",
    "dead",
    "dev",
    "doctor",
    "eval",
    "graph",
    "ls",
    "new",
    "pause",
    "peek",
    "publish",
    "purge",
    "queues",
    "reload",
    "repl",
    "resume",
    "run",
    "show",
    "status",
    "stop",
    "tail",
    "test",
    "top",
    "version",
)

ALIASES = {"console": "repl"}


class Commands(click.Group):
    """Loads a command's file when somebody asks for that command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,
        cmd_name: str,
    ) -> click.Command | None:
        """Return the command called *cmd_name*."""
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"moonq.cli.commands.{cmd_name}"), cmd_name)
        return command


@click.command(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "MOONQ",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, message="moonq %(version)s")
@common
def moonq() -> None:
    """Run Lua handlers on queues that YAML declares.

    \b
    Example:
      moonq new shop
      moonq run shop
    """
