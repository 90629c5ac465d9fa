"""The console for programs, `moonq repl --json`: one JSON document per line, errors on stderr.

{"schema": "moonq.repl/1", "values": [1204], "took_ms": 0.4}      of Lua
{"schema": "moonq.queues/1", "queues": [...]}                     of a command
{"schema": "moonq.repl/1", "text": "..."}                         of what has no document
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moonq.console.face import Face
from moonq.console.running import Answer
from moonq.errors import MoonqError
from moonq.text.findings import Finding, to_json
from moonq.views import Screen

SCHEMA = "moonq.repl/1"


class Documents(Face):
    """A face that writes JSON; what code prints is talk, and goes to stderr."""

    is_program = True

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__("never", say)

    def screen(self) -> Screen:
        """Return a screen without a width, as a pipe has it."""
        return Screen()

    def show(self, lines: Iterable[str]) -> None:
        """Show a result that has no document of its own."""
        self.answer(SCHEMA, {"text": "\n".join(lines)})

    def fail(self, lines: Iterable[str]) -> None:
        """Show what went wrong, where nothing more is known of it."""
        self.complain({"code": "INVALID", "message": "\n".join(lines), "help": []})

    def write(self, text: str) -> None:
        """Pass on what code prints."""
        sys.stderr.write(text)
        sys.stderr.flush()

    def answer(self, schema: str, found: Mapping[str, Any]) -> None:
        """Write an answer."""
        print(json.dumps({"schema": schema, **found}, ensure_ascii=False), flush=True)

    def complain(self, error: Mapping[str, Any]) -> None:
        """Write an error."""
        document = {"schema": "moonq.error/1", "error": error}
        print(json.dumps(document, ensure_ascii=False), file=sys.stderr, flush=True)


def of_answer(answer: Answer) -> dict[str, Any]:
    """Return what a statement answered."""
    return {"values": answer.values, "took_ms": round(answer.took * 1000, 3)}


def error_of_answer(answer: Answer) -> dict[str, Any]:
    """Return what went wrong in a statement."""
    if answer.problem is not None:
        return error_of(answer.problem)
    if answer.status == "stopped":
        code = "TIMEOUT" if answer.reason == "timeout" else "CANCELED"
        return {"code": code, "message": f"stopped ({answer.reason})", "help": []}
    fault = answer.fault or {"kind": "INVALID", "message": answer.status}
    return {"code": fault.get("code") or fault["kind"], "message": fault["message"], "help": []}


def error_of(problem: MoonqError) -> dict[str, Any]:
    """Return what moonq itself has to say."""
    helps = [problem.hint] if problem.hint else []
    return {"code": problem.code or problem.kind, "message": problem.message, "help": helps}


def error_of_finding(finding: Finding) -> dict[str, Any]:
    """Return what is wrong with a text."""
    found = to_json(finding)
    return {**found, "findings": [found]}
