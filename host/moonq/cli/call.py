"""`moonq call`: run one function once."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from moonq import log
from moonq.cli import arguments
from moonq.cli.beside import Beside
from moonq.cli.failures import draw
from moonq.cli.faults import as_finding
from moonq.cli.narrator import milliseconds
from moonq.cli.options import Options, common, pass_options
from moonq.log import value_text, visible

if TYPE_CHECKING:
    from moonq.host import CallResult


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

    No queue is involved. JSON is its argument; `-` reads it from stdin. What the function
    publishes is shown and not sent. Ends with 1 when the function fails.

    \b
    Examples:
      moonq call app:process_order '{"id":42,"total_cents":2500}' --as-message
      moonq call app:report --json
    """
    from moonq.host import Host
    from moonq.registry import load

    if headers and not as_message:
        raise click.UsageError("a header needs a message: add --as-message")
    log.configure(
        "pretty",
        "debug" if options.verbose else "info",
        {"moonq": "warn"},
        color=options.has_color(sys.stderr),
    )
    host = Host(load(options.project))
    host.start(consumers=False)
    try:
        result = Beside().run(
            lambda: host.call(
                function, argument or "", as_message=as_message, headers=dict(headers), send=send
            )
        )
    finally:
        host.stop()
    if options.json:
        click.echo(json.dumps(document(result), ensure_ascii=False))
    else:
        show(result, as_message)
        if result.fault:
            finding = as_finding(host.project, host.project.resolve(function).id, result.fault)
            click.echo("\n" + draw([finding], options, sys.stderr), err=True, color=True)
    return 1 if result.fault else 0


def document(result: CallResult) -> dict[str, Any]:
    """Return *result* as plain data; keys are only ever added."""
    fault = result.fault
    return {
        "schema": "moonq.call/1",
        "verdict": result.verdict,
        "values": result.values,
        "error": fault
        and {
            "kind": fault.kind,
            "message": fault.message,
            "retryable": fault.retryable,
            "traceback": fault.traceback,
        },
        "published": [
            {"queue": queue, "body": body.decode("utf-8", "replace")}
            for queue, body in result.published
        ],
        "logs": [
            {"level": level, "message": message, "fields": fields}
            for level, message, fields in result.logs
        ],
        "took_ms": round(result.took * 1000, 3),
        "memory_bytes": result.memory,
    }


def show(result: CallResult, as_message: bool) -> None:
    """Print *result* for people."""
    click.echo(f"{_headline(result, as_message):12} {_outcome(result)}".rstrip())
    for number, (queue, body) in enumerate(result.published):
        text = visible(body.decode("utf-8", "replace"))
        click.echo(f"{'published' if number == 0 else '':12} {queue}  {text}")
    for number, (level, message, fields) in enumerate(result.logs):
        shown = " ".join(f"{visible(key)}={value_text(value)}" for key, value in fields.items())
        line = f"{level.upper():5} {visible(message)}  {shown}".rstrip()
        click.echo(f"{'logs' if number == 0 else '':12} {line}")
    click.echo(f"took {milliseconds(result.took)} · {result.memory / 1024:.0f} KB")


def _headline(result: CallResult, as_message: bool) -> str:
    if as_message and result.verdict:
        return f"would {result.verdict}"
    return "failed" if result.fault else "returned"


def _outcome(result: CallResult) -> str:
    if not result.fault:
        return visible(", ".join(json.dumps(v, ensure_ascii=False) for v in result.values))
    retryable = {True: "yes", False: "no", None: "not said"}[result.fault.retryable]
    return f"{result.fault.kind}: {visible(result.fault.message)}   (retryable: {retryable})"
