"""Whether what moonq said is like what a page shows.

    alike = Alike({})
    alike.holds("took 0.4 ms · 31 KB\\n", "took 1.3 ms · 29 KB\\n")     # True

What differs from run to run counts as the same: see `VOLATILE`. Everything else is compared
character by character, but for how many spaces there are, and for a time at the end of a line
that is only there when something took long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: An id, whole or short, as `01a2…d3e8f1`, or the moment in the name of a backup,
#: `2026-11-27T033010`. Which one a page shows is remembered.
ID = (
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{4}…[0-9a-f]{6}"
    r"|\d{4}-\d\d-\d\dT\d{6}\b"
)
#: What differs from run to run, as a pattern for both sides.
VOLATILE = {
    "id": ID,
    "moment": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d:?\d\d(?:\.\d+)?Z?)?",
    "clock": r"\b\d\d:\d\d:\d\d(?:\.\d+)?",
    "pid": r"\bpid \d+",
    "version": r"\b(?:moonq|Python|Lua) \d+\.\d+(?:\.\w+)*",
    "ago": r"\b\d+(?:\.\d+)?\s?(?:ms|s|m|h) ago|\bnow\b",
    "age": r"(?:(?<=  )|(?<=oldest ))\d+(?:ms|s|m|h)(?=  |$)",
    "time": r"\b\d+(?:\.\d+)?\s?(?:µs|ms)\b|\b\d+\.\d+s\b",
    "rate": r"\b\d+(?:\.\d+)?/s\b|(?<![\w.])\d+\.\d+(?![\w.])|\blast \d+s\b"
    r"|(?<=  )·(?=  )",
    "user": r"\bconsole:[\w.-]+",
    "memory": r"\b\d+(?:\.\d+)? [KM]B\b",
}
_PARTS = re.compile("|".join(f"(?P<{name}>{text})" for name, text in VOLATILE.items()) + "|…")
_TIME = r"(?:\d+(?:\.\d+)?\s?(?:µs|ms|s|m)\b)"
_BROKEN = re.compile(r"\n {10,}(?=\S)")


def in_time(shown: str) -> str:
    """Return *shown* of a host's output, where others may speak between any two lines.

    What a page has indented below a long log line belongs to it.
    """
    return "".join(f"...\n{line}\n" for line in _BROKEN.sub(" ", shown).splitlines())


@dataclass
class Alike:
    """Compares, and keeps which id of the page is which of this run."""

    ids: dict[str, str] = field(default_factory=dict)

    def holds(self, shown: str, said: str) -> bool:
        """Say whether all of *said* is like *shown*."""
        return self.end_of(f"{shown}\x03", f"{said}\x03") is not None

    def end_of(self, shown: str, said: str) -> int | None:
        """Return where in *said* ends what is like *shown*, from its beginning; None: nowhere."""
        names: dict[str, str] = {}
        pattern = "".join(self._line(line, names) for line in shown.splitlines(keepends=True))
        found = re.match(pattern, said)
        if found is None:
            return None
        self.ids.update({one: found[group] for one, group in names.items()})
        return found.end()

    def put_in(self, typed: str) -> str:
        """Return *typed*, a command of the page, with the ids of this run."""
        return re.sub(ID, lambda one: self.ids.get(one[0], one[0]), typed)

    def _line(self, line: str, names: dict[str, str]) -> str:
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        if line == "\x03":
            return line
        done, at = [r" *"], 0
        text = line.strip()
        for part in _PARTS.finditer(text):
            done.append(_plain(text[at : part.start()]))
            done.append(self._volatile(part, names))
            at = part.end()
        return "".join([*done, _plain(text[at:]), rf"(?: +{_TIME})? *\n"])

    def _volatile(self, part: re.Match[str], names: dict[str, str]) -> str:
        if part[0] == "…":
            return ".*?"
        kind = str(part.lastgroup)
        if kind in ("age", "ago", "time"):
            return rf"(?:{VOLATILE['ago']}|{_TIME})"
        if kind != "id":
            return f"(?:{VOLATILE[kind]})"
        if part[0] in self.ids:
            return re.escape(self.ids[part[0]])
        if part[0] in names:
            return f"(?P={names[part[0]]})"
        names[part[0]] = f"id{len(names)}"
        return f"(?P<{names[part[0]]}>{ID})"


def _plain(text: str) -> str:
    return " +".join(re.escape(word) for word in re.split(r" +", text))
