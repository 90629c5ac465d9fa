"""What a page is read on: a terminal of 100 columns, and a second one where a host runs."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

#: Columns of the terminal.
COLUMNS = 100


class Paper(io.StringIO):
    """A terminal's output, as one text: what went to stderr stands where it was written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Say that it is a terminal."""
        return True


class Keys(io.StringIO):
    """A terminal's input: answers each question as the page shows it."""

    def __init__(self, shown: str, paper: Paper) -> None:
        super().__init__()
        self._shown, self._paper = shown, paper

    def isatty(self) -> bool:
        """Say that it is a terminal."""
        return True

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]
        """Return what the page shows behind the question that was asked last."""
        question = self._paper.getvalue().rpartition("\n")[2].strip()
        for line in self._shown.splitlines():
            if question and line.strip().startswith(question):
                answer = line.strip().removeprefix(question).strip()
                self._paper.write(f" {answer}\n")
                return f"{answer}\n"
        return ""


@contextmanager
def at_terminal(shown: str) -> Iterator[Paper]:
    """Let this process speak to a terminal; *shown* is what the page has of it."""
    paper, before = Paper(), (sys.stdin, sys.stdout, sys.stderr)
    sys.stdin, sys.stdout, sys.stderr = Keys(shown, paper), paper, paper
    try:
        yield paper
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


class Second:
    """A second terminal, in which a host, or another command, runs in a process of its own."""

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "COLUMNS": "1000"},  # where a line breaks depends on its times
            start_new_session=True,
        )
        os.close(slave)
        self._said = ""
        self._taken = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """What it has said since `take`."""
        return self._said[self._taken :]

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and said all."""
        return not self._reader.is_alive()

    def take(self, length: int) -> None:
        """Count so many characters as read."""
        self._taken += length

    def wait(self, seconds: float) -> int:
        """Return the exit code, once it has ended and said all."""
        code = self._process.wait(seconds)
        self._reader.join(20)
        return code

    def type(self, text: str) -> None:
        """Type *text*."""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(20)
        self._reader.join(20)
        os.close(self._master)

    def _read(self) -> None:
        data = b""
        while True:
            try:
                more = os.read(self._master, 65536)
            except OSError:  # the process has ended
                return
            if not more:
                return
            data += more
            text = data.decode(errors="ignore")
            self._said = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text).replace("\r\n", "\n")
