"""Draws a finding: headline, frames of source with the smallest span marked, notes, helps.

One frame per file; the spans of a file share it. Whatever comes from a file or a script is shown
with its control characters replaced, so that no text can paint on the reader's terminal.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from moonq.errors import Finding, Span
from moonq.text.plain import clean, in_ascii, shortened

INK = {"error": "1;31", "warning": "1;33", "info": "1;36", "note": "1;32", "frame": "34"}


@dataclass(frozen=True, slots=True)
class Pen:
    """How to draw: in colour or not, how wide, with box characters or in ASCII."""

    color: bool
    width: int
    unicode: bool

    def ink(self, kind: str, text: str) -> str:
        """Return *text* in the colour of *kind*."""
        return f"\x1b[{INK[kind]}m{text}\x1b[0m" if self.color and text else text

    def plain(self, row: str) -> str:
        """Return *row* in the characters this pen has."""
        if self.unicode:
            return row
        return in_ascii(row.replace("┌─", "-->"), same_width=True)


def draw(finding: Finding, pen: Pen) -> Iterator[str]:
    """Yield the rows of *finding*."""
    numbers = [number for span in finding.spans for number, _ in span.lines]
    gutter = max(2, len(str(max(numbers, default=0))))
    label = f"{finding.severity}[{finding.code}]"
    for row in _wrapped(f"{label}: {clean(finding.message)}", "  ", pen):
        yield pen.plain(row.replace(label, pen.ink(finding.severity, label), 1))
    for spans in _by_file(finding.spans):
        if any(span.lines for span in spans):
            yield from (pen.plain(row) for row in _frame(spans, gutter, finding.severity, pen))
        else:
            yield from (pen.plain(row) for row in _rows(spans, gutter))
    indent = " " * (gutter + 1)
    for word, texts in (("note", finding.notes), ("help", finding.helps)):
        for text in texts:
            yield from map(pen.plain, _wrapped(f"{indent}= {word}: {clean(text)}", indent * 3, pen))


def _columns(text: str) -> int:
    """How many columns a terminal needs for *text*."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _wrapped(text: str, indent: str, pen: Pen) -> list[str]:
    if not pen.width or len(text) <= pen.width:
        return [text]
    first = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.lstrip(),
        max(40, pen.width),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _by_file(spans: tuple[Span, ...]) -> list[list[Span]]:
    """Spans that are drawn together: framed ones by file, the others as one list of rows."""
    groups: dict[str, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.file if span.lines else "", []).append(span)
    return list(groups.values())


def _rows(spans: list[Span], gutter: int) -> Iterator[str]:
    widest = max(_columns(clean(span.label)) for span in spans)
    for span in spans:
        label = clean(span.label)
        label += " " * (widest - _columns(label))
        yield f"{' ' * (gutter + 1)}{label}    {_place(span, short=True)}"


def _place(span: Span, *, short: bool = False) -> str:
    column = f":{span.column}" if span.column and not short else ""
    return f"{clean(span.file)}:{span.line}{column}"


def _frame(spans: list[Span], gutter: int, severity: str, pen: Pen) -> Iterator[str]:
    first = next((span for span in spans if span.primary), spans[0])
    bar = pen.ink("frame", f"{' ' * gutter} │")
    yield pen.ink("frame", f"{' ' * gutter} ┌─") + f" {_place(first)}"
    room = max(20, pen.width - gutter - 3) if pen.width else 1 << 30
    cut = _cut(first, room)
    last = 0
    for number, text in sorted({line for span in spans for line in span.lines}):
        if last and number > last + 1:
            yield f"{' ' * gutter} ·"
        last = number
        shown = _window(clean(text), cut, room)
        yield f"{pen.ink('frame', f'{number:>{gutter}} │')} {shown}".rstrip()
        for span in spans:
            if span.line == number:
                marks = _marks(span, text, cut, room)
                kind = severity if span.primary else "frame"
                yield f"{bar} {marks[0]}{pen.ink(kind, marks[1])}".rstrip()


def _cut(span: Span, room: int) -> int:
    """How many columns to leave out on the left, so that the marked place is in view."""
    text = dict(span.lines).get(span.line, "")
    start = _columns(clean(text[: max(0, span.column - 1)]))
    return 0 if start + min(span.length, room // 2) <= room else start - room // 3


def _window(text: str, cut: int, room: int) -> str:
    shown = text[cut:] if not cut else "…" + text[cut + 1 :]
    return shortened(shown, room)


def _marks(span: Span, text: str, cut: int, room: int) -> tuple[str, str]:
    """The space before the marks, and the marks with their label."""
    column, length = span.column, span.length
    if not column:
        column = len(text) - len(text.lstrip()) + 1
        length = len(text.strip())
    start = max(0, _columns(clean(text[: column - 1])) - cut)
    wide = _columns(clean(text[column - 1 : column - 1 + length])) if length > 1 else 1
    wide = max(1, min(wide, room - start))
    marks = ("^" if span.primary else "-") * wide
    return " " * start, f"{marks} {clean(span.label)}".rstrip()
