"""Files and folders for this user alone, opened so that nobody else can put another in their place.

    handle = create(Path("queues.db.lock"))        # 0600, and no link is followed at its end
    write(Path("report.xml"), b"...")              # 0600, the old one or the new one, never a half
    handle = trusted(Path("/run/user/1000/moonq"))  # each part looked at: owner, mode, no link
    exposed(Path("queues.db"))                     # "queues.db can be read by others (mode 0644)"

What is older than this promise is not changed, for somebody may have meant it so; it is said.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pwd
import shlex
import stat
import time
from collections.abc import Collection
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_GUARDED = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
#: The largest file of ours that is read whole without a look at its size.
LARGEST = 64 * 1024


def create(path: Path, owners: Collection[int] = ()) -> int:
    """Open the file *path* and return its handle; it is made where there is none.

    Raises:
        OSError: It cannot be made, is no file, is a link, or belongs to none of *owners*.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _GUARDED, FILE)
    return _checked(handle, path, {me(), *owners})


def existing(path: Path, owners: Collection[int] = (), *, at: int | None = None) -> int:
    """Open a file to read or to lock it; it is one of this user, or of one of *owners*.

    Raises:
        OSError: There is none, or it is another's, a link, or no file.
    """
    handle = os.open(path, os.O_RDONLY | _GUARDED, dir_fd=at)
    return _checked(handle, path, {me(), *owners})


def lock(handle: int, patience: float) -> bool:
    """Have the lock of the open file *handle* alone; False: another kept it for *patience* seconds.

    It goes with the handle, as with the process.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.01)
        else:
            return True


def me() -> int:
    """Return the user that this process acts for."""
    return os.geteuid()


def name_of(user: int) -> str:
    """Return a user's name, or the number of one without."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _checked(handle: int, path: Path, owners: Collection[int]) -> int:
    facts = os.fstat(handle)
    if stat.S_ISREG(facts.st_mode) and facts.st_uid in owners:
        return handle
    os.close(handle)
    whose = f"it belongs to {name_of(facts.st_uid)}"
    raise PermissionError(
        errno.EPERM, whose if stat.S_ISREG(facts.st_mode) else "it is no file", str(path)
    )


def read(path: Path, owners: Collection[int] = (), *, at: int | None = None) -> bytes:
    """Return what a small file of this user holds, or of one of *owners*.

    Raises:
        OSError: See `existing`; or it has more than `LARGEST` bytes.
    """
    with open(existing(path, owners, at=at), "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def write(path: Path, data: bytes, *, at: int | None = None) -> None:
    """Let the file *path* hold *data*, at once: a reader sees the old or the new, never a half.

    Raises:
        OSError: It cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _GUARDED, FILE, dir_fd=at)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - it is a handle
            file.write(data)
        os.replace(fresh, path, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=at)
        raise


def save(path: Path, data: bytes) -> None:
    """Let the file that a person named hold *data*; one that is there keeps its mode, a link stays.

    Raises:
        OSError: It cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE)
    with open(handle, "wb") as file:  # noqa: PTH123 - it is a handle
        file.write(data)


def folder(path: Path) -> Path:
    """Have the folder *path*; what of it is made is for this user alone.

    Raises:
        OSError: It cannot be made.
    """
    for one in reversed([path, *path.parents]):
        if one.exists() and not one.is_dir() and one != path:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        if not one.is_dir():
            one.mkdir(mode=FOLDER, exist_ok=True)
    return path


def trusted(path: Path, *, make: bool = False) -> int:
    """Open the folder *path* of this user and return its handle, once every part is looked at.

    No part may be a link, or be one that others than root and this user can change; the last one
    is this user's. With *make* what is not there is made, for this user alone.

    Raises:
        OSError: It is not there, or one of its parts is not to be trusted.
    """
    handle = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    seen = Path("/")
    try:
        for part in path.absolute().parts[1:]:
            seen /= part
            deeper = _below(handle, part, seen, make=make)
            os.close(handle)
            handle = deeper
            if why := _distrust(os.fstat(handle), is_last=seen == path.absolute()):
                raise PermissionError(errno.EPERM, why, str(seen))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _below(handle: int, part: str, seen: Path, *, make: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, FOLDER, dir_fd=handle)
    try:
        return os.open(part, flags, dir_fd=handle)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.ENOTDIR):
            raise PermissionError(errno.EPERM, "not a folder of this user", str(seen)) from None
        problem.filename = str(seen)
        raise


def _distrust(facts: os.stat_result, *, is_last: bool) -> str:
    if facts.st_uid not in ({me()} if is_last else {0, me()}):
        return f"not a folder of this user: it belongs to {name_of(facts.st_uid)}"
    others_write = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if others_write and (is_last or not facts.st_mode & stat.S_ISVTX):
        return f"others can write in it (mode {facts.st_mode & 0o7777:04o})"
    return ""


def own_folder(path: Path) -> int:
    """Have the folder *path* for this user alone, and open it; see `trusted`.

    Raises:
        OSError: It cannot be made, or a part of it is not to be trusted.
    """
    handle = trusted(path, make=True)
    os.fchmod(handle, FOLDER)
    return handle


def exposed(path: Path) -> str:
    """Say who else can read or change what lies at *path*; empty where nobody can, or nothing is.

    exposed(Path("queues.db"))     # "queues.db can be read by other users (mode 0644)"
    """
    try:
        facts = path.lstat()
    except OSError:
        return ""
    open_to = facts.st_mode & 0o077
    if not open_to or stat.S_ISLNK(facts.st_mode):
        return ""
    what = "changed" if open_to & 0o022 else "read" if open_to & 0o044 else "entered"
    return f"{path} can be {what} by other users (mode {facts.st_mode & 0o7777:04o})"


def advice(*paths: Path) -> str:
    """Return the command that closes *paths*, all files or all folders, to others."""
    mode = FOLDER if paths[0].is_dir() else FILE
    return f"chmod {mode:o} {shlex.join(map(str, paths))}"
