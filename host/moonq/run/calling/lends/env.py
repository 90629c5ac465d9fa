"""The variables that `env.variable` entries name."""

from __future__ import annotations

import json

from moonq.errors import NotFound
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import name


@lent(action="env.read", writes=False, waits=False)
def env(caller: Caller, variable: bytes) -> bytes | None:
    """Return the value of a variable."""
    wanted = name(variable)
    if wanted not in caller.host.variables:
        raise NotFound(f"no env.variable entry names {wanted!r}")
    value = caller.host.variables[wanted]
    return None if value is None else value.encode("utf-8", "replace")


@lent(action=None, writes=False, waits=False)
def env_names(caller: Caller) -> bytes:
    """Return the names of all such variables as a JSON array."""
    return json.dumps(sorted(caller.host.variables), ensure_ascii=False).encode("utf-8", "replace")
