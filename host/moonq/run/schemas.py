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

from moonq.errors import Invalid
from moonq.text.extras import client
from moonq.text.json_in import parsed

#: Problems of one value that are told.
TOLD = 3
#: Bytes that a pattern in a schema may take once it is compiled; its time is linear.
MAX_PATTERN = 256 * 1024
#: Subschemas of a schema, counted anew wherever a reference leads to them.
MAX_SIZE = 10_000
#: Those times the bytes of a value: a check takes some 40 ns for each at worst (measured), and
#: nothing interrupts it.
MAX_WORK = 2 * 10**7
#: Schemas of scripts that are kept, by their text.
KEPT = 64


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
        Invalid: The schema is none, or too large for the value.
    """
    found, size = _kept(schema)
    if size * len(value) > MAX_WORK:
        raise Invalid(
            f"the schema is too large for a value of {len(value)} bytes: it has {size} parts,"
            f" at most {MAX_WORK // len(value)} will do"
        )
    return found.problem(parsed(value))


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

    Raises:
        Invalid: More than `MAX_SIZE`, or it contains itself: then the time that a value takes may
            grow with 2 to the power of its depth.
    """
    count = 0
    waiting: list[tuple[Any, tuple[str, ...]]] = [(document, ())]
    while waiting:
        part, above = waiting.pop()
        count += 1
        if count > MAX_SIZE:
            raise Invalid(f"the schema has more than {MAX_SIZE} parts, its references written out")
        if isinstance(part, list):
            waiting += [(one, above) for one in part]
        elif isinstance(part, dict):
            waiting += [(one, above) for one in part.values() if isinstance(one, dict | list)]
            waiting += [_followed(document, to, above) for to in _references(part)]
    return count


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
    for name in to[2:].split("/"):
        step = name.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or step not in found:
            raise Invalid(f"the schema refers to {to[:200]!r}, which is not there")
        found = found[step]
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
