"""`moonq dev`: run a project, reload what is saved, and have the console beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from moonq.cli.commands.run import configure_log, host_options, run
from moonq.cli.doorway import Doorway
from moonq.cli.failures import INTERRUPTED
from moonq.cli.options import Options, common, pass_options, project_argument
from moonq.cli.signals import Signals
from moonq.errors import StopTimeout

if TYPE_CHECKING:
    from moonq.cli.narrator import Narrator
    from moonq.console.terminal import Terminal
    from moonq.host import Host


@click.command()
@project_argument
@host_options("MOONQ_DEV_LOG_LEVEL")
@common
@pass_options
def dev(options: Options, levels: tuple[tuple[str, str], ...], drain_timeout: float | None) -> int:
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
            watch=True,
            mode="auto",
            levels=levels,
            drain_timeout=drain_timeout,
            socket=None,
        )
        return code
    return _with_console(options, dict(levels), drain_timeout)


def _with_console(options: Options, levels: dict[str, str], drain_timeout: float | None) -> int:
    from moonq.cli.narrator import Narrator
    from moonq.console.printer import LineStream, Printer
    from moonq.console.terminal import Terminal
    from moonq.host import Host
    from moonq.kinds import load

    loaded = load(options.project)
    terminal = Terminal(options)
    printer = Printer(terminal.write)
    configure_log(options, True, loaded.settings.log, levels, LineStream(printer.line))
    try:
        narrator = Narrator(_Above(**vars(options), write=terminal.write), pretty=True)
        narrator.opened(loaded)
        return Development(Host(loaded), narrator, options).through(terminal, drain_timeout)
    finally:
        printer.close()


@dataclass
class _Above(Options):
    """Options whose talk comes above the prompt."""

    write: Callable[[str], object] = sys.stderr.write

    def say(self, text: str, *, important: bool = False) -> None:
        """Tell the person something that is not the result."""
        if important or not self.quiet:
            self.write(f"{text}\n")


class Development:
    """A host with somebody at its console, from its start to its stop."""

    def __init__(self, host: Host, narrator: Narrator, options: Options) -> None:
        self._host = host
        self._narrator = narrator
        self._options = options
        self._cut_off = False

    def through(self, terminal: Terminal, drain_timeout: float | None) -> int:
        """Start, talk, drain and stop; return the exit code."""
        from moonq.cli.reloading import Reloading

        sys.setswitchinterval(0.0005)
        with Doorway(self._host, self._options.project, None, self._end_soon) as door:
            began = time.monotonic()
            try:
                self._host.start(on_service=self._narrator.service)
                door.open()
                self._narrator.ready(time.monotonic() - began, "Ctrl-D to drain and stop")
                with Reloading(self._host, self._narrator), _leaving_on_sigterm():
                    self._talk(terminal)
            finally:
                self._end(drain_timeout)
        return INTERRUPTED if self._cut_off else 0

    def _talk(self, terminal: Terminal) -> None:
        from moonq.console.attaching import Attached
        from moonq.console.core import Console
        from moonq.control.client import connect

        project = self._options.project
        # It is private in that it ends with the person, who is asked while messages are in flight.
        attached = Attached(lambda: connect(project), is_private=True)
        console = Console(attached, terminal, project=project)
        try:
            terminal.run(console)
        finally:
            console.close()
            attached.client.close()

    def _end_soon(self, now: bool) -> None:
        """Let the person's prompt go: somebody else ended the host."""
        self._cut_off = now
        os.kill(os.getpid(), signal.SIGTERM)

    def _end(self, drain_timeout: float | None) -> None:
        self._narrator.draining()
        with Signals(self._stop_now):
            try:
                self._host.stop(timeout=0 if self._cut_off else drain_timeout)
            except StopTimeout:
                # Who stopped at once knows that handlers did not end.
                if not self._cut_off:
                    raise
            finally:
                self._narrator.stopped(self._host.report())

    def _stop_now(self) -> None:
        self._cut_off = True
        self._host.stop_now()


@contextlib.contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """Leave the prompt at SIGTERM without a question, and give the terminal back."""
    from prompt_toolkit.application.current import get_app_or_none

    from moonq.console.terminal import Detached

    def leave(*_: object) -> None:
        app = get_app_or_none()
        if app is None or not app.is_running:
            raise Detached
        # An exception in the middle of its event loop would go astray.
        app.exit(exception=Detached())

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
