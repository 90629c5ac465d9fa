"""What people type.

* moonq
  * call      run one function once
  * check     say what is wrong with a project
  * doctor    hold a driver against the delivery contract
  * new       make a project
  * repl      talk to a host in Lua (also called console)
  * run       run a project's queues
  * test      run tests written in Lua
  * top       see what a running host does
  * version   say which moonq this is

One file per command, named after it. Data goes to stdout, talk to stderr; no command catches
`MoonqError`: `failures` turns it into its line and its exit code.
"""

from __future__ import annotations

from importlib import import_module

import click

from moonq import __version__
from moonq.cli.options import common

COMMANDS = ("call", "check", "doctor", "new", "repl", "run", "test", "top", "version")

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
        command: click.Command = getattr(import_module(f"moonq.cli.{cmd_name}"), cmd_name)
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
