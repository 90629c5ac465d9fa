"""JSON Schemas of a project's YAML, from the models that check it, with its ids to choose from.

    index(project)        # of `_index.yaml`, and of every file with entries
    settings(project)     # of `moonq.yaml`

They say what can be said of one file: types, bounds, names of fields, ids that exist. Whatever
moonq takes they take, too; `moonq check` knows more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from moonq import drivers
from moonq.editor.ids import ids_of
from moonq.errors import MoonqError
from moonq.kinds import KINDS
from moonq.registry.discovery import VERSIONS
from moonq.registry.fields import REFERS, Between, Written
from moonq.registry.project import Project
from moonq.registry.settings import Settings

Json = dict[str, Any]
_DRAFT = "http://json-schema.org/draft-07/schema#"  # editors of YAML know this one best
#: What the environment fills in may become whatever its field wants.
_FROM_ENV = {"type": "string", "pattern": r"\$\{env:"}
_TEXTS = {"type": ["string", "number"]}
#: A name is what is written, be it `007` or `no`.
_NAME = {"type": ["string", "number", "boolean"], "description": "The id without its namespace."}


class _Generator(GenerateJsonSchema):
    """Knows what moonq's own validators let pass."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Json:
        """Return the schema of what is written in a form of its own: `5m`, `64MiB`."""
        written = schema["function"]["function"]
        if not isinstance(written, Written):
            return super().function_before_schema(schema)
        return {**_TEXTS, "examples": [written.show(60)]}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> Json:
        """Return the schema of what is checked, with the bounds of a number."""
        found = super().function_after_schema(schema)
        check = schema["function"]["function"]
        if isinstance(check, Between) and found.get("type") in ("integer", "number"):
            return {**found, "minimum": check.low, "maximum": check.high}
        return found


def index(project: Project | None = None) -> Json:
    """Return the schema of a file with entries."""
    models, definitions = _definitions(project)
    entry = {
        "type": "object",
        "required": ["name", "kind"],
        "properties": {"name": _NAME, "kind": {"enum": [*KINDS]}},
        "allOf": [_when(kind, models[kind]) for kind in KINDS],
    }
    return {
        "$schema": _DRAFT,
        "title": "Entries of moonq",
        "type": "object",
        "required": ["namespace", "entries"],
        "additionalProperties": False,
        "properties": {
            "version": {"enum": [*sorted(VERSIONS), 1.0], "description": "Of the format."},
            "namespace": {**_NAME, "description": "What its ids begin with."},
            "entries": {"type": ["array", "null"], "items": entry},
        },
        "definitions": definitions,
    }


def settings(project: Project | None = None) -> Json:
    """Return the schema of `moonq.yaml`."""
    models, definitions = _definitions(project)
    whole = definitions.pop(models["settings"])
    profile = definitions["Profile"]["properties"]["entries"]
    profile["properties"] = {
        entry.id: {**_partial(definitions[models[entry.kind]]), "description": entry.kind}
        for entry in (project.entries.values() if project else ())
    }
    return {"$schema": _DRAFT, **whole, "title": "Settings of moonq", "definitions": definitions}


def _when(kind: str, model: str) -> Json:
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"$ref": f"#/definitions/{model}"},
    }


def _partial(model: Json) -> Json:
    """What a profile may say of an entry: any of its fields, or those of another kind."""
    return {"type": "object", "properties": model["properties"]}


def _definitions(project: Project | None) -> tuple[dict[str, str], dict[str, Json]]:
    """The name of each kind's definition, and all definitions."""
    options = {f"options of {kind}": model for kind, model in _options()}
    wanted: dict[str, type[BaseModel]] = {kind: one.model for kind, one in KINDS.items()}
    wanted |= {"settings": Settings, **options}
    found, whole = models_json_schema(
        [(model, "validation") for model in wanted.values()],
        ref_template="#/definitions/{model}",
        schema_generator=_Generator,
    )
    names = {
        name: found[model, "validation"]["$ref"].rpartition("/")[2]
        for name, model in wanted.items()
    }
    definitions = whole["$defs"]
    for kind, of in (("queue.queue", "queue"), ("queue.consumer", "consumer")):
        every = [definitions[names[name]] for name in options if name.endswith(f" {of}")]
        fields = definitions[names[kind]]["properties"]
        fields["options"] = {"description": fields["options"]["description"], **_any_of(every)}
    for kind in KINDS:
        definitions[names[kind]]["properties"]["name"] = _NAME
    ids = _Ids(project)
    return names, {name: _finished(one, ids) for name, one in definitions.items()}


def _options() -> Iterator[tuple[str, type[BaseModel]]]:
    """The options of queues and of consumers at each driver, which its entry's kind decides."""
    for kind in drivers.names():
        try:
            fields = drivers.descriptor(kind).fields
        except MoonqError:
            continue
        yield f"{kind} queue", fields.queue_options
        yield f"{kind} consumer", fields.consumer_options


def _any_of(models: list[Json]) -> Json:
    """Every option of any driver; `moonq check` says which of them the driver at hand lacks."""
    merged: dict[str, list[Json]] = {}
    for model in models:
        for name, value in model["properties"].items():
            known = merged.setdefault(name, [])
            known += [value] if value not in known else []
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {**values[0], "anyOf": values} if len(values) > 1 else values[0]
            for name, values in merged.items()
        },
    }


class _Ids:
    """The ids that fields may name, by the kinds of entries they accept."""

    def __init__(self, project: Project | None) -> None:
        self._project = project

    def of(self, kinds: tuple[str, ...]) -> list[str]:
        if self._project is None:
            return []
        ids = {id_ for kind in kinds or ("",) for id_ in ids_of(self._project, kind)}
        return sorted(ids | {id_.partition(":")[2] for id_ in ids})


def _finished(schema: Any, ids: _Ids) -> Any:
    """*schema* with ids where entries are named, and with room for the environment's values."""
    if isinstance(schema, list):
        return [_finished(one, ids) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        name: value if name in ("default", "examples", "enum") else _finished(value, ids)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
    if "$ref" in found and len(found) > 1:  # what stands beside a reference counts for nothing
        found = {"allOf": [{"$ref": found.pop("$ref")}], **found}
    kinds = found.pop(REFERS, None)
    return _filled(_referring(found, ids.of(tuple(kinds))) if kinds is not None else found)


def _referring(schema: Json, ids: list[str]) -> Json:
    """A field that names entries: one, a list of them, or a map to them."""
    if not ids:
        return schema
    named: Mapping[str, Callable[[], Json]] = {
        "array": lambda: {"items": {"enum": ids}},
        "object": lambda: {"additionalProperties": {"enum": ids}},
    }
    return {**schema, **named.get(schema.get("type", ""), lambda: {"enum": ids})()}


def _filled(schema: Json) -> Json:
    is_scalar = schema.get("type") in ("integer", "number", "boolean") or "enum" in schema
    if not is_scalar:
        return schema
    words: Json = {name: schema.pop(name) for name in ("description", "default") if name in schema}
    return {**words, "anyOf": [schema, _FROM_ENV]}
