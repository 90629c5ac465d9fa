"""`moonq run`: run a project's queues."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from moonq import log
from moonq.cli import arguments
from moonq.cli.beside import Beside, GivenUp
from moonq.cli.doorway import Doorway
from moonq.cli.failures import INTERRUPTED
from moonq.cli.options import Options, common, pass_options, project_argument
from moonq.cli.signals import Signals
from moonq.errors import StopTimeout

if TYPE_CHECKING:
    from moonq.cli.narrator import Narrator
    from moonq.host import Host
    from moonq.registry.settings import LogSettings

Command = TypeVar("Command", bound=Callable[..., Any])


def host_options(levels_variable: str) -> Callable[[Command], Command]:
    """Give a command `--log-level`, which a variable may set too, and `--drain-timeout`."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option(
                "--drain-timeout",
                type=arguments.duration,
                metavar="DURATION",
                help="Wait at most so long for running handlers "
                "(default: their consumers' stop_timeout).",
            ),
            click.option(
                "--log-level",
                "levels",
                type=arguments.level,
                multiple=True,
                metavar="[LOGGER=]LEVEL",
                envvar=levels_variable,
                help="debug, info, warn or error; "
                "a logger speaks for those below it: app.queue=debug.",
            ),
        ):
            command = option(command)
        return command

    return decorate


@click.command()
@project_argument
@click.option(
    "--call",
    "calls",
    type=arguments.call,
    multiple=True,
    metavar="FUNCTION[=JSON]",
    envvar="MOONQ_RUN_CALL",
    help="Once all is up, call this function, with JSON as its argument; repeatable.",
)
@click.option("--until-idle", is_flag=True, help="Stop when nothing is ready, delayed or running.")
@click.option("--watch", is_flag=True, help="Reload what changes when a file is saved.")
@click.option(
    "--log",
    "mode",
    type=click.Choice(["auto", "pretty", "json"]),
    default="auto",
    envvar="MOONQ_RUN_LOG",
    help="How log lines look: auto is pretty on a terminal, JSON elsewhere.",
)
@host_options("MOONQ_RUN_LOG_LEVEL")
@click.option(
    "--socket",
    metavar="PATH|none",
    help="Where consoles attach (default: .moonq/run/host.sock below the project).",
)
@common
@pass_options
def run(
    options: Options,
    calls: tuple[arguments.Call, ...],
    until_idle: bool,
    watch: bool,
    mode: str,
    levels: tuple[tuple[str, str], ...],
    drain_timeout: float | None,
    socket: str | None,
) -> int:
    """Run the queues and consumers of PROJECT.

    It is this folder when not named. Ctrl-C or SIGTERM finishes what runs and ends; a second one
    stops at once and hands the running messages back.

    \b
    Examples:
      moonq run shop
      moonq run shop --watch
      moonq run shop --call app:publish_orders='{"count":3}' --until-idle
      moonq run shop --log json --log-level warn --log-level app=debug
    """
    from moonq.cli.narrator import Narrator, totals
    from moonq.cli.reloading import Reloading
    from moonq.host import Host
    from moonq.kinds import load

    loaded = load(options.project)
    pretty = sys.stderr.isatty() and not options.json if mode == "auto" else mode == "pretty"
    configure_log(options, pretty, loaded.settings.log, dict(levels))
    narrator = Narrator(options, pretty=pretty)
    narrator.opened(loaded)
    # Threads hand the interpreter over ten times as often as usual: publishers beside busy Python
    # code answer within a millisecond instead of five.
    sys.setswitchinterval(0.0005)
    host = Host(loaded)
    running = Run(host, narrator)
    with Doorway(host, options.project, socket, running.end) as door:
        code = running.through(
            calls,
            until_idle=until_idle,
            drain_timeout=drain_timeout,
            on_ready=door.open,
            meanwhile=Reloading(host, narrator) if watch else nullcontext(),
        )
    if options.json:
        click.echo(json.dumps({"schema": "moonq.run/1", **totals(host.report())}))
    return code


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


class Run:
    """One host from its start to its stop, with the signals that may come between."""

    def __init__(self, host: Host, narrator: Narrator) -> None:
        self._host = host
        self._narrator = narrator
        self._stop = threading.Event()
        self._beside = Beside()
        self._cut_off = False

    def through(
        self,
        calls: tuple[arguments.Call, ...],
        *,
        until_idle: bool,
        drain_timeout: float | None,
        on_ready: Callable[[], None] = lambda: None,
        meanwhile: AbstractContextManager[object] = nullcontext(),  # noqa: B008 - it holds nothing
    ) -> int:
        """Start, call, wait and stop; return the exit code. *meanwhile* spans all but the ends."""
        with Signals(self._drain, self._stop_now):
            began = time.monotonic()
            self._host.start(on_service=self._narrator.service)
            on_ready()
            self._narrator.ready(time.monotonic() - began)
            try:
                with meanwhile:
                    well = [self._call(call) for call in calls if not self._stop.is_set()]
                    self._host.wait(self._stop, until_idle=until_idle)
            except GivenUp:
                well = [False]
            finally:
                self._end(drain_timeout)
        if self._cut_off:
            return INTERRUPTED
        return 0 if all(well) else 1

    def end(self, now: bool) -> None:
        """End as a signal would, or *now* as a second one would; a console asks for it."""
        self._drain()
        if now:
            self._stop_now()

    def _end(self, drain_timeout: float | None) -> None:
        try:
            self._host.stop(timeout=drain_timeout)
        except StopTimeout:
            # Who stopped at once knows that handlers did not end.
            if not self._cut_off:
                raise
        finally:
            self._narrator.stopped(self._host.report())

    def _call(self, call: arguments.Call) -> bool:
        result = self._beside.run(lambda: self._host.call(call.function, call.argument))
        if result.fault:
            self._narrator.failed(self._host.project, call.function, result.fault)
            return False
        self._narrator.returned(call.function, result)
        return True

    def _drain(self) -> None:
        self._narrator.draining()
        self._stop.set()
        self._host.wind_up()

    def _stop_now(self) -> None:
        self._cut_off = True
        self._host.stop_now()
        self._beside.give_up()
