"""Runs one statement on the host, and stops it again.

The first Ctrl-C asks the host to stop it, which takes milliseconds. A loop inside a C function
is deaf to it: the second one says so, and the third gives the session up for a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moonq.errors import MoonqError

if TYPE_CHECKING:
    from moonq.control.client import Pending
    from moonq.control.reaching import Reached

#: Seconds after which a cancel is sent once more.
AGAIN = 0.2
#: The press of Ctrl-C that only says that Lua is deaf; the next one gives the session up.
DEAF_PRESSES = 2
DEAF = (
    "Lua is inside a C function and cannot be interrupted yet. Press again to abandon this "
    "session's variables; the host is not affected."
)
ABANDONED = "this session has a new Lua state; its variables are lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a statement."""

    status: str
    """`done`, `raised`, `invalid`, `incomplete`, `stopped` (see `reason`), `failed` (the host
    refused), or `gone` (given up)."""
    took: float
    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    """None in the place of what JSON cannot carry."""
    unfit: dict[int, str] = field(default_factory=dict)
    """What JSON cannot carry of which value, counted from 0, and why."""
    fault: dict[str, Any] | None = None
    is_expression: bool = False
    reason: str = ""
    """What stopped it: `cancel` or `timeout`."""
    stack: str = ""
    """Where it was then, the innermost frame first."""
    problem: MoonqError | None = None

    @property
    def is_well(self) -> bool:
        """Whether it did what was asked, and did not answer `nil, err`."""
        return self.status == "done" and self.fault is None


class Runner:
    """Sends statements to one host."""

    def __init__(
        self, attached: Reached, output: Callable[[str], None], notice: Callable[[str], None]
    ) -> None:
        self._attached = attached
        self._output = output
        self._notice = notice

    def run(
        self,
        source: str,
        *,
        file: str = "",
        width: int = 80,
        timeout: float | None = None,
        marked: bool = True,
        depth: int | None = None,
    ) -> Answer:
        """Run *source*, a statement or all of a *file*, and return its answer; Ctrl-C stops it."""
        began = time.monotonic()
        fields: dict[str, Any] = {"src": source, "width": width, "marked": marked}
        more = {"file": file, "timeout": timeout, "depth": depth}
        fields |= {name: value for name, value in more.items() if value}
        pending = self._attached.client.expect(self._output)
        try:
            found = self._wait(pending, fields)
        except MoonqError as problem:
            return Answer("failed", time.monotonic() - began, problem=problem)
        took = time.monotonic() - began
        if found is None:
            return Answer("gone", took)
        if found.get("lost"):
            self._notice(ABANDONED)
        return _answer(found, took)

    def _wait(self, pending: Pending, fields: dict[str, Any]) -> Any:
        presses = told = 0
        is_sent = False
        while True:
            # A press may come at any step: whatever can be under way then is within.
            try:
                if not is_sent:
                    is_sent = True
                    pending.send("eval", fields)
                if presses > told:
                    told = presses
                    self._pressed(pending, presses)
                    if presses > DEAF_PRESSES:
                        return None
                while (found := pending.wait(AGAIN if presses else None)) is None:
                    # It may have come before the code began, and then it stopped nothing.
                    pending.cancel()
                return found
            except KeyboardInterrupt:
                presses += 1

    def _pressed(self, pending: Pending, presses: int) -> None:
        if presses < DEAF_PRESSES:
            pending.cancel()
        elif presses == DEAF_PRESSES:
            self._notice(DEAF)
        else:
            self._attached.begin_anew()
            self._notice(ABANDONED)


def _answer(found: dict[str, Any], took: float) -> Answer:
    return Answer(
        status=str(found.get("status", "done")),
        took=took,
        texts=list(found.get("texts") or []),
        values=list(found.get("values") or []),
        unfit={one["place"] - 1: one["message"] for one in found.get("unfit") or []},
        fault=found.get("fault"),
        is_expression=bool(found.get("expression")),
        reason=str(found.get("reason") or ""),
        stack=str(found.get("stack") or ""),
    )
