"""What crosses between a Lua state and the functions that Python lends it.

A lent function takes bytes, numbers and booleans, and answers a tuple: `(True, value...)` or
`(False, kind, message, retryable)`. It never raises, for an exception that reached a script's
`pcall` would be a live Python object; and it never calls back into the state that called it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from moonq import log
from moonq.errors import MoonqError

_log = log.get("moonq.sandbox")
#: The largest answer that may cross into a state: the reserve above its soft limit, halved.
MAX_ANSWER = 4 * 1024 * 1024
#: Bytes of a name that are looked at: all of the longest key of a store, and one more.
MAX_NAME = 4 * 1024 + 1
#: Characters of a refusal that a script gets.
MAX_WORDS = 8192
_PLAIN = (int, bool, float)


class Bound(NamedTuple):
    """A lent function as one state gets it."""

    call: Callable[..., tuple[Any, ...]]
    waits: bool = False


class Several(tuple[Any, ...]):
    """What a lent function answers with more values than one."""

    __slots__ = ()


def safe(function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """Return *function* as it may be lent: it answers and never raises."""

    def call(*arguments: Any) -> tuple[Any, ...]:
        try:
            return answered(function(*arguments))
        except BaseException as problem:  # noqa: BLE001 - nothing may cross as an exception
            return failed(problem)

    return call


def answered(answer: Any) -> tuple[Any, ...]:
    """Return what a lent function has answered as it crosses."""
    if type(answer) is bytes and len(answer) <= MAX_ANSWER:
        return True, answer
    if type(answer) is Several:
        return True, *map(_crossing, answer)
    return True, _crossing(answer)


def failed(problem: BaseException) -> tuple[Any, ...]:
    """Return what a lent function has raised as it crosses."""
    if isinstance(problem, MoonqError):
        return False, _words(problem.kind), _words(problem.in_one_line()), problem.retryable
    _log.error("a lent function failed", exc_info=problem)
    return False, b"INTERNAL", b"moonq failed inside; see its log", None


def own(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Bound]:
    """Lend what only tests and consoles have, which judge for themselves who may call it."""
    return {name: Bound(safe(function)) for name, function in functions.items()}


def name(value: bytes) -> str:
    """Return an id or a key as text; one that is too long to be any is cut, and stays too long.

    To read megabytes that a script calls a name would hold up every other worker.
    """
    return text(value[:MAX_NAME])


def text(value: bytes) -> str:
    """Return a Lua string as text; what is not UTF-8 is shown as such."""
    return value.decode("utf-8", "replace")


def _crossing(answer: Any) -> Any:
    """Return *answer* if Lua makes a value of its own of it; else it would be a live object."""
    kind = type(answer)
    if kind is bytes:
        return bounded(answer)
    if kind is int and not -(2**63) <= answer < 2**63:
        raise MoonqError("the answer is a number that does not fit 64 bits")
    if answer is not None and kind not in _PLAIN:
        raise TypeError(f"a lent function answered a {kind.__name__}")
    return answer


def _words(value: str) -> bytes:
    return value[:MAX_WORDS].encode("utf-8", "replace")


def bounded(answer: bytes) -> bytes:
    """Return *answer*, which must fit into a state.

    Raises:
        MoonqError: It is too large.
    """
    if len(answer) > MAX_ANSWER:
        raise MoonqError(f"the answer has {len(answer)} bytes, more than {MAX_ANSWER}")
    return answer
