"""Room on the disk: on a full one SQLite accepts nothing any more, not even an acknowledgement.

The log must never be so long that a full disk cannot take it into the file: that is why it is
bounded by the ballast.

A ballast file keeps some room occupied. When the disk is full it is given up: what is there can be
delivered and acknowledged, while publishes are refused until there is room again. Room is what the
disk has free and what the file has: pages of messages that are gone. While nobody publishes, the
file gives such pages back to the disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from moonq.private import FILE

MB = 1024 * 1024


class Space:
    """The ballast of one file, and whether publishes are refused."""

    def __init__(self, path: Path, ballast: int, least: int) -> None:
        self._file = path.with_name(path.name + ".ballast")
        self._ballast = ballast
        self._least = least
        self.is_short = False
        """Whether publishes are refused."""
        self.is_safe = not ballast
        """Whether what must be kept for a full disk is there."""

    def log_pages(self, page: int) -> int:
        """How long the write-ahead log may be, in pages, before it is taken into the file.

        A quarter of the ballast: when the disk is found to be full, there may be as much again
        that could not be taken in, and then some room must be left to work with.
        """
        return max(64, min(1000, self._ballast // 4 // page)) if self._ballast else 1000

    def give_way(self) -> bool:
        """Give up the ballast; False: there was none."""
        self.is_short, self.is_safe = True, not self._ballast
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def look(self, spare: int) -> None:
        """Refuse publishes below the limit, accept them above it; lay the ballast again.

        *spare* are the bytes of the file in which nothing lies.
        """
        free, enough = self._free(), self._ballast * 5 // 4 + self._least
        if self._ballast and not self._is_laid() and free > enough:
            self._lay()
            free = self._free()
        self.is_safe = not self._ballast or self._is_laid()
        self.is_short = free + spare < (self._least if self.is_safe else enough)

    def _is_laid(self) -> bool:
        try:
            return self._file.stat().st_size == self._ballast
        except OSError:
            return False

    def _lay(self) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with open(os.open(self._file, flags, FILE), "wb") as file:  # noqa: PTH123 - a handle
                os.posix_fallocate(file.fileno(), 0, self._ballast)
        except OSError:
            self._file.unlink(missing_ok=True)

    def _free(self) -> int:
        try:
            disk = os.statvfs(self._file.parent)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize
