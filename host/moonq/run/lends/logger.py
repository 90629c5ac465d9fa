"""Log lines of scripts."""

from __future__ import annotations

from moonq.run.context import Caller
from moonq.run.lending import lent
from moonq.run.services import HostServices
from moonq.run.sinks import Line
from moonq.sandbox.lend import name, text


@lent(action=None, writes=False, waits=False)
def log(
    host: HostServices,
    caller: Caller,
    index: int,
    level: int,
    logger: bytes,
    message: bytes,
    fields: bytes,
) -> None:
    """Write a line; *index* is its message's number in the running call."""
    context = caller.context
    entry, about = context.entry, caller.log_context(index)
    line = Line(level, name(logger) or entry, text(message), fields, entry, about)
    (context.sink or host.sink).write_log(line)


@lent(action=None, writes=False, waits=False)
def log_level(host: HostServices, caller: Caller, logger: bytes = b"") -> int:
    """Return the lowest level that is written, 1 to 5."""
    context = caller.context
    return (context.sink or host.sink).log_level(name(logger) or context.entry)
