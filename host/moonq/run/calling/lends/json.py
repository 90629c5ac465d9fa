"""JSON beyond its text: what a schema says of a value."""

from __future__ import annotations

from moonq.run.calling.lending import Caller, lent
from moonq.run.schemas import check_for_script


@lent(action=None, writes=False, waits=False)
def json_validate(caller: Caller, schema: bytes, value: bytes) -> bytes:
    """Return what is wrong with *value* by *schema*, both JSON texts; empty when nothing is."""
    return check_for_script(schema, value).encode("utf-8", "replace")
