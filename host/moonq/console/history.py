"""What was typed before, in a file that only its owner can read.

    $XDG_STATE_HOME/moonq/shop.history      0600, the last 10 000 blocks

A block that begins with a space is not kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory

from moonq import private

BLOCKS = 10_000
_BLOCK = re.compile(rb"(?:^|\n)(?=\n# )")


def folder() -> Path:
    """Return where the histories of this user are."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "moonq"


def open_history(project: str) -> History:
    """Return the history of *project*; one that cannot be written lasts as long as the session."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", project) or "moonq"
    return History(folder() / f"{name}.history")


class History(FileHistory):
    """A file of blocks, oldest first."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._is_kept = self._prepare()

    def append_string(self, string: str) -> None:
        """Remember *string*, unless it begins with a space."""
        if string.strip() and not string.startswith(" "):
            super().append_string(string)

    def load_history_strings(self) -> Iterable[str]:
        """Return the blocks in the file, newest first."""
        return super().load_history_strings() if self._is_kept else []

    def store_string(self, string: str) -> None:
        """Write one block."""
        if self._is_kept:
            # Half a character, as a terminal may send it, is no reason to fall over.
            super().store_string(string.encode(errors="replace").decode())

    def _prepare(self) -> bool:
        try:
            private.folder(self._path.parent)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, private.FILE)
            os.fchmod(handle, private.FILE)
            os.close(handle)
            self._cut()
        except OSError:
            return False
        return True

    def _cut(self) -> None:
        blocks = _BLOCK.split(self._path.read_bytes())
        if len(blocks) <= BLOCKS + BLOCKS // 10:
            return
        private.write(self._path, b"\n".join(blocks[-BLOCKS:]))
