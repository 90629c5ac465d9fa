"""Log lines of scripts."""

from __future__ import annotations

from moonq.run.calling.lending import Caller, lent
from moonq.run.calling.sinks import Line
from moonq.sandbox.lend import name, text


@lent(action=None, writes=False, waits=False)
def log(
    caller: Caller,
    index: int,
    level: int,
    logger: bytes,
    message: bytes,
    fields: bytes,
) -> None:
    """Write a line; *index* is its message's number in the running call."""
    entry, about = caller.context.entry, caller.log_context(index)
    line = Line(level, name(logger) or entry, text(message), fields, entry, about)
    caller.sink.write_log(line)


@lent(action=None, writes=False, waits=False)
def log_level(caller: Caller, logger: bytes = b"") -> int:
    """Return the lowest level that is written, 1 to 5."""
    return caller.sink.log_level(name(logger) or caller.context.entry)
