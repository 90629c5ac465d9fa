"""One host from its start to its stop, as `moonq run` and `moonq dev` have it.

hosting = Hosting(options, Host(project), narrator)
with Signals(drain, hosting.stop_now), hosting.up(end=...):
    ...                                       # it serves, reloads what is saved, and is attachable
hosting.cut_off                               # whether it was stopped before its handlers ended
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TextIO

from moonq import log
from moonq.cli.doorway import Doorway
from moonq.cli.options import Options
from moonq.errors import StopTimeout

if TYPE_CHECKING:
    from moonq.cli.narrator import Narrator
    from moonq.console.terminal import Terminal
    from moonq.host import Host
    from moonq.registry.settings import LogSettings


class Hosting:
    """A host with its socket, its watch over saved files, and somebody who tells about it."""

    def __init__(
        self, options: Options, host: Host, narrator: Narrator, drain_timeout: float | None = None
    ) -> None:
        self.host = host
        self.narrator = narrator
        self.cut_off = False
        self._project = options.project
        self._drain_timeout = drain_timeout
        # Threads hand the interpreter over ten times as often as usual: publishers beside busy
        # Python code answer within a millisecond instead of five.
        sys.setswitchinterval(0.0005)

    @contextmanager
    def up(
        self,
        end: Callable[[bool], None],
        *,
        socket: str | None = None,
        watch: bool = True,
        ends_by: str = "Ctrl-C",
        stopping: AbstractContextManager[object] = nullcontext(),  # noqa: B008 - it holds nothing
    ) -> Iterator[None]:
        """Have it up inside of `with`; *stopping* spans its stop.

        A console that asks for the end calls *end*, with True when it shall come at once.

        Raises:
            StopTimeout: Handlers did not end in time, and nobody stopped them.
        """
        from moonq.cli.reloading import reloading

        with Doorway(self.host, self._project, socket, end) as door:
            began = time.monotonic()
            try:
                self.host.start(on_service=self.narrator.service)
            except KeyboardInterrupt:
                self._stop()
                raise
            try:
                door.open()
                took = time.monotonic() - began
                self.narrator.ready(took, f"{ends_by} to drain and stop")
                with reloading(self.host, self.narrator) if watch else nullcontext():
                    yield
            finally:
                with stopping:
                    self._stop()

    def stop_now(self) -> None:
        """Cut off what runs and hand it back."""
        self.cut_off = True
        self.host.stop_now()

    def _stop(self) -> None:
        try:
            self.host.stop(timeout=0 if self.cut_off else self._drain_timeout)
        except StopTimeout:
            # Who stopped at once knows that handlers did not end.
            if not self.cut_off:
                raise
        finally:
            self.narrator.stopped(self.host.report())


def configure_log(
    options: Options,
    pretty: bool,
    settings: LogSettings,
    levels: dict[str, str],
    stream: TextIO | None = None,
) -> None:
    """Choose the levels: a flag speaks louder than the project's own settings."""
    base = levels.pop("", "")
    if not base:
        base = "debug" if options.verbose > 1 else "warn" if options.quiet else settings.level
    own = {"moonq": "debug"} if options.verbose == 1 else {}
    log.configure(
        "pretty" if pretty else "json",
        base,
        {**settings.levels, **own, **levels},
        stream,
        color=options.has_color(sys.stderr),
    )


@contextmanager
def log_above(terminal: Terminal, configure: Callable[[TextIO | None], None]) -> Iterator[None]:
    """Let log lines come above the prompt of *terminal*, and to stderr from the end of `with`."""
    from moonq.console.printer import LineStream, Printer

    printer = Printer(terminal.write)
    configure(LineStream(printer.line))
    try:
        yield
    finally:
        printer.close()
        configure(None)
