"""`moonq show`: show one entry with all its fields."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from moonq import views
from moonq.cli.attached import attached
from moonq.cli.completing import complete_entry
from moonq.cli.options import Options, common, pass_options
from moonq.errors import NotFound


@click.command()
@click.argument("entry", shell_complete=complete_entry)
@click.option("--field", metavar="NAME", help="Only this field; dots lead deeper: retry.max_delay")
@common
@pass_options
def show(options: Options, entry: str, field: str | None) -> int:
    """Show ENTRY: every field with defaults filled in, what it needs, and who needs it.

    Durations are seconds. What may be a password is hidden.

    \b
    Examples:
      moonq show app:orders
      moonq show app:orders --field retry.max_attempts
    """
    with attached(options) as host:
        found = host.request("entry", name=entry)
    if field is not None:
        value = _field(found, field)
        click.echo(value if isinstance(value, str) and not options.json else json.dumps(value))
    elif options.json:
        click.echo(json.dumps({"schema": "moonq.show/1", **found}, ensure_ascii=False))
    else:
        views.show(views.entry(found, views.Screen.of(sys.stdout, options.color)))
    return 0


def _field(found: dict[str, Any], path: str) -> Any:
    value: Any = found["fields"]
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            known = ", ".join(value) if isinstance(value, dict) else "no fields"
            raise NotFound(f"{found['id']} has no field {path!r}", hint=f"there are {known}")
        value = value[name]
    return value
