"""`moonq call`: run one function once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from moonq.cli.drawing import Lines
from moonq.cli.failures import finding_of_call
from moonq.cli.forwarding import ask, command_of, fields_of, tell
from moonq.cli.options import Options
from moonq.errors import ConfirmationNeeded
from moonq.operations.verbs import VERBS

_VERB = VERBS["call"]


@command_of(_VERB)
def call(options: Options, yes: bool, **given: Any) -> int:
    """Do it, and draw where it failed in the files as they are."""
    if given["headers"] and not given["as_message"]:
        raise click.UsageError("a header needs a message: add --as-message")
    if given["real"] and not yes:
        _confirm(options, given["function"])
    if given["stub"]:
        given |= {"stub_file": given["stub"], "stub": _text(given["stub"])}
    found, _ = ask(options, _VERB, _fields(given), yes=yes)
    tell(options, _VERB, found, **_VERB.view_options(given), frames=False)
    error = found["error"]
    if error and not options.json:
        _explain(options, given["function"], error)
    return 1 if error else 0


def _confirm(options: Options, function: str) -> None:
    if not options.confirms(f"let {function} really do what reaches beyond the host?"):
        raise ConfirmationNeeded("nothing was done", hint="add --yes if you mean it")


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    fields = fields_of(_VERB, given)
    return {**fields, "stub_file": given["stub_file"]} if "stub_file" in given else fields


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is not UTF-8"
        raise click.BadParameter(f"{file}: {why.lower()}", param_hint="--stub") from None


def _explain(options: Options, function: str, error: dict[str, Any]) -> None:
    from moonq.kinds import inspect
    from moonq.sandbox.state import Fault

    project, _ = inspect(options.project, profile=options.profile, said=options.said)
    if project:
        fault = Fault(error["kind"], error["message"], error["retryable"], error["traceback"])
        finding = finding_of_call(project, project.id_of(function, "function.lua"), fault)
        lines = Lines(options, sys.stderr)
        lines.line(below=f"\n{lines.drawn([finding])}")
