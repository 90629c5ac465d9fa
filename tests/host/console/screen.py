"""A real terminal: what is typed goes to a program, and what it shows can be read.

Held by tmux, so that wrapping, the cursor and full-screen programs are the terminal's business.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import until


def need_tmux() -> str:
    """Return where tmux is; without it a test is skipped, or fails where CI is set."""
    found = shutil.which("tmux")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("tmux is not installed, and these tests must run here")
        pytest.skip("tmux is not installed")
    return found


class Screen:
    """One program on one screen."""

    def __init__(self, folder: Path, *, columns: int = 100, rows: int = 30) -> None:
        self._tmux = [need_tmux(), "-S", str(folder / "tmux"), "-f", os.devnull]
        self._folder = folder
        self._size = ["-x", str(columns), "-y", str(rows)]

    def start(self, *args: object, **env: str) -> None:
        """Run `moonq` with *args*."""
        given = {
            "XDG_STATE_HOME": str(self._folder / "state"),
            "XDG_RUNTIME_DIR": str(self._folder / "runtime"),
            "PYTHONUTF8": "1",
            "NO_COLOR": "1",
            **env,
        }
        pairs = [f"{name}={value}" for name, value in given.items()]
        program = ["env", *pairs, sys.executable, "-m", "moonq", *map(str, args)]
        # The shell stays, so that what was shown last can still be read.
        line = " ".join(f"'{word}'" for word in program) + "; echo code $?; sleep 60"
        self._run("new-session", "-d", *self._size, line)

    def type(self, text: str) -> None:
        """Type *text*."""
        self._run("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Paste *text*, with the marks around it that a program asks a terminal for."""
        self._run("set-buffer", "--", text)
        self._run("paste-buffer", "-p")

    def press(self, *keys: str) -> None:
        """Press keys by their names, such as `Enter`, `C-c`."""
        self._run("send-keys", *keys)

    def enter(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(text)
        # A menu that opened while typing would take the Enter only if something in it was chosen.
        self.press("Enter")

    def text(self) -> str:
        """Return what the screen shows, and what has scrolled away."""
        return self._run("capture-pane", "-p", "-S", "-5000")

    def raw(self) -> str:
        """Return the same with its colours."""
        return self._run("capture-pane", "-p", "-e", "-S", "-5000")

    def shows(self, pattern: str, limit: float = 10.0) -> re.Match[str]:
        """Wait until the screen shows *pattern* and return what was found."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, self.text(), re.MULTILINE)
            if match:
                found.append(match)
            return bool(match)

        try:
            until(look, limit)
        except AssertionError:
            pytest.fail(f"the screen never showed {pattern!r}; it shows\n{self.text().strip()}")
        return found[0]

    def close(self) -> None:
        """Take the terminal away."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def _run(self, *args: str) -> str:
        done = subprocess.run([*self._tmux, *args], capture_output=True, text=True, check=True)
        return done.stdout
