"""The variables that `env.variable` entries name."""

from __future__ import annotations

import json

from moonq.run.calling.lending import Caller, lent
from moonq.run.calling.services import VARIABLE
from moonq.sandbox.lend import name


@lent(action="env.read", names=VARIABLE, writes=False, waits=False)
def env(caller: Caller, variable: bytes) -> bytes | None:
    """Return the value of a variable."""
    value = caller.host.variable(name(variable))
    return None if value is None else value.encode("utf-8", "replace")


@lent(action=None, writes=False, waits=False)
def env_names(caller: Caller) -> bytes:
    """Return the names of all such variables that may be read as a JSON array."""
    named = caller.host.variables()
    known = sorted(one for one, id_ in named.items() if caller.may("env.read", id_))
    return json.dumps(known, ensure_ascii=False).encode("utf-8", "replace")
