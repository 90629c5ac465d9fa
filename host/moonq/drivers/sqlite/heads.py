"""Who stands in front: the first of each level of a line."""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

from typing import Final

from moonq.model import Priority

#: Place and number of the first row of each level of queue `?1`.
HEADS: Final = " UNION ALL ".join(
    "SELECT * FROM (SELECT pos, id FROM msg INDEXED BY msg_ready WHERE q = ?1"
    f" AND suspect = {suspect} AND pri = {priority:d} AND state = 0 ORDER BY pos, id LIMIT 1)"
    for suspect in (0, 1)
    for priority in Priority
)
#: When the oldest row that could be served, were it its turn, was published.
OLDEST: Final = (
    "SELECT min(pub) FROM (SELECT pub FROM msg WHERE id IN"
    f" (SELECT id FROM ({HEADS}))"
    " UNION ALL SELECT * FROM (SELECT pub FROM msg INDEXED BY msg_late WHERE q = ?1 AND state < 2"
    " AND (late OR grp IS NOT NULL) ORDER BY pub LIMIT 1))"
)
