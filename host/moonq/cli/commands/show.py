"""`moonq show`: show one entry with all its fields."""

from __future__ import annotations

import json
from typing import Any

import click

from moonq.cli.attached import attached
from moonq.cli.completing import complete_entry
from moonq.cli.options import Options, common, pass_options
from moonq.errors import NotFound
from moonq.text.plain import visible


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
        click.echo("\n".join(lines(found)))
    return 0


def _field(found: dict[str, Any], path: str) -> Any:
    value: Any = found["fields"]
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            known = ", ".join(value) if isinstance(value, dict) else "no fields"
            raise NotFound(f"{found['id']} has no field {path!r}", hint=f"there are {known}")
        value = value[name]
    return value


def lines(found: dict[str, Any]) -> list[str]:
    """Return everything about the entry, a line for each fact."""
    head = [f"{found['id']}  {found['kind']}", f"  at           {found['file']}:{found['line']}"]
    facts = {name: value for name, value in found["fields"].items() if name != "lifecycle"}
    facts |= {"lifecycle": _unusual(found["fields"].get("lifecycle", {}))}
    if found.get("source"):
        facts["source"] = found["source"]
    shown = {name: _text(value) for name, value in facts.items()}
    body = [f"  {name:12} {visible(text)}" for name, text in shown.items() if text]
    for name, text in (("depends_on", "needs"), ("used_by", "needed by")):
        if found[name]:
            body.append(f"  {text:12} {', '.join(found[name])}")
    return head + body


def _unusual(lifecycle: dict[str, Any]) -> dict[str, Any]:
    """What of an entry's lifecycle is not as everywhere."""
    from moonq.registry.common import Lifecycle

    usual = Lifecycle().model_dump(mode="json")
    return {name: value for name, value in lifecycle.items() if value != usual.get(name)}


def _text(value: Any) -> str:
    """A field's value as YAML people write it, on one line; empty when there is nothing to say."""
    if isinstance(value, str):
        return value.splitlines()[0] + " …" if "\n" in value else value
    if isinstance(value, dict):
        parts = ((name, _text(part)) for name, part in value.items())
        return ", ".join(f"{name}: {text}" for name, text in parts if text)
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else json.dumps(value, ensure_ascii=False)
