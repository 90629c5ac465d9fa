"""`moonq call`: run one function once."""

from __future__ import annotations

import sys
from typing import Any

import click

from moonq.cli.drawing import Lines
from moonq.cli.failures import finding_of_call
from moonq.cli.forwarding import ask, command_of, fields_of, tell
from moonq.cli.options import Options
from moonq.operations.verbs import VERBS

_VERB = VERBS["call"]


@command_of(_VERB)
def call(options: Options, yes: bool, **given: Any) -> int:
    """Do it, and draw where it failed in the files as they are."""
    if given["headers"] and not given["as_message"]:
        raise click.UsageError("a header needs a message: add --as-message")
    found, _ = ask(options, _VERB, fields_of(_VERB, given), yes=yes)
    tell(options, _VERB, found, **_VERB.view_options(given), frames=False)
    error = found["error"]
    if error and not options.json:
        _explain(options, given["function"], error)
    return 1 if error else 0


def _explain(options: Options, function: str, error: dict[str, Any]) -> None:
    from moonq.kinds import inspect
    from moonq.sandbox.state import Fault

    project, _ = inspect(options.project, profile=options.profile)
    if project:
        fault = Fault(error["kind"], error["message"], error["retryable"], error["traceback"])
        finding = finding_of_call(project, project.id_of(function, "function.lua"), fault)
        lines = Lines(options, sys.stderr)
        lines.line(below=f"\n{lines.drawn([finding])}")
