"""`moonq call`: run one function once."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from moonq import log
from moonq.cli import arguments
from moonq.cli.beside import Beside
from moonq.cli.failures import draw
from moonq.cli.faults import as_finding
from moonq.cli.narrator import milliseconds
from moonq.cli.options import Options, common, pass_options
from moonq.errors import NoHost
from moonq.log import value_text, visible
from moonq.text.wording import written


@click.command()
@click.argument("function")
@click.argument("argument", metavar="[JSON]", type=arguments.json_text, required=False)
@click.option("--as-message", is_flag=True, help="Call it as a consumer does, with a message.")
@click.option(
    "-H",
    "--header",
    "headers",
    type=arguments.header,
    multiple=True,
    metavar="NAME=VALUE",
    envvar="MOONQ_CALL_HEADER",
    help="A header of that message; repeatable.",
)
@click.option("--send", is_flag=True, help="Really send what the function publishes.")
@common
@pass_options
def call(
    options: Options,
    function: str,
    argument: str | None,
    as_message: bool,
    headers: tuple[tuple[str, str], ...],
    send: bool,
) -> int:
    """Run FUNCTION once and show what it did.

    No queue is involved; the running host does it, or a private one. JSON is its argument; `-`
    reads it from stdin. What the function publishes is shown and not sent. Ends with 1 when the
    function fails.

    \b
    Examples:
      moonq call app:process_order '{"id":42,"total_cents":2500}' --as-message
      moonq call app:report --json
    """
    if headers and not as_message:
        raise click.UsageError("a header needs a message: add --as-message")
    log.configure(
        "pretty",
        "debug" if options.verbose else "info",
        {"moonq": "warn"},
        color=options.has_color(sys.stderr),
    )
    fields = {
        "argument": argument or "",
        "as_message": as_message,
        "headers": dict(headers),
        "send": send,
    }
    found = _on_running_host(options, function, fields)
    if found is None:
        found = _on_private_host(options, function, fields)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.call/2", **found}, ensure_ascii=False))
    else:
        show(found, as_message)
        _explain(options, function, found["error"])
    return 1 if found["error"] else 0


def _on_running_host(
    options: Options, function: str, fields: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what the running host answers; None when there is none."""
    from moonq.control.client import connect

    try:
        host = connect(options.project)
    except NoHost:
        return None
    with host:
        found: dict[str, Any] = host.request("call", function=function, **fields)
    return found


def _on_private_host(options: Options, function: str, fields: dict[str, Any]) -> dict[str, Any]:
    from moonq.control.reaching import Direct

    with Direct(options.project) as host:
        found: dict[str, Any] = Beside().run(
            lambda: host.request("call", function=function, **fields)
        )
    return found


def _explain(options: Options, function: str, error: dict[str, Any] | None) -> None:
    """Draw where it failed, in the files as they are."""
    from moonq.kinds import inspect
    from moonq.sandbox.state import Fault

    project, _ = inspect(options.project) if error else (None, [])
    if error and project:
        fault = Fault(error["kind"], error["message"], error["retryable"], error["traceback"])
        finding = as_finding(project, project.resolve(function).id, fault)
        click.echo("\n" + draw([finding], options, sys.stderr), err=True, color=True)


def show(found: dict[str, Any], as_message: bool) -> None:
    """Print what became of the call for people."""
    click.echo(f"{_headline(found, as_message):12} {_outcome(found)}".rstrip())
    for what, one in written(found):
        click.echo(f"{what:12} {visible(one)}")
    for number, one in enumerate(found["logs"]):
        fields = one["fields"].items()
        shown = " ".join(f"{visible(key)}={value_text(value)}" for key, value in fields)
        line = f"{one['level'].upper():5} {visible(one['message'])}  {shown}".rstrip()
        click.echo(f"{'logs' if number == 0 else '':12} {line}")
    took = milliseconds(found["took_ms"] / 1000)
    click.echo(f"took {took} · {found['memory_bytes'] / 1024:.0f} KB")


def _headline(found: dict[str, Any], as_message: bool) -> str:
    if as_message and found["verdict"]:
        return f"would {found['verdict']}"
    return "failed" if found["error"] else "returned"


def _outcome(found: dict[str, Any]) -> str:
    error = found["error"]
    if not error:
        return visible(", ".join(json.dumps(v, ensure_ascii=False) for v in found["values"]))
    retryable = {True: "yes", False: "no", None: "not said"}[error["retryable"]]
    return f"{error['kind']}: {visible(error['message'])}   (retryable: {retryable})"
