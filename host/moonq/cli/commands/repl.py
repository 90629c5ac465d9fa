"""`moonq repl`: look, publish, operate, with Lua at hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING, TextIO

import click

from moonq import __version__
from moonq.cli import arguments
from moonq.cli.attached import host_option, telling_of_loss
from moonq.cli.options import Options, command
from moonq.text.reading import shown, text_of
from moonq.text.wording import plural, profile_of

if TYPE_CHECKING:
    from moonq.console.core import Console
    from moonq.console.terminal import Terminal
    from moonq.control.locating import Place
    from moonq.control.reaching import Reached


class _Code(click.types.StringParamType):
    """Lua text; spaces in it separate nothing, also when a variable brings it."""

    name = "code"

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the whole as one text."""
        return [rv]


@command()
@host_option
@click.option("--attach", default="", metavar="SOCKET|PID|PROJECT", help="The host that is meant.")
@click.option("--local", is_flag=True, help="Start a private host, even beside a running one.")
@click.option("--start", is_flag=True, help="Start the consumers of a private host too.")
@click.option(
    "--read-only/--write",
    "read_only",
    default=None,
    help="Only look, or ask for the right to change things (default: as the project says).",
)
@click.option(
    "-e",
    "codes",
    multiple=True,
    type=_Code(),
    envvar="MOONQ_REPL_E",
    help="Run CODE and end; repeatable.",
)
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    envvar="MOONQ_REPL_FILE",
    metavar="FILE|-",
    help="Run a file and end; repeatable, before any -e.",
)
@click.option(
    "--timeout", type=arguments.duration, default="30s", help="Limit of one statement or file."
)
def repl(
    options: Options,
    attach: str,
    local: bool,
    start: bool,
    read_only: bool | None,
    codes: tuple[str, ...],
    files: tuple[str, ...],
    timeout: float,
) -> int:
    """Talk to the host of this project in Lua.

    Attaches to the host that runs; without one a private host is started, with its consumers off;
    it says at its end how many messages in memory end with it.
    What is typed on a terminal is run statement by statement. A file, or stdin when it is no
    terminal, is one chunk: nothing is shown but what it prints. Each -e is a chunk or a command
    that shows its value, with --json as one document on a line. The first that fails is the last,
    and the exit code is 1.

    \b
    Examples:
      moonq repl
      moonq repl -e 'queue.info("app:orders").ready'
      moonq repl --local --start < publish.lua
      moonq repl -f fill.lua -e '\\queues'
    """
    from moonq.console.core import Console
    from moonq.console.documents import Documents
    from moonq.console.face import Face
    from moonq.control.reaching import reach

    if attach and options.host:
        raise click.UsageError("--attach and --host both say which host is meant: keep one")
    scripts = _scripts(files, codes)
    terminal = None if scripts or codes else _terminal(options)
    reached = reach(
        options.project,
        profile=options.profile,
        said=options.said,
        to=attach,
        host=options.host,
        local=local,
        start=start,
        whole=True,
        lost=telling_of_loss(options),
        notice=options.warn,
    )
    with logging(options, terminal), reached as found:
        among = found.settle()
        if read_only is not None:
            (found.client.give_up_write if read_only else found.client.write)()
        face = terminal or (
            Documents(options.say) if options.json else Face(options.color, options.say)
        )
        console = Console(found, face, timeout=timeout, project=options.project)
        with closing(console):
            if terminal is None:
                return _run(console, scripts, codes)
            for line in _greeting(found, among):
                terminal.notice(line)
            terminal.run(console)
            return 0


def _scripts(files: tuple[str, ...], codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the name and the text of each file; of stdin where there is nothing else."""
    sources = files or (() if codes or sys.stdin.isatty() else ("-",))
    return [(shown(source), text_of(source)) for source in sources]


def _run(console: Console, scripts: list[tuple[str, str]], codes: tuple[str, ...]) -> int:
    """Run all of it in order, up to the first that fails; returns the exit code."""
    from moonq.console.entering import enter
    from moonq.console.face import Leave
    from moonq.console.scripts import run

    try:
        well = all(run(console, name, text).is_well for name, text in scripts)
        return int(not (well and all(enter(console, code) for code in codes)))
    except Leave:
        return 0


def _terminal(options: Options) -> Terminal:
    from moonq.console.terminal import Terminal

    return Terminal(options.color)


def logging(options: Options, terminal: Terminal | None) -> AbstractContextManager[None]:
    """Let the log lines of a private host come above the prompt, and not too many."""
    from moonq.cli.hosting import configure_log, log_above
    from moonq.registry.settings import LogSettings

    settings = LogSettings(level="info", levels={"moonq": "warn"})

    def configure(stream: TextIO | None) -> None:
        configure_log(options, True, settings, {}, stream)

    if terminal is not None:
        return log_above(terminal, configure)
    configure(None)
    return nullcontext()


def _greeting(found: Reached, among: Sequence[Place]) -> list[str]:
    hello = found.client.hello
    called = f"host {found.client.place.name}, " if among else ""
    about = f"{called}pid {hello['pid']}, profile {profile_of(hello)}"
    where = f"attached to {hello['project']} ({about})"
    leaving = "the host stays up"
    if found.is_private:
        chosen = f" (profile {profile_of(hello)})" if hello["chosen_profile"] else ""
        where = f"private host of {hello['project']}{chosen}; consumers are off until \\start"
        leaving = "this host ends with you"
    others = [one.name for one in among if one != found.client.place]
    entries = plural(hello["entries"], "entry")
    beside = [f"beside it: {', '.join(others)} · moonq repl --host NAME"] if others else []
    return [
        f"moonq {__version__} console · {where}",
        *beside,
        f"Lua 5.4 · {entries} · your session has its own Lua state",
        f"\\? help · Ctrl-C interrupts · Ctrl-D leaves ({leaving})",
    ]
