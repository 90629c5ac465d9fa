"""Runs one statement on the host, and stops it again.

The first Ctrl-C asks the host to stop it, which takes milliseconds. A loop inside a C function
hears nothing: the second one says so, and the third gives the session's Lua state up for a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moonq.errors import MoonqError

if TYPE_CHECKING:
    from moonq.control.client import Client, Pending

DEAF = (
    "Lua is inside a C function and cannot be interrupted yet. Press again to abandon this "
    "session's variables; the host is not affected."
)
ABANDONED = "this session has a new Lua state; its variables are lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a statement."""

    status: str
    """`done`, `raised`, `interrupted`, `failed` (the host refused), or `gone` (given up)."""
    took: float
    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    fault: dict[str, Any] | None = None
    is_expression: bool = False
    number: int | None = None
    problem: MoonqError | None = None

    @property
    def is_well(self) -> bool:
        """Whether it did what was asked, and did not answer `nil, err`."""
        return self.status == "done" and self.fault is None


class Runner:
    """Sends statements to one host."""

    def __init__(
        self, client: Client, output: Callable[[str], None], notice: Callable[[str], None]
    ) -> None:
        self._client = client
        self._output = output
        self._notice = notice

    def run(self, source: str, *, width: int = 80, timeout: float | None = None) -> Answer:
        """Run *source* and return its answer; Ctrl-C stops it."""
        began = time.monotonic()
        fields: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        pending = self._client.begin(
            "eval", on_output=self._output, src=source, width=width, **fields
        )
        try:
            found = self._wait(pending)
        except MoonqError as problem:
            status = "interrupted" if problem.kind == "CANCELED" else "failed"
            return Answer(status, time.monotonic() - began, problem=problem)
        took = time.monotonic() - began
        if found is None:
            return Answer("gone", took)
        return _answer(found, took)

    def _wait(self, pending: Pending) -> Any:
        presses = 0
        while True:
            try:
                return pending.wait()
            except KeyboardInterrupt:
                presses += 1
            if presses == 1:
                pending.cancel()
            elif presses == 2:
                self._notice(DEAF)
            else:
                self._client.request("reset")
                self._notice(ABANDONED)
                return None


def _answer(found: dict[str, Any], took: float) -> Answer:
    return Answer(
        status=str(found.get("status", "done")),
        took=took,
        texts=list(found.get("texts") or []),
        values=list(found.get("values") or []),
        fault=found.get("fault"),
        is_expression=bool(found.get("expression")),
        number=found.get("number"),
    )
