r"""What travels over the socket: one JSON object per line.

    {"kind":"eval","id":1,"src":"1 + 1"}                       from the client
    {"kind":"result","id":1,"value":{...}}                     the answer with the same id
    {"kind":"error","id":1,"error":{"kind":"INVALID",...}}     or this
    {"kind":"event","id":3,"event":{...}}                      for subscription 3

Bytes that are no frame are answered like a request that went wrong, and the line after them is read
as if nothing had happened.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from moonq import errors
from moonq.errors import MoonqError, ProjectInvalid, ScriptError
from moonq.operations import documents
from moonq.text.findings import Finding
from moonq.text.json_in import parsed

Frame = dict[str, Any]
#: The longest line that is read: the largest usual body with all its escapes.
LONGEST = 4 * 1024 * 1024
MOST_DIGITS = 20
#: What a line has in which a number is too large; a text may look so too.
_BEYOND = re.compile(rb"\d{19}|[eE]\+?\d{3}|NaN|Infinity")


def result(number: int | None, value: Any) -> Frame:
    """Return the answer to request *number*."""
    return {"kind": "result", "id": number, "value": value}


def refusal(number: int | None, problem: MoonqError) -> Frame:
    """Return the answer to request *number* when it went wrong; None when it has no number."""
    return {"kind": "error", "id": number, "error": error_object(problem)}


class Malformed(Exception):
    """A line that is no frame; the text says why."""

    number: int | None = None
    """Of the request, where it can be told."""


def encode(frame: Frame) -> bytes:
    """Return *frame* as a line."""
    return (
        json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
        + b"\n"
    )


def decode(line: bytes) -> Frame:
    """Return the frame in *line*.

    Raises:
        Malformed: It is none.
    """
    try:
        frame = parsed(line)
        if _BEYOND.search(line):
            json.loads(line, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
    except _Unfit as problem:
        raise _numbered(frame, f"{problem} is no number that moonq can work with") from None
    except ValueError as problem:
        raise Malformed(f"no JSON: {problem}") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("kind"), str):
        raise Malformed('a frame is an object with a `kind`, such as {"kind":"status","id":1}')
    return frame


class _Unfit(ValueError):
    """A number that JSON can write and nothing of ours can hold."""


def _finite(word: str) -> float:
    if math.isfinite(found := float(word)):
        return found
    raise _Unfit(_short(word))


def _integer(word: str) -> int:
    # Python refuses to convert thousands of digits, and 64 bits end long before.
    if len(word) <= MOST_DIGITS and -(2**63) <= (found := int(word)) < 2**63:
        return found
    raise _Unfit(_short(word))


def _short(word: str) -> str:
    return word if len(word) <= MOST_DIGITS else f"{word[:MOST_DIGITS]}…"


def _numbered(frame: Any, text: str) -> Malformed:
    """Say what is wrong with *frame* to whoever waits for its answer."""
    problem = Malformed(text)
    number = frame.get("id") if isinstance(frame, dict) else None
    problem.number = number if type(number) is int and abs(number) < 2**63 else None
    return problem


def lines(file: BinaryIO, longest: int = LONGEST) -> Iterator[bytes | Malformed]:
    """Yield the lines of *file*, and close it; one that is too long is skipped and reported."""
    with file:
        while line := file.readline(longest + 1):
            if line.endswith(b"\n"):
                if line.strip():
                    yield line[:-1]
            elif len(line) > longest:
                while (rest := file.readline(65536)) and not rest.endswith(b"\n"):
                    pass
                yield Malformed(f"a frame has at most {longest} bytes")


def error_object(problem: MoonqError) -> dict[str, Any]:
    """Return *problem* as it travels."""
    found = documents.error_object(problem)
    if isinstance(problem, ProjectInvalid):
        found["findings"] = [asdict(finding) for finding in problem.findings]
    elif isinstance(problem, ScriptError) and problem.finding is not None:
        found["finding"] = asdict(problem.finding)
    return found


def error_of(found: dict[str, Any]) -> MoonqError:
    """Return the error that `error_object` made, of the same class where that is known."""
    if "findings" in found:
        return ProjectInvalid([finding_of(one) for one in found["findings"]])
    known = getattr(errors, str(found.get("type")), None)
    if not (isinstance(known, type) and issubclass(known, MoonqError)):
        known = MoonqError
    problem = known(str(found.get("message")), hint=str(found.get("hint") or ""))
    if isinstance(problem, ScriptError) and "finding" in found:
        problem.finding = finding_of(found["finding"])
    problem.kind = str(found.get("kind") or problem.kind)
    problem.retryable = found.get("retryable")
    return problem


def finding_of(found: dict[str, Any]) -> Finding:
    """Return the finding that became *found* on its way."""
    from pydantic import TypeAdapter

    return TypeAdapter(Finding).validate_python(found)
