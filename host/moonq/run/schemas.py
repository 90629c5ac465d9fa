"""JSON Schemas (draft 2020-12, or the one that `$schema` names), compiled once.

    schema = Schema({"type": "object", "required": ["id"]})
    schema.problem({"id": 7})   # ""
    schema.problem({})          # '"id" is a required property'

A script's schema is a stranger's: what it could grow to is counted first, see `own_size`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote

from moonq.errors import Invalid
from moonq.text.extras import client
from moonq.text.json_in import parsed

#: Problems of one value that are told.
TOLD = 3
#: Bytes that a pattern in a schema may take once it is compiled; its time is linear.
MAX_PATTERN = 128 * 1024
#: Subschemas of a schema, counted anew wherever a reference leads to them.
MAX_SIZE = 10_000
#: Those times the bytes of a value: a check takes up to 150 ns for each (measured), and nothing
#: interrupts it.
MAX_WORK = 4 * 10**6
#: Bytes of a script's schema, and of a value: they are read and kept beyond its state.
MAX_SCHEMA = 256 * 1024
MAX_VALUE = 1024 * 1024
#: Patterns of a script's schema: to compile one takes up to 2 ms.
MAX_PATTERNS = 40
#: How much more often a part is looked at below each `unevaluated…`: twice (measured), and more
#: where there are two.
_AGAIN = 4
#: Schemas of scripts that are kept, by their text.
KEPT = 16


class Schema:
    """One schema, compiled; two are equal that say the same."""

    def __init__(
        self, document: Any, base: str = "", read: Callable[[str], Any] | None = None
    ) -> None:
        """Compile *document*; *read* returns what a reference leads to that begins at *base*.

        Raises:
            Invalid: It is no JSON Schema, or leads where *read* finds nothing.
            Unsupported: The library is not installed.
        """
        self._says: dict[str, Any] = {base: document}
        missing: list[Invalid] = []

        def retrieve(uri: str) -> Any:
            try:
                self._says[uri] = found = (read or _nowhere)(uri)
            except Invalid as problem:
                missing.append(problem)
                raise
            return found

        library: Any = client("schema", "jsonschema_rs", "the library behind JSON Schema")
        try:
            self._validator = library.validator_for(
                document,
                mask="the value",
                retriever=retrieve,
                base_uri=base or None,
                pattern_options=library.RegexOptions(MAX_PATTERN, MAX_PATTERN),
            )
        except (library.ValidationError, library.ReferencingError, ValueError) as problem:
            if missing:
                raise missing[0] from None
            where = getattr(problem, "instance_path", None)
            said = getattr(problem, "message", None) or str(problem)
            raise Invalid(f"not a JSON Schema: {_placed(where or [], said)}") from None

    def __eq__(self, other: object) -> bool:
        """Whether *other* is a schema that says the same."""
        return isinstance(other, Schema) and self._says == other._says

    def __hash__(self) -> int:
        """Return the same for what is equal."""
        return hash(tuple(self._says))

    def problem(self, value: Any) -> str:
        """Return what is wrong with *value*, the first places of several; "" when nothing is."""
        errors = islice(self._validator.iter_errors(value), TOLD)
        return "; ".join(_placed(one.instance_path, one.message) for one in errors)


def check_for_script(schema: bytes, value: bytes) -> str:
    """Return what is wrong with *value* by a schema that a script made, both as JSON texts.

    Raises:
        Invalid: The schema or the value is none, or too large.
    """
    _check_length("schema", schema, MAX_SCHEMA)
    _check_length("value", value, MAX_VALUE)
    found, size = _kept(schema)
    if size * len(value) > MAX_WORK:
        raise Invalid(
            f"the schema is too large for a value of {len(value)} bytes: it has {size} parts,"
            f" at most {MAX_WORK // len(value)} will do"
        )
    try:
        return found.problem(parsed(value))
    except ValueError as problem:
        raise Invalid(f"the value cannot be read: {problem}") from None


def _check_length(what: str, given: bytes, most: int) -> None:
    if len(given) > most:
        raise Invalid(f"the {what} has {len(given)} bytes, more than {most}")


@lru_cache(KEPT)
def _kept(schema: bytes) -> tuple[Schema, int]:
    try:
        document = parsed(schema)
    except ValueError as problem:
        raise Invalid(f"the schema is no JSON: {problem}") from None
    size = own_size(document)
    return Schema(document), size


def own_size(document: Any) -> int:
    """Return how many parts a schema has once every reference is written out.

    What lies below an `unevaluated…` counts as often as it is looked at for that.

    Raises:
        Invalid: More than `MAX_SIZE`, too many patterns, or it contains itself: then the time that
            a value takes may grow with 2 to the power of its depth.
    """
    count = patterns = 0
    waiting: list[tuple[Any, tuple[str, ...], int]] = [(document, (), 1)]
    while waiting:
        part, above, weight = waiting.pop()
        count += weight
        if count > MAX_SIZE:
            raise Invalid(
                f"the schema has more than {MAX_SIZE} parts, its references written out and those"
                f" below each `unevaluated…` counted {_AGAIN} times"
            )
        if isinstance(part, list):
            waiting += [(one, above, weight) for one in part]
        elif isinstance(part, dict):
            patterns += _patterns(part)
            if patterns > MAX_PATTERNS:
                raise Invalid(f"the schema has more than {MAX_PATTERNS} patterns")
            weight *= _AGAIN if _UNEVALUATED & part.keys() else 1
            inner = [one for one in part.values() if isinstance(one, dict | list)]
            waiting += [(one, above, weight) for one in inner]
            waiting += [(*_followed(document, to, above), weight) for to in _references(part)]
    return count


_UNEVALUATED = {"unevaluatedProperties", "unevaluatedItems"}


def _patterns(part: Mapping[str, Any]) -> int:
    """Return how many patterns stand in one part, wherever that is."""
    named = part.get("patternProperties")
    return isinstance(part.get("pattern"), str) + (len(named) if isinstance(named, dict) else 0)


def _references(part: Mapping[str, Any]) -> Iterator[str]:
    for name in ("$ref", "$dynamicRef", "$recursiveRef"):
        if isinstance(part.get(name), str):
            yield part[name]


def _followed(document: Any, to: str, above: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    if to in above:
        raise Invalid(f"the schema contains itself by {to!r}", hint="write out as many levels")
    found = document
    if not to.startswith("#/"):
        raise Invalid(f"the schema refers to {to[:200]!r}", hint="only `#/…` in it is known")
    for name in unquote(to[2:]).split("/"):
        step: Any = name.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(step) if isinstance(found, list) else step]
        except (LookupError, TypeError, ValueError):
            raise Invalid(f"the schema refers to {to[:200]!r}, which is not there") from None
    return found, (*above, to)


def _nowhere(uri: str) -> Any:
    raise Invalid(f"the schema refers to {uri[:200]!r}, which is not known here")


def _placed(path: list[str | int], words: str) -> str:
    """Return *words* behind the place in the value: `items[0].cents: …`."""
    place = ""
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
        else:
            quoted = step if step.isidentifier() else json.dumps(step)
            place += f".{quoted}" if place else quoted
    return f"{place}: {words}" if place else words
