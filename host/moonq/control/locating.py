"""Where the socket of a project's host is, and whether a host listens there.

    place = place_of(Path("shop"))      # shop/.moonq/run/host.sock, host.json, host.lock
    with place.claim():                 # raises AlreadyRunning
        ...
    place.record()                      # {"pid": 41877, "socket": ..., "project": "shop", ...}

The process that holds the lock is the host, so a socket without a lock is stale and can be
replaced without a guess about process ids.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moonq.errors import AlreadyRunning

FOLDER = Path(".moonq", "run")
#: What the host of a folder is called that was given no name.
USUAL = "host"
#: Seconds in which everybody who only looks at a lock has let it go.
PATIENCE = 0.5
#: Bytes of a path that fit into `sockaddr_un` on every system we know, with some to spare.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one host."""

    project: Path
    """The folder or file that the host was started with, in full."""
    socket: Path
    record_file: Path
    lock_file: Path

    @property
    def name(self) -> str:
        """What the host is called among those of its project."""
        return self.lock_file.stem

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Be the one host at this place.

        Raises:
            AlreadyRunning: Another process is.
            OSError: The folder cannot be made, or is not ours alone.
        """
        self.lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.socket.parent != self.lock_file.parent:
            private_folder(self.socket.parent)
        lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(lock)
            self.socket.unlink(missing_ok=True)
            try:
                yield
            finally:
                # The folder may have been deleted, and be another host's by now.
                if _is_at(lock, self.lock_file):
                    self.socket.unlink(missing_ok=True)
                    self.record_file.unlink(missing_ok=True)
                    with contextlib.suppress(OSError):
                        _listed(self.lock_file).unlink(missing_ok=True)
        finally:
            os.close(lock)

    def _lock(self, lock: int) -> None:
        # Who looks whether a host lives holds the lock for a moment; a host keeps it.
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise self._taken() from None
                time.sleep(0.01)

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
        return _is_locked(self.lock_file)

    def record(self) -> dict[str, Any] | None:
        """Return what the host wrote about itself, whether or not it still lives."""
        return read_record(self.record_file)

    def write_record(self, facts: Mapping[str, Any]) -> OSError | None:
        """Say who the host is: here, and where all hosts of this user are listed.

        Returns why it is not listed, if it is not.
        """
        where = {"socket": self.socket, "path": self.project, "lock": self.lock_file}
        text = json.dumps({**facts, **{name: str(path) for name, path in where.items()}})
        _write(self.record_file, text)
        try:
            listed = _listed(self.lock_file)
            private_folder(listed.parent)
            _write(listed, text)
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
    return Place(Path(facts["path"]), Path(facts["socket"]), lock.with_suffix(".json"), lock)


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
    """Return what the living hosts of this user wrote about themselves."""
    found = []
    for path in sorted((runtime_folder() / "hosts").glob("*.json")):
        facts = read_record(path)
        if facts and _is_locked(Path(facts["lock"])):
            found.append(facts)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return found


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the record at *path*, or None when there is none that makes sense."""
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    wanted = {"pid", "socket", "lock", "project", "path"}
    return facts if isinstance(facts, dict) and wanted <= facts.keys() else None


def private_folder(folder: Path) -> Path:
    """Have *folder*, for this user alone.

    Raises:
        OSError: It belongs to another user, or is no folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or not stat.S_ISDIR(facts.st_mode):
        text = "not a folder of this user; set XDG_RUNTIME_DIR to one that is"
        raise PermissionError(errno.EPERM, text, str(folder))
    folder.chmod(0o700)
    return folder


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
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


def _listed(lock_file: Path) -> Path:
    return runtime_folder() / "hosts" / f"{_short(lock_file)}.json"


def _write(path: Path, text: str) -> None:
    """Write *text* at once: a reader sees the old or the new, never a half."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)


def _short(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
