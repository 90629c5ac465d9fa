"""The scripts in the server: one text, as a Redis Function where there is one, else by EVALSHA.

The name of the library and of each function ends with a digest of the text, so hosts with other
versions of moonq use theirs side by side. A server that has forgotten them is given them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple

from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

#: What changes nothing for the worse when it is done twice.
REPEATABLE = frozenset(
    ("open", "leave", "declare", "pause", "info", "settle", "unserved", "peers", "search")
)
#: All that there is; each is a function of that name in the text.
NAMES = ("publish", "work", "drop", "redrive", "adopt", *sorted(REPEATABLE))
#: What needs memory for messages that are new: refused when the server has none left.
GROWING = frozenset(("publish", "adopt"))
How = Literal["auto", "evalsha"]


class Source(NamedTuple):
    """The text in both forms."""

    digest: str
    library: str
    script: str
    sha: str


@cache
def source() -> Source:
    """Return the text of all scripts."""
    folder = resources.files(__package__) / "scripts"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".lua")), key=_name)
    text = "\n".join(["local moonq = {}", *(one.read_text("utf-8") for one in files)])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    library = f"#!lua name=moonq_{digest}\n{text}\n" + "\n".join(_registered(digest))
    script = f"{text}\n{_DISPATCH}"
    return Source(digest, library, script, hashlib.sha1(script.encode()).hexdigest())  # noqa: S324


def _name(file: Any) -> str:
    return str(file.name)


def _registered(digest: str) -> list[str]:
    return [
        f'redis.register_function{{function_name="{name}_{digest}", callback=function(keys, args)'
        f" return moonq.{name}(keys[1], args, 1) end,"
        f" flags={{{'' if name in GROWING else repr('allow-oom')}}}}}"
        for name in NAMES
    ]


# A script that writes first what needs no memory may go on when there is none.
_GROWS = ", ".join(f"{name} = true" for name in sorted(GROWING))
_DISPATCH = f"""
if not ({{ {_GROWS} }})[ARGV[1]] then
  redis.call("DEL", KEYS[1] .. "none")
end
return moonq[ARGV[1]](KEYS[1], ARGV, 2)
"""


class Caller:
    """Turns names of scripts into commands for one connection."""

    def __init__(self, base: str, how: How) -> None:
        self._base = base
        self._how = how
        self._by_name = how == "auto"

    def command(self, name: str, args: Sequence[Any]) -> tuple[Any, ...]:
        """Return the command that runs the script *name*."""
        text = source()
        if self._by_name:
            return ("FCALL", f"{name}_{text.digest}", 1, self._base, *args)
        return ("EVALSHA", text.sha, 1, self._base, name, *args)

    def discard(self, connection: Any, digest: str) -> None:
        """Delete another version of the scripts; a host that uses it all the same loads it again.

        Raises:
            RedisError: It is not there, or may not be deleted.
        """
        _ask(connection, "FUNCTION", "DELETE", f"moonq_{digest}")

    def load(self, connection: Any) -> None:
        """Give the scripts to the server; one without Functions gets them as a script.

        Raises:
            RedisError: It does not take them.
        """
        text = source()
        self._by_name = self._how == "auto"
        if self._by_name:
            try:
                _ask(connection, "FUNCTION", "LOAD", text.library)
            except ResponseError as refusal:
                if "already exists" in str(refusal):
                    return
                if not _lacks_functions(refusal):
                    raise
                self._by_name = False
            else:
                return
        _ask(connection, "SCRIPT", "LOAD", text.script)


def is_forgotten(problem: object) -> bool:
    """Whether *problem* says that the server has no such script, or had."""
    return isinstance(problem, NoScriptError) or "Function not found" in str(problem)


def _lacks_functions(refusal: Exception) -> bool:
    return isinstance(refusal, NoPermissionError) or "unknown command" in str(refusal).lower()


def _ask(connection: Any, *command: Any) -> Any:
    connection.send_packed_command(connection.pack_command(*command))
    return connection.read_response()
