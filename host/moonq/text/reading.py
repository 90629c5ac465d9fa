"""What people hand over in files and on stdin: bytes, or text that is UTF-8.

text_of("orders.lua")          # its text
text_of("-")                   # what stdin holds
decoded(b'{"a":"\\xff"}', "a.json")
# Invalid: a.json: line 1, byte 7: 0xff is not UTF-8
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from moonq.errors import Invalid, MoonqError, NotFound

BOM = "\ufeff"


def shown(source: str) -> str:
    """Return what people call *source*, the name of a file or `-`."""
    return "stdin" if source == "-" else source


def unreadable(source: str, problem: OSError) -> MoonqError:
    """Return what is said of a file that cannot be read: one that is not there was misnamed.

    The *source* is empty where there is no file.
    """
    kind = NotFound if isinstance(problem, FileNotFoundError) else MoonqError
    return kind(f"{source}: {problem.strerror}" if source else str(problem.strerror))


def bytes_of(source: str) -> bytes:
    """Return what the file *source* holds; `-` is stdin.

    Raises:
        MoonqError: It cannot be read.
    """
    if source == "-":
        stream = getattr(sys.stdin, "buffer", None)
        return stream.read() if stream else sys.stdin.read().encode("utf-8", "surrogateescape")
    try:
        return Path(source).read_bytes()
    except OSError as problem:
        raise unreadable(source, problem) from None


def text_of(source: str) -> str:
    """Return the text of the file *source*; `-` is stdin.

    Raises:
        MoonqError: It cannot be read.
        Invalid: It is not UTF-8; says where.
    """
    return decoded(bytes_of(source), source)


def lines_of(source: str) -> Iterator[str]:
    """Yield the lines of the file *source* as they come; `-` is stdin.

    Raises:
        MoonqError: It cannot be read.
        Invalid: One is not UTF-8; says where.
    """
    if source == "-":
        stream = getattr(sys.stdin, "buffer", None)
        yield from _decoded_lines(stream, source) if stream else sys.stdin
        return
    try:
        with Path(source).open("rb") as file:
            yield from _decoded_lines(file, source)
    except OSError as problem:
        raise unreadable(source, problem) from None


def _decoded_lines(stream: object, source: str) -> Iterator[str]:
    for number, line in enumerate(cast("BinaryIO", stream), 1):
        yield decoded(line, source, line=number)


def decoded(data: bytes, source: str, *, line: int = 1) -> str:
    """Return *data*, which begins at *line* of the file *source*, as text.

    Raises:
        Invalid: It is not UTF-8; says where.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        before = data[: problem.start]
        line += before.count(b"\n")
        byte = problem.start - before.rfind(b"\n")
        place = f"{shown(source)}: line {line}, byte {byte}"
        raise Invalid(
            f"{place}: 0x{data[problem.start]:02x} is not UTF-8", hint="write it as UTF-8"
        ) from None
