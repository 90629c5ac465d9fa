"""What an exception of a module's function tells the script: a kind, a sentence, no object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from moonq import log
from moonq.errors import MoonqError

_log = log.get("moonq.modules")


class Told(NamedTuple):
    """What the entry says of a class of exceptions."""

    kind: str
    retryable: bool | None = None


class Raised(MoonqError):
    """A function raised."""

    def __init__(self, message: str, told: Told, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = told.kind
        self.retryable = told.retryable


def told(problem: BaseException, called: str, known: Mapping[str, Told]) -> MoonqError:
    """Return what the script that called *called* gets; what nobody expected goes to the log.

    Of the classes that an exception belongs to the nearest counts, whether the entry names it
    (alone, or behind its module) or it is one of `moonq.errors`.
    """
    for kind in type(problem).__mro__:
        rule = known.get(f"{kind.__module__}.{kind.__qualname__}") or known.get(kind.__qualname__)
        if rule is not None:
            return Raised(_sentence(problem), rule)
        if kind.__module__ == MoonqError.__module__ and isinstance(problem, MoonqError):
            return Raised(problem.message, Told(problem.kind, problem.retryable), problem.hint)
    _log.error("%s raised %s", called, type(problem).__name__, exc_info=problem)
    return Raised(
        f"{called} raised {type(problem).__name__}: {_sentence(problem)}", Told("INTERNAL")
    )


def _sentence(problem: BaseException) -> str:
    try:
        return str(problem).strip() or type(problem).__name__
    except Exception:  # noqa: BLE001 - its own code may fail too
        return type(problem).__name__
