"""The text of a statement: where its parameters stand, and which word it begins with.

    read(b"SELECT ':no', :id -- :no", POSTGRES).names   # ("id",)

A colon within a literal, a quoted name or a comment, in `::`, `:=` or before a digit is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from moonq.databases.faults import invalid
from moonq.text.suggestions import close, question

#: Bytes of a statement.
MAX_TEXT = 256 * 1024
#: Bytes of one whose reading is worth keeping.
_SHORT = 8 * 1024
# Every alternative that begins goes through to its end or that of the text: reading is linear.
_PLAIN = r"'(?:[^']|'')*+'?"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*+\\?'?"
_DOUBLE = r'"(?:[^"]|"")*+"?'
_BACKTICK = r"`(?:[^`]|``)*+`?"
_LINE = r"--[^\n]*+"
_BLOCK = r"/\*(?s:.*?)(?:\*/|\Z)"
_WORD = r"[^\W\d][\w$]*+"
_PARAMETER = r":(?P<name>[A-Za-z_][A-Za-z0-9_]*+)"
_COLONS = r"::|:="
#: What only a transaction of moonq's may do.
_CONTROL = frozenset(
    ["abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start", "xa"]
)


#: How texts are read, by the make of the database: what of them is no statement.
DIALECTS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (_LINE, _BLOCK, _PLAIN, _DOUBLE, _BACKTICK, r"\[[^\]]*+\]?"),
    "postgres": (
        _LINE,
        r"(?P<nested>/\*)",
        rf"[eE]{_ESCAPED}",
        _PLAIN,
        _DOUBLE,
        r"(?P<dollar>\$(?:[^\W\d]\w*+)?\$)",
    ),
    "mysql": (
        r"--(?=[\s\x00-\x1f]|\Z)[^\n]*+",
        r"#[^\n]*+",
        _BLOCK,
        _ESCAPED,
        r'"(?:[^"\\]|\\.|"")*+\\?"?',
        _BACKTICK,
    ),
    # With the mode NO_BACKSLASH_ESCAPES.
    "mysql_plain": (
        r"--(?=[\s\x00-\x1f]|\Z)[^\n]*+",
        r"#[^\n]*+",
        _BLOCK,
        _PLAIN,
        _DOUBLE,
        _BACKTICK,
    ),
}


@cache
def _pattern(dialect: str) -> re.Pattern[str]:
    every = (*DIALECTS[dialect], _COLONS, _PARAMETER, _WORD)
    return re.compile("|".join(every), re.DOTALL)


class Statement(NamedTuple):
    """A text cut at its parameters: `parts[n]` comes before `names[n]`, the last part behind."""

    parts: tuple[str, ...]
    names: tuple[str, ...]
    first: str
    """Its first word, in lower case."""
    has_code: bool = False
    """Whether a comment of it is none to MariaDB, such as `/*!50000 DROP TABLE t */`."""

    def check(self, values: Mapping[str, Any]) -> None:
        """Compare the parameters with the *values* that are given.

        Raises:
            Failed: One is missing, or there is none of that name.
        """
        for name in self.names:
            if name not in values:
                hint = "for NULL give sql.null" if not close(name, values) else ""
                raise invalid(f"no value for :{name}{question_after(name, values)}", hint)
        wanted = frozenset(self.names)
        for name in values:
            if name not in wanted:
                raise invalid(f"the statement has no :{name}{question_after(name, wanted)}")


def question_after(name: str, known: Any) -> str:
    """Return `; did you mean …?` where there is something like *name*."""
    likely = question(close(name, known))
    return f"; {likely}" if likely else ""


def read(text: bytes, dialect: str) -> Statement:
    """Return a statement as *dialect* reads it.

    Raises:
        Failed: It is empty, too long, no UTF-8, or steers transactions.
    """
    if len(text) > MAX_TEXT:
        raise invalid(f"the statement has {len(text)} bytes, more than {MAX_TEXT}")
    return _kept(text, dialect) if len(text) <= _SHORT else _read(text, dialect)


def _read(text: bytes, dialect: str) -> Statement:
    try:
        decoded = text.decode()
    except UnicodeDecodeError as problem:
        raise invalid(
            f"the statement is no UTF-8 at byte {problem.start + 1}", "give bytes as a parameter"
        ) from None
    if "\0" in decoded:
        raise invalid("the statement holds a zero byte", "give bytes as a parameter")
    statement = _cut(decoded, _pattern(dialect))
    if not statement.first:
        raise invalid("the statement is empty")
    if statement.first in _CONTROL:
        raise invalid(
            f"{statement.first.upper()} is not for statements", "use sql.transaction(db, fn)"
        )
    return statement


_kept = lru_cache(maxsize=512)(_read)


def _cut(text: str, pattern: re.Pattern[str]) -> Statement:
    parts: list[str] = []
    names: list[str] = []
    first, begin, at, has_code = "", 0, 0, False
    while (found := pattern.search(text, at)) is not None:
        at = found.end()
        kind = found.lastgroup
        if kind == "name":
            parts.append(text[begin : found.start()])
            names.append(found["name"])
            begin = at
        elif kind == "nested":
            at = _behind_comment(text, at)
        elif kind == "dollar":
            close_ = text.find(found[0], at)
            at = len(text) if close_ < 0 else close_ + len(found[0])
        elif found[0].startswith(("/*!", "/*M!")):
            has_code = True
        elif not first and (found[0][0].isalpha() or found[0][0] == "_"):
            first = found[0].lower()
    return Statement((*parts, text[begin:]), tuple(names), first, has_code)


_COMMENT = re.compile(r"/\*|\*/")


def _behind_comment(text: str, at: int) -> int:
    """Return where the comment ends that began before *at*: those of PostgreSQL nest."""
    depth = 1
    while depth:
        found = _COMMENT.search(text, at)
        if found is None:
            return len(text)
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
    return at
