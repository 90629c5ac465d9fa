"""Where the socket of a project's host is, and whether a host listens there.

    place = place_of(Path("shop"))      # shop/.moonq/run/host.sock, host.json, host.lock
    with place.claim():                 # raises AlreadyRunning
        ...
    place.record()                      # {"pid": 41877, "socket": ..., "project": "shop", ...}

The process that holds the lock is the host, so a socket without a lock is stale and can be
replaced without a guess about process ids. Others may have put files with such names where they
can: what is not this user's, or the project's own, is not read, not removed, and not spoken to.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import socket as sockets
import stat
import struct
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq import private
from moonq.errors import AlreadyRunning, Denied
from moonq.text.json_in import parsed

FOLDER = Path(".moonq", "run")
#: What the host of a folder is called that was given no name.
USUAL = "host"
#: Seconds in which everybody who only looks at a lock has let it go.
PATIENCE = 0.5
#: Bytes of a path that fit into `sockaddr_un` on every system we know, with some to spare.
LONGEST = 100
#: Marks a record that was read in the list of this user's hosts.
LISTED = "listed"
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one host."""

    project: Path
    """The folder or file that the host was started with, in full."""
    socket: Path
    record_file: Path
    lock_file: Path
    believed: frozenset[int] | None = field(default=None, compare=False)
    """The users that may be the host, where they are fewer than `owners` finds."""

    @property
    def name(self) -> str:
        """What the host is called among those of its project."""
        return self.lock_file.stem

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Be the one host at this place.

        Raises:
            AlreadyRunning: Another process is.
            OSError: The folder cannot be made, is not ours alone, or what is there is not ours.
        """
        private.folder(self.lock_file.parent)
        if self.socket.parent != self.lock_file.parent:
            private_folder(self.socket.parent)
        lock = private.create(self.lock_file, self.owners)
        try:
            # Who looks whether a host lives holds the lock for a moment; a host keeps it.
            if not private.lock(lock, PATIENCE):
                raise self._taken()
            self._check_clear()
            self.socket.unlink(missing_ok=True)
            try:
                yield
            finally:
                # The folder may have been deleted, and be another host's by now.
                if _is_at(lock, self.lock_file):
                    self._clear()
        finally:
            os.close(lock)

    def _check_clear(self) -> None:
        """Refuse to take the place of what no host of ours has left behind."""
        facts = _facts(self.socket)
        if facts and not (stat.S_ISSOCK(facts.st_mode) and facts.st_uid in self.owners):
            text = "something is there that is no socket of a host here"
            raise FileExistsError(errno.EEXIST, text, str(self.socket))
        if _facts(self.record_file) and self.record() is None:
            text = "a file is there that no host of this user wrote; choose another socket"
            raise FileExistsError(errno.EEXIST, text, str(self.record_file))

    def _clear(self) -> None:
        with contextlib.suppress(FileExistsError):
            self._check_clear()
            self.socket.unlink(missing_ok=True)
            self.record_file.unlink(missing_ok=True)
        with contextlib.suppress(OSError), _list() as folder:
            os.unlink(_listed(self.lock_file), dir_fd=folder)

    def _taken(self) -> AlreadyRunning:
        pid = (self.record() or {}).get("pid", "unknown")
        if self == place_of(self.project):
            return AlreadyRunning(
                f"a host of {self.project.name} is running already (pid {pid})",
                hint="stop it with `moonq stop`, or start this one beside it: --name second",
            )
        return AlreadyRunning(
            f"a host of {self.project.name} is called {self.name!r} already (pid {pid})",
            hint=f"stop it with `moonq stop --host {self.name}`, or give this one another --name",
        )

    def identity(self) -> tuple[tuple[int, int], ...]:
        """Return what tells these files from others with the same names.

        Raises:
            OSError: One is not there.
        """
        found = [path.stat() for path in (self.lock_file, self.socket)]
        return tuple((facts.st_dev, facts.st_ino) for facts in found)

    def is_claimed(self) -> bool:
        """Whether some process is the host here."""
        return _is_locked(self.lock_file, self.owners)

    def record(self) -> dict[str, Any] | None:
        """Return what the host wrote about itself, whether or not it still lives."""
        return read_record(self.record_file, self.owners)

    @property
    def owners(self) -> frozenset[int]:
        """The users that are believed to be the host here: this one and the project's own."""
        if self.believed is not None:
            return self.believed
        return frozenset({private.me(), *_owners(self.project, self.lock_file.parent)})

    def check_peer(self, connection: sockets.socket) -> None:
        """See that one of these users is at the other end.

        Raises:
            Denied: Another one is, who says that a host is there.
        """
        user = peer_of(connection)
        if user is not None and user not in self.owners:
            raise Denied(
                f"{self.socket} is served by user {private.name_of(user)}, and not by a host of"
                f" {private.name_of(private.me())}",
                hint="nothing was said to it; look at who made the file",
            )

    def write_record(self, facts: Mapping[str, Any]) -> OSError | None:
        """Say who the host is: here, and where all hosts of this user are listed.

        Returns why it is not listed, if it is not.
        """
        where = {"socket": self.socket, "path": self.project, "lock": self.lock_file}
        text = json.dumps({**facts, **{name: str(path) for name, path in where.items()}}).encode()
        private.write(self.record_file, text)
        try:
            with _list(make=True) as folder:
                private.write(Path(_listed(self.lock_file)), text, at=folder)
        except OSError as problem:
            return problem
        return None


def place_of(project: Path, socket: Path | None = None, name: str = "") -> Place:
    """Return the place of the host of *project*: a folder, or a single YAML file.

    *name* is that of a further host. *socket* is another path for the socket; its lock and record
    then lie beside it, and its name is the host's.
    """
    full = project.resolve()
    if socket is not None:
        wanted = socket.absolute()
    elif full.is_file():
        wanted = full.parent / FOLDER / f"{name or full.stem}.sock"
    else:
        wanted = full / FOLDER / f"{name or USUAL}.sock"
    lock, record = wanted.with_suffix(".lock"), wanted.with_suffix(".json")
    if len(os.fsencode(wanted)) > LONGEST:
        wanted = runtime_folder() / f"{_short(wanted)}.sock"
    return Place(full, wanted, record, lock)


def place_of_record(facts: Mapping[str, Any]) -> Place:
    """Return the place of the host that wrote *facts* about itself."""
    lock = Path(facts["lock"])
    # Those of the list are this user's own, whoever has the project.
    believed = frozenset({private.me()}) if facts.get(LISTED) is True else None
    paths = Path(facts["path"]), Path(facts["socket"])
    return Place(*paths, lock.with_suffix(".json"), lock, believed)


def runtime_folder() -> Path:
    """Return where sockets and records of this user are, outside of any project.

    That is below XDG_RUNTIME_DIR; where it is not set, or of no use, a folder of temporary files.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and not is_unusable(base):
        return Path(base) / "moonq"
    return Path(tempfile.gettempdir()) / f"moonq-{os.getuid()}"


def is_unusable(base: str) -> bool:
    """Whether nothing can be kept in the folder *base*."""
    is_there = base.startswith("/") and Path(base).is_dir()
    return not (is_there and os.access(base, os.W_OK | os.X_OK))


def all_records() -> list[dict[str, Any]]:
    """Return what the living hosts of this user wrote about themselves; see `distrusted`."""
    found = []
    with contextlib.suppress(OSError), _list() as folder:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - in a folder of ours
            facts = read_record(Path(name), at=folder)
            if facts is None or name != _listed(Path(facts["lock"])):
                continue  # not from us, so it is not ours to remove either
            if _is_locked(Path(facts["lock"]), {private.me()}):
                found.append({**facts, LISTED: True})
            else:
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=folder)
    return found


def distrusted() -> str:
    """Say why the list of this user's hosts is not read; empty where it is, or there is none."""
    try:
        with _list():
            return ""
    except FileNotFoundError:
        return ""
    except OSError as problem:
        return f"{problem.filename}: {problem.strerror}"


def read_record(
    path: Path, owners: Collection[int] = (), *, at: int | None = None
) -> dict[str, Any] | None:
    """Return the record at *path*, or None when there is none of this user that makes sense."""
    try:
        facts = parsed(private.read(path, owners, at=at))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or type(facts.get("pid")) is not int:
        return None
    wanted = ("socket", "lock", "project", "path")
    has_all = all(_is_text(facts.get(name)) for name in wanted)
    return {name: facts[name] for name in facts if name != LISTED} if has_all else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def private_folder(folder: Path) -> Path:
    """Have *folder*, for this user alone.

    Raises:
        OSError: It belongs to another user, or is no folder.
    """
    try:
        os.close(private.own_folder(_real(folder)))
    except PermissionError as problem:
        problem.strerror = f"{problem.strerror}; set XDG_RUNTIME_DIR to a folder that is"
        raise
    return folder


@contextlib.contextmanager
def _list(*, make: bool = False) -> Iterator[int]:
    """Open the folder with the records of all hosts of this user."""
    path = _real(runtime_folder()) / "hosts"
    folder = private.own_folder(path) if make else private.trusted(path)
    try:
        yield folder
    finally:
        os.close(folder)


def _real(folder: Path) -> Path:
    """Return *folder* without links in what lies above it; those are looked at for what they are.

    A link that was put in its own place is not followed.
    """
    return Path(os.path.realpath(folder.parent), folder.name)


def _owners(project: Path, lock_folder: Path) -> Iterator[int]:
    """Yield who has the folders of a host, those left out in which everybody can write.

    The folder that the project's owner, or somebody whom that one lets in, made inside is
    as good as the project's.
    """
    around = project.parent if project.is_file() else project
    for folder in (around, lock_folder):
        facts = _facts(folder)
        if facts is None or facts.st_mode & stat.S_IWOTH or not stat.S_ISDIR(facts.st_mode):
            return
        yield facts.st_uid


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _is_locked(path: Path, owners: Collection[int]) -> bool:
    try:
        lock = private.existing(path, owners)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file *handle* is the one that *path* names."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def peer_of(connection: sockets.socket) -> int | None:
    """Return the user at the other end; None where the system does not say."""
    if not hasattr(sockets, "SO_PEERCRED"):
        return None
    data = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])


def _listed(lock_file: Path) -> str:
    return f"{_short(lock_file)}.json"


def _short(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
