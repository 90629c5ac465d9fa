"""`moonq call`: run one function once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.options import Options, common, pass_options

if TYPE_CHECKING:
    from moonq.host import CallResult


@click.command()
@click.argument("function")
@click.argument("argument", metavar="[JSON]", type=arguments.json_text, default="")
@click.option("--as-message", is_flag=True, help="Call it as a consumer does, with a message.")
@click.option(
    "-H",
    "--header",
    "headers",
    type=arguments.header,
    multiple=True,
    metavar="NAME=VALUE",
    help="A header of that message; repeatable.",
)
@click.option("--send", is_flag=True, help="Really send what the function publishes.")
@common
@pass_options
def call(
    options: Options,
    function: str,
    argument: str,
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
    from moonq.clock import SystemClock
    from moonq.host import Host
    from moonq.registry import load

    if headers and not as_message:
        raise click.UsageError("a header needs a message: add --as-message")
    host = Host(load(options.project), clock=SystemClock())
    result = host.call(function, argument, as_message=as_message, headers=dict(headers), send=send)
    if options.json:
        click.echo(json.dumps(document(result), ensure_ascii=False))
    else:
        show(result)
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
        "took_ms": round(result.took * 1000, 3),
        "memory_bytes": result.memory,
    }
