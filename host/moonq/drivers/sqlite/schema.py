"""What the SQLite driver's file looks like inside, and how an older one is brought up to date.

    msg      one row per message, whatever its state; it moves by changing `state`
    queue    names, the count of rows, what they weigh and its dead letters wherever they lie,
             and whether it is paused, for all processes;
             below zero it is until the session of that number ends
    session  the processes that may hold messages, each proved alive by a locked file
    seat     how many consumers a session has at a queue
    dedup    keys that were published a moment ago
    moment   the newest one that was written down; see `times`

A row's `id` is the order of publishing; its `pos` the moment since which it stands in the line,
so a message that was handed back stands where it stood, and one that was delayed at the back.
`late` says that younger ones may stand before it.
"""

# ruff: noqa: S608 - what is put into statements are our own names and numbers
from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from moonq.drivers.weight import OVERHEAD
from moonq.errors import Conflict
from moonq.model import MessageState

#: Marks the file as ours ("mooq").
APPLICATION_ID: Final = 0x6D6F6F71

READY: Final = 0
#: Waits behind a message of the same group; counted as ready.
BLOCKED: Final = 1
DELAYED: Final = 2
#: Delayed, and not its group's turn.
WAITING: Final = 3
#: Delayed after a failure, its turn in the group given up (`group_on_failure: skip`).
PARKED: Final = 4
LEASED: Final = 5
RUNNING: Final = 6

STATES: Final[dict[int, MessageState]] = {
    READY: "ready",
    BLOCKED: "ready",
    DELAYED: "delayed",
    WAITING: "delayed",
    PARKED: "delayed",
    LEASED: "leased",
    RUNNING: "running",
}

# The body stands last: a large one spills to overflow pages that no other column needs.
_FIRST = """
CREATE TABLE queue(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  paused INT NOT NULL DEFAULT 0,
  length INT NOT NULL DEFAULT 0);
CREATE TABLE session(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pid INT NOT NULL,
  began REAL NOT NULL);
CREATE TABLE seat(
  sess INT NOT NULL,
  q INT NOT NULL,
  n INT NOT NULL,
  PRIMARY KEY(sess, q)) WITHOUT ROWID;
CREATE TABLE msg(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  q INT NOT NULL,
  state INT NOT NULL,
  pri INT NOT NULL,
  pos REAL NOT NULL,
  due REAL,
  exp REAL,
  sess INT,
  suspect INT NOT NULL DEFAULT 0,
  att INT NOT NULL DEFAULT 1,
  lost INT NOT NULL DEFAULT 0,
  snz INT NOT NULL DEFAULT 0,
  origin INT,
  mid TEXT NOT NULL,
  grp TEXT,
  pub REAL NOT NULL,
  ctype TEXT,
  hdr TEXT,
  errs TEXT,
  dkey TEXT,
  body BLOB NOT NULL);
CREATE INDEX msg_ready ON msg(q, suspect, pri, pos) WHERE state = 0;
CREATE INDEX msg_due ON msg(q, due) WHERE due IS NOT NULL;
CREATE INDEX msg_exp ON msg(q, exp) WHERE exp IS NOT NULL AND sess IS NULL;
CREATE INDEX msg_held ON msg(sess, suspect) WHERE sess IS NOT NULL;
CREATE INDEX msg_grp ON msg(q, grp, state, id) WHERE grp IS NOT NULL;
CREATE INDEX msg_origin ON msg(q, origin) WHERE origin IS NOT NULL;
CREATE TABLE dedup(
  q INT NOT NULL,
  k TEXT NOT NULL,
  mid TEXT NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY(q, k)) WITHOUT ROWID;
CREATE INDEX dedup_until ON dedup(until);
"""

# When a lease ended without a verdict, while what that leads to is not decided.
_LOST_AT = "ALTER TABLE msg ADD COLUMN lost_at REAL"

# An id is looked for in one step, however much lies there.
# A file's time never goes back; `zero` is when the monotonic clock of a session stood at zero.
_MOMENT = """
CREATE INDEX msg_mid ON msg(mid);
CREATE TABLE moment(one INTEGER PRIMARY KEY, newest REAL NOT NULL);
INSERT INTO moment VALUES(1, 0);
ALTER TABLE session ADD COLUMN zero REAL;
"""

#: What a row weighs, see `moonq.drivers.weight`; `{}` is what it is called.
WEIGHT: Final = (
    f"{OVERHEAD} + length({{0}}.body) + ifnull(length({{0}}.hdr), 0)"
    " + ifnull(length({0}.errs), 0)"
)


def _weighed(event: str, row: str, sign: str) -> str:
    """Return the triggers that add what a row weighs to its queue, or take it away."""
    added = f"{sign} ({WEIGHT.format(row)})"
    return f"""
CREATE TRIGGER msg_{event} AFTER {event} ON msg BEGIN
  UPDATE queue SET bytes = bytes {added} WHERE id = {row}.q;
END;
CREATE TRIGGER msg_dead_{event} AFTER {event} ON msg WHEN {row}.origin IS NOT NULL BEGIN
  UPDATE queue SET dead_bytes = dead_bytes {added} WHERE id = {row}.origin;
END;
"""


_GROWN = f"({WEIGHT.format('new')}) - ({WEIGHT.format('old')})"
_BYTES = f"""
ALTER TABLE queue ADD COLUMN bytes INT NOT NULL DEFAULT 0;
ALTER TABLE queue ADD COLUMN dead_bytes INT NOT NULL DEFAULT 0;
UPDATE queue SET
  bytes = (SELECT ifnull(sum({WEIGHT.format("msg")}), 0) FROM msg WHERE q = queue.id);
UPDATE queue SET dead_bytes = ifnull((SELECT weighs FROM
  (SELECT origin, sum({WEIGHT.format("msg")}) AS weighs FROM msg
   WHERE origin IS NOT NULL GROUP BY origin) WHERE origin = queue.id), 0);
{_weighed("insert", "new", "+")}
{_weighed("delete", "old", "-")}
CREATE TRIGGER msg_errs AFTER UPDATE OF errs ON msg WHEN old.errs IS NOT new.errs BEGIN
  UPDATE queue SET bytes = bytes + {_GROWN} WHERE id = new.q;
  UPDATE queue SET dead_bytes = dead_bytes + {_GROWN} WHERE id = new.origin;
END;
"""

# Who stands behind younger ones: came due, died or was moved. With those of groups, which wait for
# each other, they are found by age; all others by their place in the line.
_LATE = """
ALTER TABLE msg ADD COLUMN late INT NOT NULL DEFAULT 0;
UPDATE msg SET late = 1 WHERE att > 1 OR lost > 0 OR snz > 0 OR origin IS NOT NULL;
CREATE INDEX msg_late ON msg(q, pub) WHERE state < 2 AND (late OR grp IS NOT NULL);
"""

#: Step *n* leads from version *n* to the next one; a file that exists is never rewritten.
STEPS: list[str] = [_FIRST, _LOST_AT, _MOMENT, _BYTES, _LATE]


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to the newest version, in one transaction.

    Raises:
        Conflict: It is another program's, or a newer moonq's.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        for step in STEPS[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        if version < len(STEPS):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(step: str) -> Iterator[str]:
    """Yield the statements of *step*; those of a trigger belong together."""
    statement = ""
    for part in step.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def check_owner(connection: sqlite3.Connection, path: str) -> None:
    """Refuse a file that is not ours before anything in it is changed.

    Raises:
        Conflict: It is another program's, or a newer moonq's.
    """
    _version(connection, path)


def _version(connection: sqlite3.Connection, path: str) -> int:
    """Return the file's version; 0 is an empty file."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if owner == 0 and version == 0 and tables == 0:
        return 0
    if owner != APPLICATION_ID:
        raise Conflict(
            f"{path} is a database of another program",
            hint="give the driver a `path` of its own",
        )
    if version > len(STEPS):
        raise Conflict(
            f"{path} was written by a newer moonq: its version is {version}, this one knows "
            f"{len(STEPS)}",
            hint="update moonq, or give the driver another `path`",
        )
    return int(version)
