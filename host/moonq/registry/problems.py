"""Turns what pydantic complains about into findings that name the field and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from moonq.registry import hidden
from moonq.registry.fields import WRONG_VALUE
from moonq.registry.yaml.nodes import Map, Node, Path, locate, locate_key
from moonq.registry.yaml.scalars import as_written
from moonq.text.findings import Finding, Source, error
from moonq.text.suggestions import close, question

#: what pydantic's error types wanted, those of a wrong shape.
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
_SHAPES: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a map",
}


@dataclass(frozen=True)
class Problems:
    """Finds the words for the errors of one map: an entry, or the settings."""

    source: Source
    node: Map
    model: type[BaseModel]
    subject: str
    noun: str = "field"

    def of(self, raised: ValidationError, prefix: Path = ()) -> list[Finding]:
        """Return one finding for each of the errors."""
        return [
            self._without_values((*prefix, *details["loc"]), details)
            for details in raised.errors(include_url=False)
        ]

    def _without_values(self, path: Path, details: Mapping[str, Any]) -> Finding:
        """Say what is wrong without what a variable of the environment holds."""
        found = hidden.pairs(locate(self.node, path), details["input"])
        return hidden.hide(self._finding(path, details), found, is_about=True)

    def _finding(self, path: Path, details: Mapping[str, Any]) -> Finding:
        kind = details["type"]
        if kind == "extra_forbidden":
            return self.unknown(path, known_fields(self.model, path[:-1]))
        if kind == "missing":
            return self._missing(path)
        return self._wrong(path, details)

    def unknown(self, path: Path, known: Sequence[str]) -> Finding:
        """Return the finding for a key that *known* does not have."""
        name = str(path[-1])
        key = locate_key(self.node, path)
        likely = self._below(path) or question(close(name, known))
        where = f"`{dotted(path[:-1])}`" if len(path) > 1 else self.subject
        fields = ", ".join(f"`{field}`" for field in sorted(known)) or f"no {self.noun}s at all"
        return error(
            "R206",
            f"{where} has no {self.noun} `{name}`",
            self.source.at(key, f"no such {self.noun}"),
            note="" if likely else f"it knows {fields}",
            help=likely,
        )

    def _below(self, path: Path) -> str:
        """Name the map beside a key that knows it: `retry: {max_attempts: …}`."""
        name, around = path[-1], path[:-1]
        for field in known_fields(self.model, around):
            if name in known_fields(self.model, (*around, field)):
                return f"write `{field}: {{{name}: …}}`"
        return ""

    def _missing(self, path: Path) -> Finding:
        name = str(path[-1])
        parent = locate(self.node, path[:-1])
        place: Node = parent
        if isinstance(parent, Map) and len(path) == 1:
            place = _beginning(parent)
        elif len(path) > 1:
            place = locate_key(self.node, path[:-1])
        where = f"`{dotted(path[:-1])}`" if len(path) > 1 else self.subject
        span = self.source.at(place, f"no `{name}` here")
        return error("R211", f"{where} needs a field `{name}`", span, help=f"add `{name}: …`")

    def _wrong(self, path: Path, details: Mapping[str, Any]) -> Finding:
        value, kind = details["input"], details["type"]
        name = dotted(path)
        help_, note, label, code = "", "", "", "R207"
        if kind == WRONG_VALUE:
            message, help_, note, code = itemgetter("message", "help", "note", "code")(
                details["ctx"]
            )
            if not message.startswith("`"):
                message = f"`{name}`{'' if message.startswith(' ') else ': '}{message}"
        elif value is None:
            message, help_ = f"`{name}` has no value", "write one, or leave the line out"
        elif kind == "literal_error":
            choices = self._choices(path, str(details["ctx"]["expected"]))
            message = f"`{name}` must be {_one_of(choices)}"
            help_ = question(close(str(value), choices))
        else:
            wanted = _WANTED.get(kind)
            message = f"`{name}` must be {wanted}" if wanted else f"`{name}` {_told(details)}"
            shape = next((word for kind, word in _SHAPES.items() if isinstance(value, kind)), "")
            label = f"this is {shape or 'something else'}" if wanted else ""
            help_ = _advice(kind, value)
        span = self.source.at(locate(self.node, path), label)
        return error(code, message, span, help=help_, note=note)

    def _choices(self, path: Path, expected: str) -> list[str]:
        field = _field(self.model, path)
        words = [str(choice) for choice in get_args(field)]
        return words or [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]


def _beginning(entry: Map) -> Node:
    """Where the fields of an entry begin: its name, or the kind that a profile gave it."""
    kind = entry.get("kind")
    return kind if kind and kind.source else entry.get("name") or entry


def dotted(path: Path) -> str:
    """Return *path* as people write it: ``lifecycle.depends_on[0]``."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text.replace(".[key]", "")


def known_fields(model: type[BaseModel], path: Path) -> list[str]:
    """Return the fields of the map at *path* in *model*."""
    inner = _field(model, path) if path else model
    return list(inner.model_fields) if _is_model(inner) else []


def _field(model: Any, path: Path) -> Any:
    """The type at *path*; None where the model does not say."""
    for step in path:
        if isinstance(step, int):
            continue  # `_inner` has looked into the list already
        fields = model.model_fields if _is_model(model) else {}
        if step not in fields:
            return None
        model = _inner(fields[step].annotation)
    return model


def _inner(annotation: Any) -> Any:
    """The model inside `Model | None` and the like."""
    if _is_model(annotation):
        return annotation
    parts = [_inner(part) for part in get_args(annotation) if part is not type(None)]
    return next((part for part in parts if _is_model(part)), annotation)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _one_of(choices: Sequence[str]) -> str:
    quoted = [f"`{choice}`" for choice in choices]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else quoted[0]


def _told(details: Mapping[str, Any]) -> str:
    """Return what is wrong with a value of the right shape, behind its name."""
    limits, kind = details.get("ctx", {}), details["type"]
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "too_short":
        return "must name at least one"
    if kind == "string_too_long":
        return f"may have at most {limits['max_length']} characters"
    return f"cannot be this: {details['msg']}"


def _advice(kind: str, value: Any) -> str:
    if isinstance(value, str) and kind in {"int_type", "float_type"}:
        return "remove the quotes" if value.strip().isdigit() else "write a number"
    if kind == "bool_type" and isinstance(value, str):
        truth = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower())
        return f"write `{truth}`" if truth else ""
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put it in quotes"
    if kind == "list_type" and isinstance(value, str):
        return f"write `[{as_written(value)}]`"
    return ""
