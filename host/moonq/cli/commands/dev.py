"""`moonq dev`: run a project, reload what is saved, and have the console beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from moonq.cli.commands.run import host_options, run, starting_of
from moonq.cli.failures import INTERRUPTED
from moonq.cli.hosting import Hosting, configure_log, log_above
from moonq.cli.options import Options, command, project_argument
from moonq.cli.signals import Signals

if TYPE_CHECKING:
    from moonq.console.terminal import Terminal
    from moonq.control.locating import Place


@command()
@project_argument
@host_options("MOONQ_DEV_LOG_LEVEL")
def dev(
    options: Options,
    levels: tuple[tuple[str, str], ...],
    drain_timeout: float | None,
    name: str | None,
    **chosen: Any,
) -> int:
    """Run PROJECT, reload it whenever a file is saved, and talk to it in Lua.

    It is this folder when not named. Log lines come above the prompt. A broken edit is shown and
    changes nothing. Ctrl-C interrupts your code; Ctrl-D finishes what runs and ends. Without a
    terminal it is `moonq run --watch`.

    \b
    Examples:
      moonq dev
      moonq dev shop --log-level debug
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        code: int = click.get_current_context().invoke(
            run,
            calls=(),
            until_idle=False,
            idle_timeout=None,
            watch=True,
            mode="auto",
            log_file=None,
            levels=levels,
            drain_timeout=drain_timeout,
            socket=None,
            name=name,
            **chosen,
        )
        return code
    return _with_console(options, dict(levels), drain_timeout, name or "", chosen)


def _with_console(
    options: Options,
    levels: dict[str, str],
    drain_timeout: float | None,
    name: str,
    chosen: dict[str, Any],
) -> int:
    from moonq.cli.drawing import Lines
    from moonq.cli.narrator import Narrator
    from moonq.console.printer import LineStream
    from moonq.console.terminal import Terminal
    from moonq.control.locating import place_of
    from moonq.host import Host
    from moonq.kinds import load

    loaded = load(options.project, profile=options.profile, said=options.said)
    terminal = Terminal(options.color)

    def configure(stream: TextIO | None) -> None:
        configure_log(options, True, loaded.settings.log, dict(levels), stream)

    above = LineStream(lambda line: terminal.write(f"{line}\n"))
    narrator = Narrator(Lines(options, sys.stderr, above), pretty=True, quiet=options.quiet)
    with log_above(terminal, configure):
        narrator.opened(loaded, name)
        place = place_of(options.project, name=name)
        starting = starting_of(**chosen)
        host = Host(loaded, name=place.name)
        hosting = Hosting(host, place, narrator, drain_timeout, starting)
        return _Development(options, hosting, place).through(terminal)


class _Development:
    """A host and its console, from start to stop."""

    def __init__(self, options: Options, hosting: Hosting, place: Place) -> None:
        self._place = place
        self._project = options.project
        self._hosting = hosting

    def through(self, terminal: Terminal) -> int:
        """Start, talk, drain and stop; return the exit code."""
        up = self._hosting.up(self._end_soon, ends_by="Ctrl-D", stopping=self._draining())
        with up, _leaving_on_sigterm():
            self._talk(terminal)
        return INTERRUPTED if self._hosting.cut_off else 0

    def _talk(self, terminal: Terminal) -> None:
        from moonq.console.core import Console
        from moonq.control.client import connect_to
        from moonq.control.reaching import Reached

        # It is private in that it ends with the person, who is asked while messages are in flight.
        attached = Reached(lambda: connect_to(self._place), is_private=True)
        try:
            with closing(Console(attached, terminal, project=self._project)) as console:
                terminal.run(console)
        finally:
            attached.client.close()

    def _end_soon(self, now: bool) -> None:
        """Leave the prompt: the host was ended from elsewhere."""
        self._hosting.cut_off = now
        os.kill(os.getpid(), signal.SIGTERM)

    @contextmanager
    def _draining(self) -> Iterator[None]:
        self._hosting.narrator.draining()
        with Signals(self._hosting.stop_now):
            yield


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """Leave the prompt at SIGTERM or SIGHUP without a question, and give the terminal back."""
    from prompt_toolkit.application.current import get_app_or_none

    from moonq.console.terminal import Detached

    def leave(*_: object) -> None:
        app = get_app_or_none()
        if app is None or not app.is_running:
            raise Detached
        # An exception raised inside its event loop would be lost.
        app.exit(exception=Detached())

    before = [(one, signal.signal(one, leave)) for one in (signal.SIGTERM, signal.SIGHUP)]
    try:
        yield
    finally:
        for one, handler in before:
            signal.signal(one, handler)
