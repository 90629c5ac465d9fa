"""`moonq show`: show one entry with all its fields, or one field."""

from __future__ import annotations

import json
from typing import Any

import click

from moonq.cli.forwarding import ask, command_of, fields_of, tell
from moonq.cli.options import Options
from moonq.cli.streams import echo
from moonq.errors import NotFound
from moonq.operations.verbs import VERBS

_VERB = VERBS["entry"]
_FIELD = click.Option(
    ["--field"], metavar="NAME", help="Only this field; dots lead deeper: retry.max_delay"
)


@command_of(_VERB, _FIELD)
def show(options: Options, field: str | None, **given: Any) -> int:
    """Show all of it, or the value of one field."""
    found, _ = ask(options, _VERB, fields_of(_VERB, given))
    if field is None:
        tell(options, _VERB, found)
        return 0
    value = _field(found, field)
    echo(value if isinstance(value, str) and not options.json else json.dumps(value))
    return 0


def _field(found: dict[str, Any], path: str) -> Any:
    value: Any = found["fields"]
    if "annotations" in found:
        value = {**value, "annotations": found["annotations"]}
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            known = ", ".join(value) if isinstance(value, dict) else "no fields"
            raise NotFound(f"{found['id']} has no field {path!r}", hint=f"there are {known}")
        value = value[name]
    return value
