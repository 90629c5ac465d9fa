"""Expressions over names, such as ``retries and not (slow or charge)``.

    matches("retries and not slow", "orders retries with back-off")  # True

Words stand for every name that contains them as they are written, whatever the case of letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Matcher = Callable[[str], bool]
Together = Callable[[Iterable[bool]], bool]
_RESERVED = {"and", "or", "not", "(", ")"}
_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")


def parse(expression: str) -> Matcher:
    """Return what says whether a name is meant.

    Raises:
        ValueError: It is no such expression; the text says where.
    """
    words = _TOKEN.findall(expression)
    reader = _Reader(words)
    matcher = reader.either()
    if reader.words:
        raise ValueError(f"{reader.words[0]!r} stands where 'and' or 'or' is expected")
    return matcher


def matches(expression: str, name: str) -> bool:
    """Say whether *expression* means *name*."""
    return parse(expression)(name)


class _Reader:
    """Reads a list of words from its front; each method one level of binding."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def either(self) -> Matcher:
        return self._joined("or", self._both, any)

    def _both(self) -> Matcher:
        return self._joined("and", self._one, all)

    def _joined(self, word: str, part: Callable[[], Matcher], together: Together) -> Matcher:
        parts = [part()]
        while self._next_is(word):
            parts.append(part())
        return lambda name: together(matcher(name) for matcher in parts)

    def _one(self) -> Matcher:
        if self._next_is("not"):
            refused = self._one()
            return lambda name: not refused(name)
        if self._next_is("("):
            inner = self.either()
            if not self._next_is(")"):
                raise ValueError("a ')' is missing")
            return inner
        if not self.words or self.words[0] in _RESERVED:
            found = repr(self.words[0]) if self.words else "the end"
            raise ValueError(f"{found} stands where a word is expected")
        phrase = [self.words.pop(0)]
        while self.words and self.words[0] not in _RESERVED:
            phrase.append(self.words.pop(0))
        meant = " ".join(phrase).casefold()
        return lambda name: meant in name.casefold()

    def _next_is(self, word: str) -> bool:
        if self.words and self.words[0] == word:
            del self.words[0]
            return True
        return False
