"""Draws a finding: headline, frames of source with the smallest span marked, notes, helps.

One frame per file; the spans of a file share it. Whatever comes from a file or a script is shown
with its control characters replaced, so that no text can paint on the reader's terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from moonq.errors import Finding, Span
from moonq.text.plain import clean, in_ascii, shortened
from moonq.text.wording import columns

#: Columns that a label wants at least when it stands below its marks.
LABEL = 30
#: Returns a text in the style of its part: `error`, `warning`, `info`, or `frame`.
Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Pen:
    """How to draw: in which colours, how wide, with box characters or in ASCII."""

    paint: Paint
    width: int
    unicode: bool

    def ink(self, part: str, text: str) -> str:
        """Return *text* in the colour of *part*."""
        return self.paint(part, self.plain(text))

    def plain(self, row: str) -> str:
        """Return *row* in the characters this pen has."""
        if self.unicode:
            return row
        return in_ascii(row.replace("┌─", "-->"), same_width=True)


def draw(finding: Finding, pen: Pen, *, explains: bool = False) -> Iterator[str]:
    """Yield the rows of *finding*; one that *explains* ends with the command that says more."""
    numbers = [number for span in finding.spans for number, _ in span.lines]
    gutter = max(2, len(str(max(numbers, default=0))))
    label = f"{finding.severity}[{finding.code}]"
    where = f" in profile {' and '.join(finding.profiles)}" if finding.profiles else ""
    for row in _wrapped(f"{label}{where}: {clean(finding.message)}", "  ", pen):
        yield pen.plain(row.replace(label, pen.ink(finding.severity, label), 1))
    for spans in _by_file(finding.spans):
        if any(span.lines for span in spans):
            yield from (pen.plain(row) for row in _frame(spans, gutter, finding.severity, pen))
        else:
            yield from (pen.plain(row) for row in _rows(spans, gutter))
    indent = " " * (gutter + 1)
    more = (f"moonq explain {finding.code}",) if explains else ()
    for word, texts in (("note", finding.notes), ("help", finding.helps), ("more", more)):
        for text in texts:
            yield from map(pen.plain, _wrapped(f"{indent}= {word}: {clean(text)}", indent * 3, pen))


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
    widest = max(columns(clean(span.label)) for span in spans)
    for span in spans:
        label = clean(span.label)
        label += " " * (widest - columns(label))
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
                kind = severity if span.primary else "frame"
                for space, marks in _marked(span, text, cut, room):
                    yield f"{bar} {space}{pen.ink(kind, marks)}".rstrip()


def _cut(span: Span, room: int) -> int:
    """How many columns to leave out on the left, so that the marked place is in view."""
    text = dict(span.lines).get(span.line, "")
    start = columns(clean(text[: max(0, span.column - 1)]))
    return 0 if start + min(span.length, room // 2) <= room else start - room // 3


def _window(text: str, cut: int, room: int) -> str:
    shown = text[cut:] if not cut else "…" + text[cut + 1 :]
    return shortened(shown, room)


def _marked(span: Span, text: str, cut: int, room: int) -> Iterator[tuple[str, str]]:
    """Rows of space and what stands behind it: the marks with their label, which may go below."""
    start, marks = _marks(span, text, cut, room)
    label = clean(span.label)
    if not label or start + len(marks) + 1 + columns(label) <= room:
        yield " " * start, f"{marks} {label}".rstrip()
        return
    yield " " * start, marks
    # Short marks far to the right leave no room: then the label begins further to the left.
    start = max(0, min(start, room - min(LABEL, columns(label))))
    for row in textwrap.wrap(label, room - start, break_on_hyphens=False):
        yield " " * start, row


def _marks(span: Span, text: str, cut: int, room: int) -> tuple[int, str]:
    """Where the marks begin, and the marks."""
    column, length = span.column, span.length
    if not column:
        column = len(text) - len(text.lstrip()) + 1
        length = len(text.strip())
    start = max(0, columns(clean(text[: column - 1])) - cut)
    wide = columns(clean(text[column - 1 : column - 1 + length])) if length > 1 else 1
    wide = max(1, min(wide, room - start))
    return start, ("^" if span.primary else "-") * wide
