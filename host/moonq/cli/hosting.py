"""One host from its start to its stop, as `moonq run` and `moonq dev` have it.

hosting = Hosting(Host(project), place_of(folder), narrator)
with Signals(drain, hosting.stop_now), hosting.up(end=...):
    ...                                       # it serves, reloads what is saved, and is attachable
hosting.cut_off                               # whether it was stopped before its handlers ended
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TextIO

from moonq import log
from moonq.cli import collector
from moonq.cli.options import Options
from moonq.cli.service_manager import ServiceManager
from moonq.errors import MoonqError, StopTimeout
from moonq.log.outlet import LogFile

if TYPE_CHECKING:
    from moonq.cli.narrator import Narrator
    from moonq.console.terminal import Terminal
    from moonq.control.locating import Place
    from moonq.host import Host
    from moonq.registry.settings import LogSettings
    from moonq.registry.watching import Watching
    from moonq.run.starting import Starting


class Hosting:
    """A host with its socket, its watch over saved files, and its narrator."""

    def __init__(
        self,
        host: Host,
        place: Place | None,
        narrator: Narrator,
        drain_timeout: float | None = None,
        starting: Starting | None = None,
    ) -> None:
        from moonq.run.starting import ALL

        self.host = host
        self.place = place
        self.narrator = narrator
        self.cut_off = False
        self.manager = ServiceManager.of_environment()
        self._drain_timeout = drain_timeout
        self._starting = (starting or ALL).checked(host.project)
        # Threads hand the interpreter over ten times as often as usual: publishers beside busy
        # Python code answer within a millisecond instead of five.
        sys.setswitchinterval(0.0005)

    @contextmanager
    def up(
        self,
        end: Callable[[bool], None],
        *,
        watch: bool = True,
        ends_by: str = "Ctrl-C",
        stopping: AbstractContextManager[object] = nullcontext(),  # noqa: B008 - it holds nothing
    ) -> Iterator[None]:
        """Have it up inside of `with`; *stopping* spans its stop.

        A console that asks for the end calls *end*, with True when it is to come at once.

        Raises:
            StopTimeout: Handlers did not end in time, and were not stopped either.
        """
        from moonq.operations import orphans

        with _doorway(self.host, self.place, end) as open_door:
            began = time.monotonic()
            try:
                self.host.start(on_service=self.narrator.service, starting=self._starting)
            except KeyboardInterrupt:
                self._stop()
                raise
            try:
                open_door()
                took = time.monotonic() - began
                self.narrator.left_out(self.host.left_out())
                self.narrator.ready(took, f"{ends_by} to drain and stop")
                self.narrator.orphans(orphans.of_host(self.host), self.host.project)
                self.manager.ready()
                with (
                    collector.sparing(),
                    self.manager.watched(self.host.report),
                    reloading(self.host, self.narrator) if watch else nullcontext(),
                ):
                    yield
            finally:
                self.manager.stopping()
                with stopping, self.manager.watched(self.host.report):
                    self._stop()

    def stop_now(self) -> None:
        """Cut off what runs and hand it back."""
        self.cut_off = True
        self.host.stop_now()

    def _stop(self) -> None:
        try:
            self.host.stop(timeout=0 if self.cut_off else self._drain_timeout)
        except StopTimeout:
            # After a stop at once it is known that handlers did not end.
            if not self.cut_off:
                raise
        finally:
            self.narrator.stopped(self.host.report())


@contextmanager
def _doorway(
    host: Host, place: Place | None, end: Callable[[bool], None]
) -> Iterator[Callable[[], object]]:
    """Claim the control socket at *place*, or none at all.

    What it gives lets consoles in. Where there can be no socket, the host serves without one: it
    may be on a disk that is read-only.
    """
    from moonq.control.locating import is_unusable, runtime_folder
    from moonq.control.server import Server

    if place is None:
        yield lambda: None
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and is_unusable(runtime):
        log.get("moonq.control").warning(
            "XDG_RUNTIME_DIR (%s) is no folder to write in: hosts are listed in %s instead",
            *(runtime, runtime_folder()),
        )
    server = Server(host, place, end)

    def works(step: Callable[[], None]) -> bool:
        try:
            step()
        except OSError as problem:
            where, why = problem.filename or server.place.socket, problem.strerror or ""
            log.get("moonq.control").warning("no console can attach: %s: %s", where, why.lower())
            server.stop()
            return False
        return True

    try:
        is_claimed = works(server.claim)
        yield lambda: is_claimed and works(server.listen)
    finally:
        server.stop()


def reloading(host: Host, narrator: Narrator) -> Watching:
    """Return the watch that reloads *host* when a file of its project is saved, for a `with`.

    What editors read of the project changes with it.
    """
    from moonq.editor import refresh
    from moonq.registry.watching import Watching

    root = host.project.root

    def saved(paths: tuple[str, ...]) -> None:
        reload(host, narrator, paths)
        refresh(host.project)

    refresh(host.project)
    return Watching(root, saved, lambda: narrator.watching(root.resolve()))


def reload(host: Host, narrator: Narrator, causes: tuple[str, ...]) -> None:
    """Read the project again, for *causes* such as the names of files; nothing is raised."""
    try:
        report = host.reload()
    except MoonqError as problem:
        narrator.not_reloaded(causes, problem)
    except Exception:  # noqa: BLE001 - it would end a watch without a word
        # The next one may go well, and the host goes on in any case.
        log.get("moonq.watch").exception("the reload failed: a bug in moonq")
    else:
        narrator.reloaded(causes, report)


def configure_log(
    options: Options,
    pretty: bool,
    settings: LogSettings,
    levels: dict[str, str],
    stream: TextIO | None = None,
) -> None:
    """Choose the levels: a flag counts more than the project's own settings."""
    base = levels.pop("", "")
    if not base:
        base = "debug" if options.verbose > 1 else "warn" if options.quiet else settings.level
    own = {"moonq": "debug"} if options.verbose == 1 else {}
    log.configure(
        "pretty" if pretty else "json",
        base,
        {**settings.levels, **own, **levels},
        stream,
        color=False if isinstance(stream, LogFile) else options.has_color(sys.stderr),
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
        try:
            printer.close()
        finally:  # also where the terminal is gone: its thread could not start at Python's end
            configure(None)
