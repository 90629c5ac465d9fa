"""What the annotations of a Python function ask of the values that come from Lua.

    shapes = Shapes.of(charge)         # def charge(card: bytes, items: list[bytes]) -> ...
    shapes.at(0)                       # Shape(is_bytes=True)
    shapes.bind(3)                     # raises Invalid: it takes two

Only two things are asked: whether a text stays bytes, and whether an empty table is a list.
"""

from __future__ import annotations

import collections.abc
import inspect
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from moonq.errors import Invalid


class Shape(NamedTuple):
    """What is asked of one value."""

    is_bytes: bool = False
    is_list: bool = False
    item: Shape | None = None
    """What is asked of the items of a list, and of the values of a map."""


ANY = Shape()
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def shape(annotation: Any) -> Shape:
    """Return what *annotation* asks for."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return shape(inner[0])
    if origin in (typing.Union, types.UnionType):
        found = [shape(one) for one in inner]
        items = (one.item for one in found if one.item)
        return Shape(
            any(one.is_bytes for one in found),
            any(one.is_list for one in found),
            next(items, None),
        )
    kind = origin or annotation
    if kind is bytes:
        return Shape(is_bytes=True)
    if kind in _LISTS:
        return Shape(is_list=True, item=shape(inner[0]) if inner else None)
    if kind in _MAPS:
        return Shape(item=shape(inner[1]) if len(inner) > 1 else None)
    return ANY


@dataclass(frozen=True)
class Shapes:
    """The parameters of one function that can be given by their places."""

    names: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    least: int = 0
    most: int | None = 0
    """None: it takes any number."""
    rest: Shape = ANY
    """Of the arguments that `*args` takes."""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Shapes:
        """Return the shapes of *function*, which may be one of C that does not tell."""
        parameters = _parameters(function)
        if parameters is None:
            return cls(most=None)
        places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, _BOTH)]
        others = next((one for one in parameters if one.kind is one.VAR_POSITIONAL), None)
        return cls(
            tuple(one.name for one in places),
            tuple(shape(_resolved(one.annotation, function)) for one in places),
            sum(one.default is one.empty for one in places),
            None if others else len(places),
            shape(_resolved(others.annotation, function)) if others else ANY,
        )

    def at(self, place: int) -> Shape:
        """Return what is asked of the argument at *place*, from 0."""
        return self.shapes[place] if place < len(self.shapes) else self.rest

    def name(self, place: int) -> str:
        """Return what the argument at *place* is called."""
        return self.names[place] if place < len(self.names) else f"argument {place + 1}"

    def bind(self, called: str, count: int) -> None:
        """Let *count* arguments be given.

        Raises:
            Invalid: *called* takes another number.
        """
        if count < self.least:
            raise Invalid(f"{called}: `{self.names[count]}` is missing")
        if self.most is not None and count > self.most:
            takes = f"{self.most} argument{'' if self.most == 1 else 's'}"
            raise Invalid(f"{called} takes {takes}, {count} are given")


_BOTH = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The parameters of a function; None of one that does not tell."""
    lenient: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        import annotationlib

        # Names that only type checkers know are no reason to fail.
        lenient = {"annotation_format": annotationlib.Format.FORWARDREF}
    try:
        return [*inspect.signature(function, **lenient).parameters.values()]
    except (TypeError, ValueError):
        return None


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """An annotation that is a text as what it says; one that names what is not there says nothing.

    Each is looked at alone, so that one for type checkers does not spoil the others.
    """
    if not isinstance(annotation, str):
        return annotation
    names = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return eval(annotation, dict(names))  # noqa: S307 - of the module, which is trusted
    except Exception:  # noqa: BLE001 - an annotation may be any text
        return None


def asks_by_name(function: Callable[..., Any]) -> str:
    """Return the first parameter that can only be given by its name and must be, or nothing."""
    named = [one for one in _parameters(function) or () if one.kind is one.KEYWORD_ONLY]
    return next((one.name for one in named if one.default is one.empty), "")
