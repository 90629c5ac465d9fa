"""The types of fields: how a value from YAML becomes a checked Python value.

Nothing is coerced silently: `"4"` is text and no number. Only a value that came as a whole from
`${env:NAME}` may become the number or boolean its field wants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from moonq import durations
from moonq.registry.yaml.scalars import EnvText, TooBig, meaning
from moonq.text import sizes

DAY = 86_400.0
#: The word of a JSON Schema under which a field that names entries says of which kinds.
REFERS = "moonq-refers"
WRONG_VALUE = "wrong_value"


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a field that names other entries: an id, a list of ids, or a map to ids."""

    kinds: tuple[str, ...] = ()
    """Accepted kinds, a trailing dot accepts the whole family; none accepts every kind."""
    called: str = ""
    """What the reference is called beside its entry; default: the field at the entry's top."""
    instead: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What to do instead, by the kind that was named by mistake; `{0}` is its id."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the schema of the field with the kinds in it."""
        return {**handler(schema), REFERS: [*self.kinds]}

    def accepts(self, kind: str) -> bool:
        """Say whether an entry of *kind* may stand in this field."""
        return not self.kinds or any(
            kind.startswith(wanted) if wanted.endswith(".") else kind == wanted
            for wanted in self.kinds
        )

    @property
    def wanted(self) -> str:
        """The accepted kinds in words."""
        return " or ".join(f"{kind}*" if kind.endswith(".") else kind for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Also:
    """Marks a field that may be written in a shorter way, too: the JSON Schema of that."""

    shape: Mapping[str, Any] = field(hash=False)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the schema of both ways."""
        return {"anyOf": [handler(schema), dict(self.shape)]}


#: A text, short for more.
TEXT = Also({"type": "string"})


def wrong(
    message: str,
    *,
    help: str = "",  # noqa: A002
    note: str = "",
    code: str = "R207",
) -> PydanticCustomError:
    """Return the error for a value of the right type that makes no sense.

    *message* is a full sentence that begins with the field, or what follows behind its name.
    """
    details = {"message": message, "help": help, "note": note, "code": code}
    return PydanticCustomError(WRONG_VALUE, "{message}", details)


def _from_env(value: Any) -> Any:
    if isinstance(value, EnvText):
        try:
            return meaning(value)
        except TooBig:
            return value
    return value


@dataclass(frozen=True, slots=True)
class Written:
    """A validator for what people write in a form of its own: a length of time, an amount."""

    what: str
    """What it is, in a word."""
    parse: Callable[[Any], Any]
    show: Callable[[Any], str]
    """Says a value as people write it."""
    takes_none: bool = False
    """Whether the word `none` is one too, for no bound."""

    def __call__(self, value: Any) -> Any:
        """Return what *value* means."""
        if self.takes_none and value == "none":
            return None
        try:
            return self.parse(_from_env(value))
        except ValueError as error:
            raise wrong(str(error)) from None


@dataclass(frozen=True, slots=True)
class Between:
    """A validator of a number between two others, both allowed."""

    low: float
    high: float
    show: Callable[[Any], str] = str
    """Says a bound as people write it."""
    note: Callable[[Any], str] | None = None
    help: str = ""

    def __call__(self, value: Any) -> Any:
        """Return *value* where it lies there."""
        if value is None or self.low <= value <= self.high:
            return value
        message = f" must be between {self.show(self.low)} and {self.show(self.high)}"
        note = self.note(value) if self.note else ""
        raise wrong(message, help=self.help, note=note, code="R208")


def between(
    low: float,
    high: float,
    *,
    show: Callable[[Any], str] = str,
    note: Callable[[Any], str] | None = None,
    help: str = "",  # noqa: A002
) -> AfterValidator:
    """Return a check that a number lies between *low* and *high*, both allowed.

    *show* says the bounds as people write them; *note* and *help* go below the frame.
    """
    return AfterValidator(Between(low, high, show, note, help))


def _time(value: float) -> str:
    return durations.show(value) if value else "0s"


def seconds_between(low: float, high: float) -> AfterValidator:
    """Return a check of a length of time."""
    return between(low, high, show=_time)


def bytes_between(low: int, high: int) -> AfterValidator:
    """Return a check of an amount of memory."""
    return between(low, high, show=sizes.show)


_SHELL = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def as_env(path: str) -> str:
    """Return *path* with `${env:NAME}` for what only a shell would fill in."""

    def named(match: re.Match[str]) -> str:
        name = match[1] or match[2] or ""
        return f"${{env:{name if _NAME.fullmatch(name) else 'NAME'}}}"

    spelt = _SHELL.sub(named, path)
    return f"${{env:HOME}}{spelt[1:]}" if path == "~" or path.startswith("~/") else spelt


def _is_literal(path: str) -> str:
    if "$" not in path and not path.startswith("~"):
        return path
    what, spelt = "~" if path.startswith("~") else "$", as_env(path)
    help_ = f"write `{spelt}`" if spelt != path else "write the folder's full path"
    raise wrong(f" holds a `{what}` that nothing fills in", help=help_)


#: The path of a file: no shell reads it, so `$NAME` and `~` are mistakes.
FilePath = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_is_literal)]
#: One "between" per field keeps the bounds where the field is; these are the bare types.
Whole = Annotated[int, BeforeValidator(_from_env)]
Number = Annotated[float, BeforeValidator(_from_env)]
Flag = Annotated[bool, BeforeValidator(_from_env)]
_SIZE = Written("size", sizes.parse, sizes.show)
_DURATION = Written("duration", durations.parse, _time)
Size = Annotated[int, BeforeValidator(_SIZE)]
#: An amount of memory, or the word `none` for no bound.
SizeOrNone = Annotated[int | None, BeforeValidator(replace(_SIZE, takes_none=True))]
Seconds = Annotated[float, BeforeValidator(_DURATION)]
#: A length of time, or the word `none` for no limit.
SecondsOrNone = Annotated[float | None, BeforeValidator(replace(_DURATION, takes_none=True))]

Count = Annotated[Whole, between(1, 1_000_000)]
Share = Annotated[Number, between(0, 1)]
Wait = Annotated[Seconds, seconds_between(0, 365 * DAY)]
Limit = Annotated[Seconds, seconds_between(0.001, 365 * DAY)]
LimitOrNone = Annotated[SecondsOrNone, seconds_between(0.001, 365 * DAY)]
