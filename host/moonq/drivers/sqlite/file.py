"""The file behind the SQLite driver: where it may lie, how it is opened, what its errors mean."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moonq import log, private
from moonq.drivers.sqlite.schema import check_owner, migrate
from moonq.errors import Held, Invalid, MoonqError, QueueError, QueueFull, Unavailable, Unsupported

_log = log.get("moonq.sqlite")
#: What was said of files that others can read, once each.
_told: set[Path] = set()
#: RETURNING came with it.
OLDEST = (3, 35, 0)
#: Locks and shared memory do not work, or work only sometimes, over these.
NETWORK = re.compile(
    r"9p|afs|beegfs|ceph|cifs|davfs|fuse\.(glusterfs|rclone|s3fs|sshfs)|glusterfs|gpfs|lustre"
    r"|ncpfs|nfs4?|ocfs2|smb3|smbfs"
)
MOUNTS = Path("/proc/mounts")
#: Seconds of a real clock that one try to open waits for another process. Who opens tries again
#: as long as it may, and is stopped between two tries only.
SETUP = 1.0
#: Seconds that a look waits, which nothing else waits for.
LOOK = 10.0


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the file for the writer, made and brought up to date where needed.

    Raises:
        Unsupported: SQLite is too old, or the file lies where it cannot be locked.
        Conflict: The file is another program's, or a newer moonq's.
        Unavailable: It cannot be written.
        QueueError: It is damaged.
    """
    _check_sqlite()
    folder = _folder(path)
    refuse_network(folder, _mounts())
    with speaking_of(path), _alone(path):
        _make(path)
        connection = _connect(path)
        try:
            _set_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for looks that change nothing; the writer has it open already."""
    with speaking_of(path):
        connection = _connect(path, LOOK)
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Do something before the writer's thread runs."""
    with speaking_of(path):
        connection.execute(f"PRAGMA busy_timeout = {SETUP * 1000:.0f}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        # The writer waits for others in its own way; SQLite's sleeps long and starves.
        connection.execute("PRAGMA busy_timeout = 0")


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    check_owner(connection, str(path))
    # It can shrink: this counts for a new file, and for an old one from its next VACUUM on.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise Unsupported(
            f"{path}: SQLite cannot keep a write-ahead log there (it answers {mode!r})",
            hint="put the file on a local disk",
        )
    connection.execute("SELECT count(*) FROM json_each('[]')")
    migrate(connection, str(path))
    connection.execute("PRAGMA journal_size_limit = 16777216")
    connection.execute("PRAGMA temp_store = MEMORY")


def _connect(path: Path, patience: float = SETUP) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _make(path: Path) -> None:
    """Make the file for its user alone, before SQLite makes it for all; its log takes after it.

    One that is there is not opened: to close it again would end the locks of this process on it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, private.FILE))
    except FileExistsError:
        _tell_of_others(path)


def _tell_of_others(path: Path) -> None:
    """Say once which files of older releases others can read: somebody may have meant it so."""
    beside = [path, *(Path(f"{path}{ending}") for ending in ("-wal", "-shm", ".lock"))]
    found = [one for one in beside if private.exposed(one)]
    if found and path not in _told:
        _told.add(path)
        _log.warning("%s: run %s", private.exposed(found[0]), private.advice(*found))


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < OLDEST:
        raise Unsupported(
            f"SQLite {sqlite3.sqlite_version} is too old for the SQLite driver",
            hint="run moonq with a Python that has SQLite 3.35 or newer",
        )


def _folder(path: Path) -> Path:
    try:
        private.folder(path.parent)
    except OSError as error:
        raise Unavailable(
            f"the folder {path.parent} cannot be made: {error.strerror}",
            hint="make it by hand, or give the driver another `path`",
        ) from None
    refuse_folder(path)
    return path.parent.resolve()


def refuse_folder(path: Path) -> None:
    """Refuse a folder in the place of the file.

    Raises:
        Unavailable: Names it.
    """
    if path.is_dir():
        raise Unavailable(
            f"{path} is a folder, where the driver's file should be",
            hint="move it away, or give the driver the `path` of a file",
        )


def _mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # not every system can tell; then the journal mode is the only proof


def refuse_network(folder: Path, mounts: str) -> None:
    """Refuse *folder* when *mounts* (as in /proc/mounts) says that it is another machine's.

    Raises:
        Unsupported: Names the file system.
    """
    longest, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        if len(point) >= len(longest) > -1 and folder.is_relative_to(point or "?"):
            longest, kind = point, fields[2]
    if NETWORK.fullmatch(kind):
        raise Unsupported(
            f"{folder} is a network file system ({kind}): SQLite loses messages there",
            hint="put the file on a local disk; for several machines use another driver",
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time make the schema and switch the journal."""
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private.FILE)
    try:
        if not private.lock(handle, SETUP):
            raise Held(
                f"{path}: another process has been opening it for {SETUP:.0f} s",
                hint="look for a moonq that hangs",
            )
        yield
    finally:
        os.close(handle)


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Say what SQLite's and the system's errors mean for the file at *path*."""
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(error, path) from None
    except OSError as error:
        raise Unavailable(
            f"{path}: {error.strerror or error}", hint="check its folder's permissions"
        ) from None


def code(error: Exception) -> int:
    """Return SQLite's primary result code of *error*, 0 when it has none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_busy(error: Exception) -> bool:
    """Whether another process has the file for a moment."""
    return code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_full(error: Exception) -> bool:
    """Whether the disk has no room left."""
    return code(error) == sqlite3.SQLITE_FULL


def meaning(error: Exception, path: Path, opened: tuple[int, int] | None = None) -> MoonqError:
    """Return what SQLite's *error* means to a person; *opened* is the `identity` it had."""
    if isinstance(error, MoonqError):
        return error
    if is_busy(error):
        return held_too_long(path)
    if is_full(error):
        return storage_full(path)
    if opened is not None and code(error) in _BROKEN and identity(path) != opened:
        return replaced(path)
    if isinstance(error, UnicodeError):
        return Invalid(
            "an id, a key, a group or a header is no valid Unicode text",
            hint="take lone surrogates out of it",
        )
    make, what, hint = _MEANINGS.get(code(error), (QueueError, "", ""))
    return make(f"{path}{what}: {error}", hint=hint)


#: What SQLite says when somebody has taken the file or its log away.
_BROKEN = frozenset((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN))
_DAMAGED = (
    QueueError,
    " is damaged or no database",
    "move it away (the sqlite3 shell's .recover may save its messages) or restore it",
)
_CLOSED = (
    Unavailable,
    " cannot be written",
    "check the permissions of the file and of its folder",
)
_MEANINGS: dict[int, tuple[type[QueueError], str, str]] = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_IOERR: (Unavailable, ": the disk fails", "look at the system's log"),
}


def held_too_long(path: Path) -> Held:
    """Return the refusal of work that could not get the file."""
    return Held(
        f"{path} is held by another process for too long",
        hint="end the program that has a transaction open on it",
    )


def closed(path: Path) -> Unavailable:
    """Return the refusal of a driver that is not running."""
    return Unavailable(
        f"the SQLite driver of {path} is not running",
        hint="start the driver first",
    )


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file from any other that is put in its place; None: it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino)


def replaced(path: Path) -> Unavailable:
    """Return the refusal of publishes into a file that would not be found again."""
    return Unavailable(
        f"{path} was deleted, moved or replaced while it was in use",
        hint="put it back and start the host again",
    )


def storage_full(path: Path) -> QueueFull:
    """Return the refusal of a publish that the disk has no room for."""
    return QueueFull(
        f"the disk of {path} is full: messages are delivered, but none is accepted",
        hint="free some space, or lower the driver's `ballast_mb`, then publish again",
    )


def remove(path: Path) -> None:
    """Remove the file at *path* with all that belongs to it, then its folder if that is empty."""
    sessions = path.parent.glob(f"{glob.escape(path.name)}.s[0-9]*")
    beside = (f"{path}{end}" for end in ("", "-wal", "-shm", "-journal", ".lock", ".ballast"))
    with contextlib.suppress(OSError):
        for one in (*sessions, *map(Path, beside)):
            one.unlink(missing_ok=True)
        path.parent.rmdir()
