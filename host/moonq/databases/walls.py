"""What a statement may do in SQLite: its authorizer is asked while a statement is prepared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

#: PRAGMAs that tell about tables, and those that every program may set.
_PRAGMAS = frozenset(
    [
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "optimize",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
        "user_version",
    ]
)
#: Those that may be read only.
_READ = frozenset(
    [
        "application_id",
        "collation_list",
        "compile_options",
        "data_version",
        "encoding",
        "foreign_keys",
        "freelist_count",
        "function_list",
        "journal_mode",
        "page_count",
        "page_size",
    ]
)
#: Functions that reach beyond the database, or that nothing interrupts: `%.*c` counts to 10^9.
_FUNCTIONS = frozenset(
    [
        "edit",
        "format",
        "fts3_tokenizer",
        "load_extension",
        "printf",
        "readfile",
        "regexp",
        "writefile",
    ]
)
_TEMPORARY = {
    sqlite3.SQLITE_CREATE_TEMP_INDEX,
    sqlite3.SQLITE_CREATE_TEMP_TABLE,
    sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
    sqlite3.SQLITE_CREATE_TEMP_VIEW,
}


#: Characters that `trim(text, characters)` may look for: SQLite's own looks for each at each place,
#: which takes half an hour where both are a mebibyte.
_TRIMMED = 256


class Walls:
    """The authorizer of one connection."""

    def __init__(self) -> None:
        self.denied = ""
        """What was refused last, in words."""
        self.has_temporary = False
        """Whether there may be temporary tables."""

    def bound_functions(self, connection: sqlite3.Connection) -> None:
        """Let no function look for each of its texts at each place of another.

        Nothing interrupts a function, nor several in one row: SQLite's own `instr` takes a second
        for half a mebibyte, and a statement has room for thousands of them.
        """
        longest = connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        connection.create_function("instr", 2, _place, deterministic=True)
        connection.create_function("replace", 3, partial(_replaced, longest), deterministic=True)
        ways = {"trim": str.strip, "ltrim": str.lstrip, "rtrim": str.rstrip}
        for name, cut in ways.items():
            connection.create_function(name, 2, partial(self._trimmed, cut), deterministic=True)

    def _trimmed(self, cut: Callable[[str, str], str], text: Any, characters: Any) -> str | None:
        if text is None or characters is None:
            return None
        wanted = _shown(characters)
        if len(wanted) > _TRIMMED:
            self.denied = f"trim takes at most {_TRIMMED} characters to be cut off"
            raise ValueError(self.denied)
        return cut(_shown(text), wanted)

    def authorize(
        self, action: int, first: str | None, second: str | None, _db: str | None, _by: str | None
    ) -> int:
        """Answer SQLite whether it may do that."""
        reason = _refusal(action, first, second)
        if reason:
            self.denied = reason
            return sqlite3.SQLITE_DENY
        if action in _TEMPORARY:
            self.has_temporary = True
        return sqlite3.SQLITE_OK


def _place(text: Any, part: Any) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _shown(text).find(_shown(part)) + 1


def _replaced(longest: int, text: Any, part: Any, by: Any) -> Any:
    if text is None or part is None:
        return None
    whole, old = _shown(text), _shown(part)
    if not old or old[0] == "\0":  # as SQLite has it
        return whole if isinstance(text, bytes) else text
    if by is None:
        return None
    new = _shown(by)
    if len(whole) + whole.count(old) * (len(new) - len(old)) > longest:
        raise OverflowError  # what SQLite calls "string or blob too big"
    return whole.replace(old, new)


def _shown(value: Any) -> str:
    """Return *value* as SQLite makes a text of it."""
    if isinstance(value, float):
        text = f"{value:.15g}"
        return text if set(text) - set("-0123456789") else f"{text}.0"
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _refusal(action: int, first: str | None, second: str | None) -> str:
    if action in {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}:
        return "ATTACH, DETACH and VACUUM reach other files, so they are not for scripts"
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        if name in _PRAGMAS or (name in _READ and second is None):
            return ""
        return f"PRAGMA {name} is not for scripts"
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS:
        return f"the function {second} is not for scripts"
    return ""
