"""`moonq eval`: evaluate Lua on a host."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached, host_option
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.text.plain import printed, visible
from moonq.text.reading import text_of


@command()
@host_option
@click.argument("code")
@click.option("--timeout", type=arguments.duration, default="30s", help="Stop it after that.")
@click.option("--yes", is_flag=True, help="Let it change things in production as well.")
def eval(options: Options, code: str, timeout: float, yes: bool) -> int:  # noqa: A001
    """Evaluate CODE (`-` reads it from stdin) and print its values as Lua literals.

    It runs in a new state on the running host, or on a private one with its consumers off,
    which publishes nothing into its own memory.
    All modules are there by name, and `mq` for what the other commands do. Ends with 1 when it
    fails, with 8 when its time is over. With --json the first value is printed as JSON; one that
    JSON cannot carry is an error that names the place.

    \b
    Examples:
      moonq eval 'queue.info("app:orders").ready'
      moonq eval 'mq.peek("orders", { limit = 1 })' --json
    """
    source = text_of("-") if code == "-" else code
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    with attached(options, changes="change things" if yes else "", yes=yes) as host:
        fields = {"src": source, "timeout": timeout, "width": width, "marked": not options.json}
        answer = host.request("eval", on_output=lambda text: echo(printed(text)), **fields)
    return _told(options, answer)


def _told(options: Options, answer: dict[str, Any]) -> int:
    problem = _problem(answer)
    if problem is not None:
        _complain(options, problem)
    elif options.json:
        echo(json.dumps(answer["values"][0] if answer["values"] else None))
    elif not answer["muted"]:
        for text in answer["texts"]:
            echo(printed(text))
    if answer["status"] == "stopped":
        return 8 if answer["reason"] == "timeout" else 1
    return 0 if problem is None else 1


def _problem(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Return what went wrong, if something did."""
    status = answer["status"]
    if status in ("invalid", "incomplete"):
        place = f"line {answer['line']}: " if answer.get("line") else ""
        return {"kind": "INVALID", "message": f"{place}{answer['complaint']}", "stack": ""}
    if status == "stopped":
        return {
            "kind": "TIMEOUT",
            "message": f"stopped ({answer['reason']})",
            "stack": answer.get("stack", ""),
        }
    fault: dict[str, Any] | None = answer.get("fault")
    return fault


def _complain(options: Options, problem: dict[str, Any]) -> None:
    if options.json:
        error = {"code": problem.get("code") or problem["kind"], "message": problem["message"]}
        document = {"schema": "moonq.error/1", "error": {**error, "help": []}}
        echo(json.dumps(document, ensure_ascii=False), err=True)
        return
    echo(f"moonq: {problem['kind']}: {visible(problem['message'])}", err=True)
    for line in str(problem.get("stack") or "").splitlines():
        echo(f"  {visible(line)}", err=True)
