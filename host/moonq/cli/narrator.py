"""Tells how a run goes: as sentences on a terminal, as log lines where logs are JSON.

moonq 0.1.0 · shop · pid 41877
  ✓ registry     7 entries in 2 namespaces
  ✓ app:mem      queue.driver.memory
ready in 61 ms · Ctrl-C to drain and stop
stopped · 1 204 acked · 3 retried · 0 dead · up 00:04:12
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moonq import __version__, log
from moonq.cli.drawing import Lines, Part
from moonq.cli.failures import finding_of_call, findings_of
from moonq.text.findings import to_json
from moonq.text.plain import visible
from moonq.text.wording import clock, counted, lasted, plural

if TYPE_CHECKING:
    from moonq.errors import MoonqError
    from moonq.host import CallResult, Fault, ServiceStatus, StopReport
    from moonq.operations.orphans import Orphan
    from moonq.registry import Project
    from moonq.run.reload import ReloadReport

MARKS = {"running": ("✓", "good"), "failed": ("✗", "bad")}
OTHER_MARK = ("●", "warn")


class Narrator:
    """Knows both ways of telling; its callers say only what happened."""

    def __init__(self, lines: Lines, *, pretty: bool, quiet: bool = False) -> None:
        self._lines = lines
        self._pretty = pretty
        self._quiet = quiet
        self._widest = 0
        self._is_broken = False
        """Whether what was saved last does not work."""
        self._log = log.get("moonq")

    def opened(self, project: Project, name: str = "") -> None:
        """The project was read and is sound; *name* is the host's, where it was given one."""
        self._widest = max((len(entry.id) for entry in project.start_order()), default=0)
        profile = f"profile {project.profile}" if project.profile else ""
        about = [f"moonq {__version__}", project.name, name, profile, f"pid {os.getpid()}"]
        self._tell(
            " · ".join(filter(None, about)),
            "opened",
            version=__version__,
            project=project.name,
            profile=project.profile or None,
            pid=os.getpid(),
            entries=len(project.entries),
            **({"host": name} if name else {}),
        )
        if self._pretty and not self._quiet:
            spaces = {entry.namespace for entry in project.entries.values()}
            read = f"{plural(len(project.entries), 'entry')} in {plural(len(spaces), 'namespace')}"
            self._lines.line("  ", MARKS["running"], f" {'registry':{self._widest}}  {read}")

    def service(self, status: ServiceStatus) -> None:
        """A service has reached another state."""
        took = f"  {lasted(status.took)}" if status.took >= 0.01 else ""
        told = f" {status.id:{self._widest}}  {status.detail or status.kind}{took}"
        self._tell(
            ("  ", MARKS.get(status.state, OTHER_MARK), told),
            f"service {status.state}",
            service=status.id,
            kind=status.kind,
            detail=status.detail,
        )

    def left_out(self, reasons: Mapping[str, str]) -> None:
        """These services were not started, for the reasons that were given on the command line."""
        for id_, reason in reasons.items():
            self._tell(
                ("  ", ("-", "dim"), f" {id_:{self._widest}}  not started: {reason}"),
                "left out",
                service=id_,
                reason=reason,
            )

    def ready(self, took: float, how_to_end: str = "Ctrl-C to drain and stop") -> None:
        """Every service that starts by itself is up."""
        self._tell(
            f"ready in {lasted(took)} · {how_to_end}\n",
            "ready",
            took_ms=round(took * 1000, 1),
        )

    def orphans(self, found: Sequence[Orphan], project: Project) -> None:
        """Messages lie where nobody will take them."""
        for one in found:
            self._tell(
                ((f"{OTHER_MARK[0]} {one.sentence()}", OTHER_MARK[1]),),
                "messages without a queue",
                below=f"  {one.hint(project)}",
                level="warn",
                **one.object(),
            )

    def returned(self, function: str, result: CallResult) -> None:
        """A function that --call names has ended well."""
        values = ", ".join(json.dumps(value, ensure_ascii=False) for value in result.values)
        self._tell(
            f"{function} returned {visible(values) or 'nothing'} in {lasted(result.took)}",
            "returned",
            function=function,
            values=result.values,
            took_ms=round(result.took * 1000, 1),
        )

    def failed(self, project: Project, function: str, fault: Fault) -> None:
        """A function that --call names has failed."""
        self._tell(
            (),
            "call failed",
            below=self._lines.drawn([finding_of_call(project, function, fault)]),
            level="error",
            function=function,
            kind=fault.kind,
            error=fault.message,
            traceback=fault.traceback,
        )

    def watching(self, folder: Path) -> None:
        """Files are watched from now on."""
        self._tell(f"watching {folder.name}: what you save is reloaded", "watching")

    def reloaded(self, paths: Sequence[str], report: ReloadReport) -> None:
        """Files were saved, and the host works with them."""
        different = [*report.changed, *report.added, *(f"-{name}" for name in report.removed)]
        different += report.settings
        was_broken, self._is_broken = self._is_broken, False
        if not different:
            if was_broken:
                self._healed(paths)
            return
        facts = [lasted(report.took)]
        facts += [f"{plural(report.workers, 'worker')} switched"] if report.workers else []
        facts += [f"{report.finishing} finishing old code"] if report.finishing else []
        told = f"{_now()} reload  {_few(paths)} → {_few(different)}  ({', '.join(facts)})"
        lines = [
            f"  {name}: what changed counts from the next start" for name in report.needs_restart
        ]
        lines += [f"  {problem}" for problem in report.problems]
        below = self._lines.folded(lines)
        self._tell(told, "reloaded", below=below, files=list(paths), **report.object())

    def _healed(self, paths: Sequence[str]) -> None:
        """What was broken is again as the host has it."""
        told = f"  {_few(paths)}: what was broken is mended, and is what runs"
        self._tell(
            (f"{_now()} reload  ", MARKS["running"], told),
            "healed",
            files=list(paths),
        )

    def not_reloaded(self, paths: Sequence[str], problem: MoonqError) -> None:
        """Files were saved that do not work; nothing has changed."""
        self._is_broken = True
        keeps = "not applied: the host keeps running the last good version"
        findings = findings_of(problem)
        self._tell(
            (f"{_now()} reload  {_few(paths)}  ", MARKS["failed"], f" {keeps}"),
            "not reloaded",
            below=self._lines.drawn(findings) if findings else f"  {problem}",
            level="error",
            files=list(paths),
            error=problem.message,
            findings=[to_json(finding) for finding in findings],
        )

    def waiting(self, text: str) -> None:
        """A run until idle stands still."""
        self._tell(text, "waiting", detail=text.removeprefix("waiting: "))

    def draining(self) -> None:
        """The first signal has come."""
        self._tell("\ndraining… (Ctrl-C again: stop now and requeue them)", "draining")

    def stopped(self, report: StopReport) -> None:
        """Everything has ended."""
        self._tell(
            f"stopped · {counted(report.acked)} acked · {counted(report.retried)} retried"
            f" · {counted(report.dead)} dead{_besides(report)} · up {clock(report.up)}",
            "stopped",
            **totals(report),
        )

    def _tell(
        self,
        sentence: str | tuple[Part, ...],
        event: str,
        *,
        below: str = "",
        level: str = "info",
        **fields: Any,
    ) -> None:
        if not self._pretty:
            self._log.log(log.parse_level(level), event, extra={"fields": fields})
        elif level in ("error", "warn") or not self._quiet:
            parts = (sentence,) if isinstance(sentence, str) else sentence
            self._lines.line(*parts, below=f"{below}\n" if below else "")


def totals(report: StopReport) -> dict[str, Any]:
    """The numbers of *report* as plain data."""
    return {
        "acked": report.acked,
        "retried": report.retried,
        "dead": report.dead,
        "handed_back": report.handed_back,
        "denied": report.denied,
        "killed": report.killed,
        "up": round(report.up, 3),
    }


def _besides(report: StopReport) -> str:
    """Say what is not usual, if it happened."""
    numbers = {
        "handed back": report.handed_back,
        "denied": report.denied,
        "killed": report.killed,
    }
    return "".join(f" · {counted(number)} {what}" for what, number in numbers.items() if number)


def _now() -> str:
    return time.strftime("%H:%M:%S")


def _few(names: Sequence[str]) -> str:
    """Return *names* as far as one line has room for them."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{visible(', '.join(names[:3]))}{more}"
