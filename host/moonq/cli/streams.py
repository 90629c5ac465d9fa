"""The three standard streams, made so that nothing that is wrong with one of them is a surprise.

with standard_streams():
    ...                     # a full disk: OSError that names stdout; a reader that left: `Unread`

What is closed is opened again, the other way round: no file of ours gets its number, and reading
or writing it is an error as before. Talk that cannot be written is given up without a word, for
there is nobody to say it to.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

from moonq.log import outlet
from moonq.text.plain import safe

_NAMES = ("stdin", "stdout", "stderr")


class Unread(Exception):
    """Whoever read what this command writes has gone; as `head` does when it has enough."""


class Door:
    """A stream that lets no text through which a terminal or a runner of CI would obey.

    It is in the place of stdout and stderr, and looks at whatever is written there, by whomever.
    """

    def __init__(self, stream: TextIO) -> None:
        self.bare = stream
        """The stream for what is to pass as it is."""

    def write(self, text: str) -> int:
        """Write *text*, made harmless."""
        self.bare.write(safe(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of *lines*."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


@contextlib.contextmanager
def doors() -> Iterator[None]:
    """Let stdout and stderr have one."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, Door(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def echo(text: str, *, err: bool = False) -> None:
    """Write a line to stdout, or to stderr; click would go round the door where ASCII is spoken."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def bare(stream: TextIO) -> TextIO:
    """Return *stream* without its door: for what draws, and for what was asked for as it is."""
    return stream.bare if isinstance(stream, Door) else stream


class _Raw(io.FileIO):
    """A standard stream whose errors name it."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w" if number else "r", closefd=False)
        self._named = _NAMES[number]

    def readinto(self, buffer: Any, /) -> Any:
        with self._naming():
            return super().readinto(buffer)

    def readall(self) -> Any:
        with self._naming():
            return super().readall()

    def write(self, data: Any, /) -> Any:
        with self._naming():
            return super().write(data)
        return len(data)

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            if self._named == "stderr":
                return
            if isinstance(problem, BrokenPipeError):
                raise Unread from None
            problem.filename = self._named
            raise


def use_standard_streams() -> None:
    """Put our streams in the place of Python's own, for the life of the process."""
    for number in range(len(_NAMES)):
        _be_open(number)
    sys.stdin = _text(io.BufferedReader(_Raw(0)), sys.stdin)
    sys.stdout = _text(io.BufferedWriter(_Raw(1)), sys.stdout)
    sys.stderr = _text(io.BufferedWriter(_Raw(2)), sys.stderr, line_buffering=True)


def finish(stream: TextIO) -> None:
    """Write what *stream* still holds, or forget it where nobody takes it any more."""
    try:
        stream.flush()
    except (OSError, ValueError, Unread):
        give_up(stream)


def give_up(stream: TextIO) -> None:
    """Forget what *stream* could not write; Python would try again at its end, and complain."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def detach_stderr() -> None:
    """Let nobody in this process wait for the one that reads stderr, until `guarded` ends."""
    sys.stderr = outlet.outlet_of(sys.stderr)


def _be_open(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest number that is free is this one.
        os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)
        os.set_inheritable(number, True)


def _text(
    buffer: io.BufferedReader | io.BufferedWriter, before: Any, *, line_buffering: bool = False
) -> TextIO:
    return io.TextIOWrapper(
        cast(Any, buffer),
        encoding=getattr(before, "encoding", None) or "utf-8",
        # A terminal that cannot write a character gets another one, not an error.
        errors="strict" if buffer.readable() else "replace",
        line_buffering=line_buffering or getattr(before, "isatty", bool)(),
    )
