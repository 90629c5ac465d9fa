"""Every code that an error, a warning or a note has: what it means, and what to do.

    CODES["R202"].title      # "A field names an entry that is not there"

The first letter names the family, see `FAMILIES`. A test holds the table against the places that
use codes, and tries the examples of all that `moonq check` and `moonq test` find.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonq.text.codes import entries, files, lua, running, testing
from moonq.text.codes.code import Code

FAMILIES: Mapping[str, str] = {
    "P": "A file cannot be read",
    "R": "The registry: entries, settings and profiles",
    "L": "Lua that is looked at and not run",
    "H": "A handler, when it runs",
    "S": "Security: what a session may do",
    "A": "Attaching to a host",
    "T": "Tests in Lua",
}
CODES: Mapping[str, Code] = {
    one.code: one
    for one in sorted(
        (*files.CODES, *entries.CODES, *lua.CODES, *running.CODES, *testing.CODES),
        key=lambda one: ([*FAMILIES].index(one.code[0]), one.code),
    )
}

__all__ = ["CODES", "FAMILIES", "Code"]
