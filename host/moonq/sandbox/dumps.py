"""Which lines of a Lua text can run: read out of what Lua compiles it to.

Nothing runs, and functions that are never called are there as well. The form of a dump is
Lua 5.4's own (`ldump.c`), which does not change within 5.4.
"""

from __future__ import annotations

from moonq.sandbox.syntax import compiled

#: Where the first function begins: signature, version, format, data, sizes, two numbers, a count.
_HEAD = 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1
#: Instead of a difference: the line stands in the list of absolute ones.
_ABSOLUTE = -128


def executable_lines(source: bytes) -> frozenset[int]:
    """Return the lines of *source* that have something to run; none when it is no Lua.

    The `end` of a function is not among them: it only runs where nothing returned before.
    """
    dump, _ = compiled(source, "=source")
    if dump is None:
        return frozenset()
    reader = _Reader(dump, _HEAD)
    reader.function()
    return frozenset(reader.lines)


class _Reader:
    """Reads functions from a dump, one inside the other."""

    def __init__(self, dump: bytes, at: int) -> None:
        self._dump = dump
        self._at = at
        self.lines: set[int] = set()

    def function(self) -> None:
        self._skip_text()
        defined = self._number()
        self._number()  # the last line
        _, is_vararg, _ = self._bytes(3)
        code = self._count_of(4)
        self._constants()
        self._count_of(3)  # upvalues
        for _ in range(self._number()):
            self.function()
        deltas = self._bytes(self._number())
        absolute = {self._number(): self._number() for _ in range(self._number())}
        self._names()
        if code:
            self._lines(defined, deltas, absolute, skip_first=bool(is_vararg))

    def _lines(
        self, line: int, deltas: bytes, absolute: dict[int, int], *, skip_first: bool
    ) -> None:
        """Add the line of each instruction but the last, which is the return behind the end.

        The first one of a function with `...` prepares its arguments and belongs to no line.
        """
        for place, delta in enumerate(deltas[:-1]):
            change = delta - 256 if delta > 127 else delta
            line = absolute[place] if change == _ABSOLUTE else line + change
            if place or not skip_first:
                self.lines.add(line)

    def _constants(self) -> None:
        sizes = {0x03: 8, 0x13: 8}  # integers and floats
        for _ in range(self._number()):
            kind = self._bytes(1)[0]
            if kind in {0x04, 0x14}:
                self._skip_text()
            else:
                self._at += sizes.get(kind, 0)

    def _names(self) -> None:
        for _ in range(self._number()):
            self._skip_text()
            self._number()
            self._number()
        for _ in range(self._number()):
            self._skip_text()

    def _skip_text(self) -> None:
        length = self._number()
        self._at += max(0, length - 1)

    def _count_of(self, size: int) -> int:
        count = self._number()
        self._at += count * size
        return count

    def _bytes(self, count: int) -> bytes:
        self._at += count
        return self._dump[self._at - count : self._at]

    def _number(self) -> int:
        """Seven bits a byte, the most significant first; the last byte has its high bit set."""
        number = 0
        while True:
            byte = self._dump[self._at]
            self._at += 1
            number = number << 7 | byte & 0x7F
            if byte & 0x80:
                return number
