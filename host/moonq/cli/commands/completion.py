"""`moonq completion`: make the shell complete moonq's commands and ids."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from moonq.cli.options import Options, command
from moonq.cli.streams import echo

SHELLS = ("bash", "zsh", "fish")


@command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(options: Options, shell: str) -> int:
    """Print what makes SHELL complete commands, options, and the ids of queues and entries.

    \b
    Examples:
      eval "$(moonq completion bash)"                       # in ~/.bashrc; zsh likewise
      moonq completion fish > ~/.config/fish/completions/moonq.fish
    """
    from moonq.cli import moonq

    made = get_completion_class(shell)
    assert made is not None
    echo(made(moonq, {}, "moonq", "_MOONQ_COMPLETE").source())
    return 0
