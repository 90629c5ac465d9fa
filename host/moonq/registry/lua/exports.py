"""Looks whether a file returns the function that its entry calls, where that shows without running.

`return handler` shows little, `return { main = main }` and a table that is only given fields show
all: what can be anything is left to the moment when the file runs (`lua/walls/exports.lua`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from moonq.registry.draft import Draft
from moonq.registry.lua.text import LuaText
from moonq.registry.lua.tokens import Token
from moonq.registry.script import Runnable
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, question

#: The function of a table where the entry names none.
USUAL = "handler"
_OPENERS = {"function", "if", "do", "repeat", "(", "{", "["}
_CLOSERS = {"end", "until", ")", "}", "]"}
_LITERALS = {"number": "a number", "string": "a text", "long": "a text"}

#: Field -> whether it is a function beyond doubt.
Fields = dict[str, bool]


@dataclass(frozen=True)
class _Returned:
    """What a file returns, as far as it shows; all empty where it may be anything."""

    fields: Fields | None = None
    other: str = ""
    """What it returns that is neither table nor function."""
    at: Token | None = None


def check(draft: Draft, script: Runnable, text: LuaText) -> list[Finding]:
    """Return what is wrong with the `method` of *script*, or with what its file returns."""
    returned = _Text(list(text.tokens())).returned()
    if returned.other:
        return [_no_function(draft, text, returned)]
    if returned.fields is None:
        return []
    if script.method is not None:
        found = _wrong_method(draft, script.method, returned.fields)
    else:
        found = _unnamed(draft, returned.fields)
    return [found] if found else []


def _no_function(draft: Draft, text: LuaText, returned: _Returned) -> Finding:
    at = returned.at
    span = text.span(at.line, at.column, len(at.text)) if at else text.span(text.last_line(), 0)
    message = f"the file returns {returned.other}, and {draft.id} is a function"
    advice = "end it with `return` and the function"
    # A file may also raise, or not end at all, before that.
    return error("R210", message, span, help=advice, severity="warning")


def _wrong_method(draft: Draft, method: str, fields: Fields) -> Finding | None:
    if method in fields:
        return None
    return error(
        "R210",
        f"the file returns no function `{method}`",
        draft.span_of("method"),
        note=f"it returns {_listed(fields)}" if fields else "it returns an empty table",
        help=question(close(method, list(fields))) or "name a function of the table it returns",
    )


def _unnamed(draft: Draft, fields: Fields) -> Finding | None:
    functions = {name: True for name, is_function in fields.items() if is_function}
    if USUAL in fields or (fields and len(functions) < 2):
        return None
    if not fields:
        return error("R210", "the file returns an empty table", draft.span_of("source"))
    return error(
        "R210",
        "the file returns several functions",
        draft.span_of("source"),
        note=f"it returns {_listed(functions)}",
        help=f"say which one is called: `method: {next(iter(functions))}`",
    )


def _listed(fields: Fields) -> str:
    names = [f"`{name}`" for name in sorted(fields)]
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")


class _Text:
    """The words of a file."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words

    def returned(self) -> _Returned:
        """Return what the file returns at its end."""
        at, is_certain = self._last_return()
        if not is_certain:
            return _Returned()
        value = self._words[at + 1 :] if at >= 0 else []
        if value and value[-1].text == ";":
            value.pop()
        if not value or (len(value) == 1 and value[0].text == "nil"):
            return _Returned(other="nothing", at=self._words[at] if at >= 0 else None)
        if len(value) == 1 and value[0].kind in _LITERALS:
            return _Returned(other=_LITERALS[value[0].kind], at=value[0])
        if value[0].text == "{" and self._closing(at + 1) == len(self._words) - 1:
            return _Returned(self._constructor(at + 1))
        if len(value) == 1 and value[0].kind == "name":
            return _Returned(self._fields_of(value[0].text, at + 1))
        return _Returned()

    def _last_return(self) -> tuple[int, bool]:
        """Where the `return` at the end is, or -1; and whether none stands in another block."""
        open_: list[str] = []
        for at, word in enumerate(self._words):
            if word.kind == "name" and word.text == "return" and "function" not in open_:
                return at, not open_
            self._step(open_, word)
        return -1, True

    @staticmethod
    def _step(open_: list[str], word: Token) -> None:
        if word.kind not in {"name", "op"}:
            return
        if word.text in _OPENERS:
            open_.append(word.text)
        elif word.text in _CLOSERS and open_:
            open_.pop()

    def _closing(self, at: int) -> int:
        """Where the bracket that opens at *at* closes."""
        open_: list[str] = []
        for place in range(at, len(self._words)):
            self._step(open_, self._words[place])
            if not open_:
                return place
        return -1

    def _constructor(self, at: int) -> Fields | None:
        fields: Fields = {}
        for start in self._items(at):
            key, sign = self._words[start : start + 2]
            if key.text == "[":
                return None
            if key.kind == "name" and sign.text == "=":
                fields[key.text] = self._is_function(start + 2)
        return fields

    def _items(self, at: int) -> Iterator[int]:
        """Yield where each item of the constructor at *at* begins."""
        open_: list[str] = []
        last = self._closing(at)
        for place in range(at, last):
            self._step(open_, self._words[place])
            is_between = len(open_) == 1 and self._words[place].text in {"{", ",", ";"}
            if is_between and place + 1 < last:
                yield place + 1

    def _is_function(self, at: int) -> bool:
        value, after = self._words[at : at + 2]
        if value.text == "function":
            return True
        return after.text in {",", ";", "}"} and value.text in self._functions

    @cached_property
    def _functions(self) -> set[str]:
        """The names behind `local function`."""
        before = zip(self._words, self._words[1:], self._words[2:], strict=False)
        return {
            name.text
            for first, second, name in before
            if (first.text, second.text) == ("local", "function")
        }

    def _fields_of(self, name: str, last: int) -> Fields | None:
        """The fields of a local table that nothing but its own fields are ever used of."""
        fields: Fields | None = None
        for at, word in enumerate(self._words[:last]):
            before = self._words[at - 1].text if at else ""
            if word.kind != "name" or word.text != name or before in {".", ":"}:
                continue
            after = [other.text for other in self._words[at + 1 : at + 4]]
            if before == "local" and after[:2] == ["=", "{"] and fields is None:
                fields = self._constructor(at + 2)
            elif fields is None or after[0] not in {".", ":"}:
                return None
            elif before == "function":
                fields[after[1]] = after[2] == "("
            elif after[0] == ":":
                return None
            elif after[2] == "=":
                fields[after[1]] = self._words[at + 4].text == "function"
        return fields
