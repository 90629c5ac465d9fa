"""Each value that a command goes by, and where it comes from, as `moonq doctor --config` tells it.

profile              prod     MOONQ_PROFILE
log.level            debug    --set
production           true     moonq.yaml:5 in profile prod
redact               []       default
app:orders:retry.max_attempts  3  --override
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from moonq import views
from moonq.cli.options import Options
from moonq.operations import entries
from moonq.registry.origins import Origin
from moonq.registry.overrides import paths
from moonq.registry.project import Entry, Project
from moonq.registry.settings import Common
from moonq.text.plain import visible
from moonq.text.secrets import masked
from moonq.text.wording import origin as written
from moonq.views.tables import Column, table

PREFIX = "MOONQ_"
#: Options with values of their own; the others are the settings themselves, or mere talk.
_TOLD = ("project", "profile", "color")


def document(project: Project, ctx: click.Context, options: Options) -> dict[str, Any]:
    """Return `values`, each with `name`, `value`, `origin` and `where`; keys are only ever added.

    The origin is flag, environment, profile, file or default.
    """
    found = [
        *_options(ctx, options),
        *_variables(ctx.find_root()),
        *_settings(project),
        *_fields(project),
    ]
    return {"schema": "moonq.config/1", "values": found}


def _options(ctx: click.Context, options: Options) -> Iterator[dict[str, Any]]:
    """Yield what the common options say."""
    contexts = [ctx, ctx.parent] if ctx.parent else [ctx]
    for param in (one for one in ctx.command.params if one.name in _TOLD):
        name = str(param.name)
        asked = next((one for one in contexts if _is_said(one, name)), contexts[-1])
        source = asked.get_parameter_source(name)
        value = getattr(options, name)
        if source == ParameterSource.ENVIRONMENT:
            yield _row(name, value, "environment", _variable(asked, name))
        elif source == ParameterSource.COMMANDLINE:
            yield _row(name, value, "flag", max(param.opts, key=len))
        else:
            yield _row(name, value or None, "default")


def _is_said(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) in (
        ParameterSource.COMMANDLINE,
        ParameterSource.ENVIRONMENT,
    )


def _variable(ctx: click.Context, name: str) -> str:
    return f"{ctx.auto_envvar_prefix}_{name}".upper()


def _variables(root: click.Context) -> Iterator[dict[str, Any]]:
    """Yield the variables that give options of commands their values."""
    assert isinstance(root.command, click.Group)
    found = {name for name in os.environ if name.startswith(PREFIX)}
    for command in root.command.list_commands(root) if found else ():
        made = root.command.get_command(root, command)
        for one in _params(made) if made else ():
            name = one.envvar or f"{PREFIX}{command}_{one.name}".upper()
            if name in found:
                found.remove(str(name))
                value = masked(os.environ[str(name)], str(name))
                yield _row(str(name), value, "environment", str(name))


def _params(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _params(one)


def _settings(project: Project) -> Iterator[dict[str, Any]]:
    """Yield every setting of `moonq.yaml`, whoever says it."""
    said = project.settings.model_dump(mode="json", exclude={"profiles"})
    free = (".".join(keys) for keys in project.origins)
    for path in dict.fromkeys((*paths(Common), *free)):
        below = [keys for keys in project.origins if ".".join(keys).startswith(f"{path}.")]
        if below:
            continue  # its parts are told one by one
        keys = next((one for one in project.origins if ".".join(one) == path), ())
        value: Any = said
        for key in keys or path.split("."):
            value = value[key]
        yield _told(path, masked(value, path.rpartition(".")[2]), project.origins.get(keys))


def _fields(project: Project) -> Iterator[dict[str, Any]]:
    """Yield the fields of entries that are not as their own files say."""
    for entry in project.entries.values():
        for keys, origin in entry.origins(project.profile).items():
            if origin.file != entry.file:
                path = ".".join(keys)
                yield _told(f"{entry.id}:{path}", _value(project, entry, keys), origin)


def _value(project: Project, entry: Entry, keys: tuple[str, ...]) -> Any:
    """Return a field as `moonq show` has it, without what may be a password."""
    shown = entries.show(project, entry.id)
    value: Any = {**shown["fields"], "kind": entry.kind, "meta": shown.get("meta")}
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _told(name: str, value: Any, origin: Origin | None) -> dict[str, Any]:
    if origin is None:
        return _row(name, value, "default")
    where = written(origin._asdict())
    if origin.profile:
        kind = "profile"
    elif origin.file.startswith(PREFIX):
        kind = "environment"
    else:
        kind = "flag" if origin.file.startswith("-") else "file"
    return _row(name, value, kind, where)


def _row(name: str, value: Any, origin: str, where: str = "") -> dict[str, Any]:
    shown = str(value) if isinstance(value, os.PathLike) else value
    return {"name": name, "value": shown, "origin": origin, "where": where or None}


def show(options: Options, found: Mapping[str, Any]) -> None:
    """Print it for people."""

    def plain(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    columns = [
        Column("name", lambda row: visible(row["name"]), is_id=True),
        Column("value", lambda row: visible(plain(row["value"]))),
        Column("from", lambda row: visible(row["where"] or row["origin"])),
    ]
    views.show(table(columns, found["values"], views.Screen.of(sys.stdout, options.color)))
