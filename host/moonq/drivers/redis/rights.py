"""Whether the user of a connection may do all that the driver does there, and what is missing.

Inside a script a server refuses a command without naming it. So they are put into a transaction
that is thrown away: a server looks at the rights already when a command is queued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from moonq.errors import Refused

if TYPE_CHECKING:
    import redis

_CALLED = re.compile(r"""\bredis\.p?call\(\s*["']([A-Za-z]+)["']""")
_OF_NAMES = re.compile(r"\b(key|channel)s?\b")
#: What takes the name of a channel where others take that of a key.
_AT_CHANNELS = frozenset(("publish", "subscribe"))


def called(script: str) -> list[str]:
    """Return the commands that a *script* names, each once, in lower case."""
    return sorted({name.lower() for name in _CALLED.findall(script)})


def check_rights(client: redis.Redis, commands: Iterable[str], key: str, where: str) -> None:
    """See whether *client* may run *commands* (`function|load` is one too) at *key*.

    Nothing is executed. Where the server does not even let us ask, nothing is found.

    Raises:
        Refused: Names the commands that are forbidden, or says that our keys are.
    """
    from redis import ResponseError

    wire: Any = client.connection
    try:
        known = _asked(wire, "COMMAND", "INFO", *commands)
        _asked(wire, "MULTI")
    except ResponseError:
        return
    samples = [sample for row in known if row and (sample := _sample(row, key))]
    answers = [(name, _queued(wire, words)) for name, words in samples]
    _asked(wire, "DISCARD")
    forbidden = [name for name, answer in answers if answer and not _OF_NAMES.search(answer)]
    if forbidden:
        allow = " ".join(f"+{name}" for name in forbidden)
        raise Refused(
            f"{where}: the user may not run {', '.join(forbidden)}",
            hint=f"let it: ACL SETUSER {_user(client)} {allow}",
        )
    kinds = sorted({hit[1] for _, answer in answers if (hit := _OF_NAMES.search(answer))})
    if kinds:
        shared = key.rpartition(":")[0]
        allow = " ".join(f"'{'~' if kind == 'key' else '&'}{shared}:*'" for kind in kinds)
        raise Refused(
            f"{where}: the user may not touch {' and '.join(f'{kind}s' for kind in kinds)} that"
            f" begin with {shared}:",
            hint=f"let it: ACL SETUSER {_user(client)} {allow}",
        )


def _queued(wire: Any, words: Sequence[str]) -> str:
    """Return why a command was not queued; empty where it was, or for other reasons than rights."""
    from redis.exceptions import NoPermissionError, ResponseError

    try:
        _asked(wire, *words)
    except NoPermissionError as problem:
        return str(problem)
    except ResponseError:
        pass
    return ""


def _asked(wire: Any, *words: str) -> Any:
    wire.send_command(*words)
    return wire.read_response()


def _sample(row: Any, key: str) -> tuple[str, list[str]] | None:
    """Return a command's name, and a call of it that is well formed as far as a queue looks."""
    arity, flags, first = row[1:4]
    if b"no_multi" in flags:
        return None
    name = row[0].decode()
    words = name.split("|")
    words += ["1"] * (abs(arity) - len(words))
    first = 1 if name in _AT_CHANNELS else first
    if 0 < first < len(words):
        words[first] = key
    return name, words


def _user(client: redis.Redis) -> str:
    return str(client.get_connection_kwargs().get("username") or "default")
