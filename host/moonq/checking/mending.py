"""What `moonq check --fix` does: the edits that findings carry, until there are none left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from moonq import kinds
from moonq.errors import Edit
from moonq.text.findings import Finding

#: Edits of one place wait for the next round; no file needs as many rounds as this.
ROUNDS = 100


def mend(path: Path, profile: str = "") -> list[Finding]:
    """Make the edits that the findings of the project at *path*, in *profile*, carry; return them.

    Raises:
        OSError: A file cannot be written.
    """
    mended: list[Finding] = []
    for _ in range(ROUNDS):
        loaded = kinds.read(path, profile=profile)
        found = [finding for finding in loaded.findings if finding.edits]
        if loaded.root is None or not found:
            break
        files = {edit.file for finding in found for edit in finding.edits}
        before = {file: (loaded.root / file).read_bytes() for file in files}
        done = list(_without_conflicts(found))
        for file in sorted(files):
            edits = [edit for one in done for edit in one.edits if edit.file == file]
            _write(loaded.root / file, edited(before[file], edits))
        if _unread(path, profile) > sum(
            finding.code.startswith("P") for finding in loaded.findings
        ):
            # It was written in a way that the edits do not know: a person must do it.
            for file, data in before.items():
                _write(loaded.root / file, data)
            break
        mended += done
    return mended


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return *data* with *edits*, which do not overlap; the ends of its lines stay as they are."""
    text = data.decode("utf-8")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix(mark).split("\n")
    newline = "\r\n" if lines[0].endswith("\r") else "\n"
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    text = "\n".join(lines)
    for edit in sorted(edits, key=_place, reverse=True):
        start = _offset(starts, edit.line, edit.column)
        end = _offset(starts, edit.end_line, edit.end_column)
        new = edit.text.replace("\n", newline)
        if start > len(text):
            text, new = text + newline, new.removesuffix(newline)
            start = end = len(text)
        text = text[:start] + new + text[end:]
    return (mark + text).encode("utf-8")


def _offset(starts: Sequence[int], line: int, column: int) -> int:
    return starts[min(line, len(starts)) - 1] + column - 1


def _place(edit: Edit) -> tuple[int, int]:
    return edit.line, edit.column


def _without_conflicts(found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings whose edits touch no place that an earlier one has touched."""
    taken: list[Edit] = []
    for finding in found:
        if not any(_conflict(edit, other) for edit in finding.edits for other in taken):
            taken += finding.edits
            yield finding


def _conflict(one: Edit, other: Edit) -> bool:
    first, second = sorted((one, other), key=_place)
    # What only touches another edit would stand on what that one takes away.
    return one.file == other.file and (first.end_line, first.end_column) >= _place(second)


def _unread(path: Path, profile: str) -> int:
    found = kinds.read(path, profile=profile).findings
    return sum(finding.code.startswith("P") for finding in found)


def _write(path: Path, data: bytes) -> None:
    """Write a file at once, with its rights; where it is a link, what it leads to."""
    real = path.resolve()
    fresh = real.with_name(f".{real.name}.moonq")
    fresh.write_bytes(data)
    shutil.copymode(real, fresh)
    fresh.replace(real)
