"""What a scalar means: YAML 1.2 core types and `${env:NAME}`.

meaning("yes")    # "yes"   (true for YAML 1.1)
meaning("010")    # 10      (8 for YAML 1.1)
meaning("12:30")  # "12:30" (750 for YAML 1.1)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

Value = str | int | float | bool | None

_CONSTANTS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_BASES = {"0o": 8, "0x": 16}
#: Plain scalars that YAML 1.1 reads as something else, with what it made of them.
_ONCE = (
    (re.compile(r"yes|Yes|YES|on|On|ON"), "true"),
    (re.compile(r"no|No|NO|off|Off|OFF"), "false"),
    (re.compile(r"[-+]?0[0-7]+"), "an octal number"),
    (re.compile(r"[-+]?[1-9][0-9]*(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number of base 60"),
    (re.compile(r"[-+]?([1-9][0-9]*|0)(_[0-9]+)+|0b[01_]+"), "a number"),
)
#: Text that needs no quotes wherever it stands.
_PLAIN = re.compile(r"[A-Za-z_][\w./*-]*(:[\w./*-]+)*")
ENV = re.compile(r"\$\{env:([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTEGER_BITS = 64


class EnvText(str):
    """Text from the environment or an option: where a number is wanted it may be one."""

    __slots__ = ()


class TooBig(ValueError):
    """A number that no Lua value can hold."""


def meaning(text: str) -> Value:
    """Return what the plain scalar *text* means in YAML 1.2 core.

    Raises:
        TooBig: An integer beyond 64 bits.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        # ".inf" and ".nan" are Python's words but for the dot.
        return float(re.sub(r"\.(?=[inIN])", "", text))
    return text


def _integer(text: str) -> int:
    base = _BASES.get(text[:2], 10)
    digits = text.lstrip("+-").removeprefix("0o").removeprefix("0x").lstrip("0") or "0"
    # Python refuses to convert thousands of digits, and 64 bits end long before.
    value = int(digits, base) if len(digits) <= _INTEGER_BITS else 2**_INTEGER_BITS
    value = -value if text.startswith("-") else value
    if not -(2**63) <= value < 2**63:
        raise TooBig(text)
    return value


def is_null(text: str) -> bool:
    """Say whether the plain scalar *text* is one of the words for no value."""
    return text in _CONSTANTS and _CONSTANTS[text] is None


def formerly(text: str) -> str:
    """Return what YAML 1.1 made of the plain scalar *text*, empty if the same."""
    return next((was for pattern, was in _ONCE if pattern.fullmatch(text)), "")


def as_written(text: str) -> str:
    """Return *text* as it is written in YAML, even inside of a list: in quotes where it needs them.

    as_written("*")      # '"*"'
    as_written("app:x")  # 'app:x'
    """
    is_plain = _PLAIN.fullmatch(text) and text not in _CONSTANTS and not formerly(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


class MissingVariable(LookupError):
    """A `${env:NAME}` without a value and without a default; the name is the argument."""


def substitute(text: str, env: Mapping[str, str]) -> str:
    """Return *text* with every `${env:NAME}` and `${env:NAME:-default}` filled in.

    Raises:
        MissingVariable: A variable is not set and has no default.
        ValueError: What stands there is not the name of a variable.
    """
    if "${env:" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        name, colon, default = match[1].partition(":-")
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        found = env.get(name)
        # As in a shell, `:-` answers for an empty variable too.
        if found or (found is not None and not colon):
            return found
        if colon:
            return default
        raise MissingVariable(name)

    filled = ENV.sub(value, text)
    return EnvText(filled) if ENV.fullmatch(text) else filled
