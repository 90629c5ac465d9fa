"""`moonq run`: run a project's queues."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from moonq import log, threads
from moonq.cli import arguments
from moonq.cli.completing import completer
from moonq.cli.failures import INTERRUPTED
from moonq.cli.hosting import Hosting, configure_log, reload
from moonq.cli.options import Options, command, project_argument
from moonq.cli.signals import Signals
from moonq.cli.streams import detach_stderr, echo
from moonq.log.outlet import LogFile

if TYPE_CHECKING:
    from moonq.control.locating import Place
    from moonq.host import CallResult
    from moonq.run.starting import Starting

Action = TypeVar("Action", bound=Callable[..., Any])


def host_options(levels_variable: str) -> Callable[[Action], Action]:
    """Give a command the options of every host that is run; a variable may set its levels."""

    def decorate(action: Action) -> Action:
        for option in (
            click.option(
                "--no-consumers",
                is_flag=True,
                help="Start no consumer: publish, look, and start some with `\\start ID`.",
            ),
            click.option(
                "--skip",
                multiple=True,
                metavar="ID",
                help="Do not start this, a driver for one, nor what needs it; repeatable.",
                shell_complete=completer("entry"),
            ),
            click.option(
                "--only",
                multiple=True,
                metavar="ID",
                help="Of the consumers only this one, or those of this queue or function, or of "
                "a pattern such as 'app:mail.*'; repeatable.",
                shell_complete=completer("target"),
            ),
            click.option(
                "--name",
                type=arguments.host_name,
                metavar="NAME",
                help="What this host is called among those of the project (default: host).",
            ),
            click.option(
                "--drain-timeout",
                type=arguments.duration,
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
                "a logger counts for those below it: app.queue=debug.",
            ),
        ):
            action = option(action)
        return action

    return decorate


@command()
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
@click.option(
    "--idle-timeout",
    type=arguments.duration,
    help="With --until-idle: give up, with 8, when nothing has moved for so long.",
)
@click.option("--watch", is_flag=True, help="Reload what changes when a file is saved.")
@click.option(
    "--log",
    "mode",
    type=click.Choice(["auto", "pretty", "json"]),
    default="auto",
    envvar="MOONQ_RUN_LOG",
    help="How log lines look: auto is pretty on a terminal, JSON elsewhere.",
)
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Append log lines to FILE, as JSON unless --log says pretty; SIGHUP opens it anew.",
)
@host_options("MOONQ_RUN_LOG_LEVEL")
@click.option(
    "--socket",
    metavar="PATH|none",
    help="Where consoles attach (default: .moonq/run/NAME.sock below the project).",
)
def run(options: Options, **given: Any) -> int:
    """Run the queues and consumers of PROJECT.

    It is this folder when not named. Ctrl-C or SIGTERM finishes what runs and ends; a second one
    stops at once and hands the running messages back. SIGHUP reloads the project and opens the log
    file anew; with a terminal it ends the run, for then it says that the terminal is gone. Several
    hosts of a project share what durable drivers keep, each under a --name of its own. A service
    manager that sets NOTIFY_SOCKET, as systemd does, is told when the host is ready, reloads and
    stops, and that it is alive.

    \b
    Examples:
      moonq run shop
      moonq run shop --watch
      moonq run shop --call app:publish_orders='{"count":3}' --until-idle
      moonq run shop --log json --log-level warn --log-level app=debug
      moonq run shop --until-idle --idle-timeout 10m
      moonq run shop --name second
      moonq run shop --only app:orders.consumer --skip app:rabbit
    """
    from moonq.cli.drawing import Lines
    from moonq.cli.narrator import Narrator, totals
    from moonq.host import Host
    from moonq.kinds import load

    wanted = Wanted(**given)
    if wanted.idle_timeout is not None and not wanted.until_idle:
        raise click.UsageError("--idle-timeout needs --until-idle")
    if wanted.name and wanted.socket not in (None, "none"):
        raise click.UsageError("--name and --socket both say where the socket is: keep one")
    loaded = load(options.project, profile=options.profile, said=options.said)
    detach_stderr()
    pretty = sys.stderr.isatty() and not options.json if wanted.is_auto else wanted.is_pretty
    file = LogFile(wanted.log_file) if wanted.log_file else None
    in_words = wanted.is_pretty if file else pretty
    configure_log(options, in_words, loaded.settings.log, dict(wanted.levels), cast(Any, file))
    narrator = Narrator(Lines(options, sys.stderr), pretty=pretty, quiet=options.quiet)
    narrator.opened(loaded, wanted.name or "")
    place = _place(options.project, wanted)
    host = Host(loaded, name=place.name if place else wanted.name or "")
    hosting = Hosting(host, place, narrator, wanted.drain_timeout, wanted.starting)
    code = Run(hosting, file).through(wanted)
    if options.json:
        echo(json.dumps({"schema": "moonq.run/1", **totals(host.report())}))
    return code


def _place(project: Path, wanted: Wanted) -> Place | None:
    """Return where consoles attach; None: nowhere."""
    from moonq.control.locating import place_of

    if wanted.socket == "none":
        return None
    return place_of(project, Path(wanted.socket) if wanted.socket else None, wanted.name or "")


def starting_of(only: tuple[str, ...], skip: tuple[str, ...], no_consumers: bool) -> Starting:
    """Return which services start."""
    from moonq.run.starting import Starting

    if only and no_consumers:
        raise click.UsageError("--only names consumers, and --no-consumers starts none: keep one")
    return Starting(only, skip, not no_consumers)


@dataclass(frozen=True)
class Wanted:
    """What was asked of one run."""

    calls: tuple[arguments.Call, ...]
    until_idle: bool
    idle_timeout: float | None
    watch: bool
    mode: str
    log_file: str | None
    levels: tuple[tuple[str, str], ...]
    drain_timeout: float | None
    socket: str | None
    name: str | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    no_consumers: bool

    @property
    def starting(self) -> Starting:
        """Which services start."""
        return starting_of(self.only, self.skip, self.no_consumers)

    @property
    def is_auto(self) -> bool:
        """Whether log lines look as it suits their reader."""
        return self.mode == "auto"

    @property
    def is_pretty(self) -> bool:
        """Whether log lines are for people, whoever reads them."""
        return self.mode == "pretty"


class Run:
    """Runs a host until it is idle, or until a signal or a console ends it."""

    def __init__(self, hosting: Hosting, file: LogFile | None) -> None:
        self._hosting = hosting
        self._file = file
        self._is_up = threading.Event()
        self._host, self._narrator = hosting.host, hosting.narrator
        self._stop = threading.Event()
        self._answer: Future[CallResult] = Future()
        """That of the call under way."""

    def through(self, wanted: Wanted) -> int:
        """Start, call, wait and stop; return the exit code."""
        well = [False]
        with (
            Signals(self._drain, self._stop_now, hangup=self._hangup),
            self._hosting.up(self._end, watch=wanted.watch),
            suppress(CancelledError),
        ):
            self._is_up.set()
            well = [self._call(call) for call in wanted.calls if not self._stop.is_set()]
            self._host.wait(
                self._stop,
                until_idle=wanted.until_idle,
                told=self._narrator.waiting,
                idle_timeout=wanted.idle_timeout,
            )
        return INTERRUPTED if self._hosting.cut_off else int(not all(well))

    def _end(self, now: bool) -> None:
        """End as a signal would, or *now* as a second one would; a console asks for it."""
        self._drain()
        if now:
            self._stop_now()

    def _call(self, call: arguments.Call) -> bool:
        answer: Future[CallResult] = Future()
        self._answer = answer
        if self._hosting.cut_off:
            answer.cancel()
        # In another thread, because Python handles no signal while this one is inside Lua.
        threads.start(
            threading.Thread(target=self._work, args=(call, answer), name="call", daemon=True)
        )
        # In steps, because a signal that another thread gets does not wake this one.
        while not answer.done():
            with suppress(TimeoutError):
                answer.exception(0.25)
        result = answer.result()
        if result.fault:
            self._narrator.failed(self._host.project, call.function, result.fault)
            return False
        self._narrator.returned(call.function, result)
        return True

    def _work(self, call: arguments.Call, answer: Future[CallResult]) -> None:
        with suppress(InvalidStateError):  # it was cancelled
            try:
                answer.set_result(self._host.call(call.function, call.argument))
            except BaseException as error:  # noqa: BLE001 - the main thread raises it
                answer.set_exception(error)

    def _hangup(self) -> None:
        # Apart from the signals: the next one is not to wait for it.
        threads.start(threading.Thread(target=self._renew, name="moonq-hangup", daemon=True))

    def _renew(self) -> None:
        if self._file is not None:
            try:
                self._file.reopen()
            except OSError as problem:
                log.get("moonq").error("the log file is kept open: %s", problem)
        self._is_up.wait()
        with self._hosting.manager.reloading():
            reload(self._host, self._narrator, ("SIGHUP",))

    def _drain(self) -> None:
        self._narrator.draining()
        self._stop.set()
        self._host.wind_up()

    def _stop_now(self) -> None:
        self._hosting.stop_now()
        self._answer.cancel()
