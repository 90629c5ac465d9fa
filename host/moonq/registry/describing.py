"""What the models say about their fields, in words: for the manual, for help, and for editors.

    for field in fields_of(Queue):
        field.path, field.type, field.range, field.default, field.sentence
        # "max_body", "size", "1B to 1G", "256K", "The largest message, body and headers together."

A field that is a map of its own fields is followed by those, as `retry.max_attempts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from moonq.registry.fields import Between, Ref, Written

_WORDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Any: "anything",
}
#: How many maps in maps are followed.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model."""

    path: str
    """Its name as people write it, behind those of the maps that it lies in."""
    type: str
    """What stands there: `integer`, `duration`, "`thread` or `process`", "list of text"."""
    range: str
    """The least and the most, `1 to 10000`, as people write them; or nothing."""
    default: str
    """As people write it; nothing: there is none, or the sentence says it."""
    is_required: bool
    sentence: str
    names: tuple[str, ...] = ()
    """The kinds of the entries that it names, where it names some."""

    @property
    def facts(self) -> str:
        """What stands in the brackets behind its name: `integer, 1 to 10000, default 10`."""
        end = "required" if self.is_required else f"default {self.default}" if self.default else ""
        return ", ".join(filter(None, (self.type, self.range, end)))


def fields_of(model: type[BaseModel], *, without: Iterable[str] = ()) -> Iterator[Field]:
    """Yield the fields of *model*, and those of the maps within, but not those *without*."""
    left_out = frozenset(without)
    yield from _fields(model, "", left_out, 0)


def _fields(
    model: type[BaseModel], prefix: str, without: frozenset[str], depth: int
) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        if name in without and not prefix:
            continue
        shape = _Shape.of(info)
        path = f"{prefix}{info.alias or name}"
        yield Field(
            path,
            shape.words(),
            shape.range(),
            _default(info, shape),
            info.is_required(),
            info.description or "",
            shape.ref.kinds if shape.ref else (),
        )
        inner = shape.model()
        if inner is not None and depth < _DEEPEST:
            yield from _fields(inner, f"{path}{shape.step}.", without, depth + 1)


@dataclass(frozen=True)
class _Shape:
    """An annotation, taken apart."""

    base: Any
    """The type without what is said about it and without None."""
    notes: tuple[Any, ...]
    """What is said about it, from the outside in."""

    @classmethod
    def of(cls, info: FieldInfo) -> _Shape:
        found = cls.read(info.annotation)
        return cls(found.base, (*info.metadata, *found.notes))

    @classmethod
    def read(cls, annotation: Any) -> _Shape:
        """Return what *annotation* is made of."""
        if get_origin(annotation) is Annotated:
            inner, *notes = get_args(annotation)
            found = cls.read(inner)
            more = [note for one in notes for note in _notes(one)]
            return cls(found.base, (*more, *found.notes))
        if get_origin(annotation) in (Union, UnionType):
            parts = [one for one in get_args(annotation) if one is not NoneType]
            if len(parts) == 1:
                return cls.read(parts[0])
        return cls(annotation, ())

    @property
    def ref(self) -> Ref | None:
        """The entries that it names."""
        return next((one for one in self.notes if isinstance(one, Ref)), None)

    @property
    def written(self) -> Written | None:
        """The form of its own that it is written in."""
        return next((one for one in self._functions() if isinstance(one, Written)), None)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the most, where it is a number: all that is said of them holds."""
        every = [one for one in self._functions() if isinstance(one, Between)]
        if not every:
            return None
        return max(one.low for one in every), min(one.high for one in every)

    @property
    def show(self) -> Callable[[Any], str]:
        """Says a number as people write it."""
        return self.written.show if self.written else "{:.15g}".format

    @property
    def step(self) -> str:
        """How a path goes on from it to the fields of the map within: `[]` in a list."""
        origin = get_origin(self.base)
        return "[]" if origin is list else ".NAME" if origin is dict else ""

    def model(self) -> type[BaseModel] | None:
        """Return the model of its fields where it is a map of them, or holds such maps."""
        inner = self._items().base if get_origin(self.base) in (list, dict) else self.base
        return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None

    def words(self) -> str:
        """Return in words what may stand there."""
        if self.written is not None:
            return (
                f"{self.written.what}, or `none`" if self.written.takes_none else self.written.what
            )
        if self.ref is not None:
            return self._ids(self.ref)
        origin = get_origin(self.base)
        if origin is Literal:
            return _one_of([_literal(one) for one in get_args(self.base)])
        if origin in (list, dict):
            return f"{'list of' if origin is list else 'map to'} {self._items().words()}"
        if origin in (Union, UnionType):
            parts = [one for one in get_args(self.base) if one is not NoneType]
            return " or ".join(self.read(one).words() for one in parts)
        return "map" if self.model() is not None else _WORDS.get(self.base, "anything")

    def _ids(self, ref: Ref) -> str:
        kinds = [f"`{kind}*`" if kind.endswith(".") else f"`{kind}`" for kind in ref.kinds]
        of = f"of a {' or '.join(kinds)}" if kinds else "of an entry"
        forms = {list: "list of ids", dict: "map from names to ids"}
        return f"{forms.get(get_origin(self.base), 'id')} {of}"

    def range(self) -> str:
        """Return the least and the most in words."""
        if self.bounds is not None:
            low, high = map(self.show, self.bounds)
            return f"{low} to {high}"
        longest = next((one.max_length for one in self.notes if isinstance(one, MaxLen)), None)
        least = next((one.min_length for one in self.notes if isinstance(one, MinLen)), 0)
        if longest is not None and self.base is str:
            return f"{least} to {longest} characters" if least else f"at most {longest} characters"
        return ""

    def _functions(self) -> Iterator[Any]:
        for one in self.notes:
            if isinstance(one, AfterValidator | BeforeValidator):
                yield one.func

    def _items(self) -> _Shape:
        return self.read(get_args(self.base)[-1])


def _notes(note: Any) -> list[Any]:
    """Return what one thing says that stands beside a type."""
    return list(note.metadata) if isinstance(note, FieldInfo) else [note]


def _one_of(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _literal(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _default(info: FieldInfo, shape: _Shape) -> str:
    value = None if info.is_required() else info.default
    if value is None or value == "" or info.default_factory is not None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    bounds = shape.bounds
    if isinstance(value, int | float):
        if bounds is not None and not bounds[0] <= value <= bounds[1]:
            return ""  # it stands for what the sentence says
        return shape.show(value)
    return f"`{value}`"
