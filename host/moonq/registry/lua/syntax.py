"""Makes findings of what Lua says about a text that does not compile.

Lua gives a line and `near 'x'` but no column: the column is that of the token. "(to close 'if' at
line 2)" becomes a second span.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from moonq.registry.lua.habits import habit, unclosed_habit
from moonq.registry.lua.text import LuaText
from moonq.registry.lua.tokens import Token, tokens
from moonq.text.findings import Finding, Span, error

_WHERE = re.compile(r":(\d+): (.*)", re.DOTALL)
_NEAR = re.compile(r"(?P<what>.*) near (?:'(?P<token>.*)'|<eof>)", re.DOTALL)
_OPENED = re.compile(
    r"'?(?P<wanted>.+?)'? expected \(to close '(?P<opener>.+)' at line (?P<line>\d+)\)"
)
_EXPECTED = re.compile(r"(?P<wanted>.+) expected")
_UNFINISHED = re.compile(
    r"unfinished (?P<what>string|long string|long comment)(?: \(starting at line (?P<line>\d+)\))?"
)
_AT_LINE = re.compile(r" (?:at|on) line \d+$")
_QUOTED = re.compile(r"'([^']*)'")
#: Lua's complaint about a text of that name, if it has one: `moonq.sandbox.syntax.check`.
Compile = Callable[[bytes, str], str | None]
#: So many of one kind on a line are no typing error; the search costs a compilation each.
MANY = 50
_ADVICE = {
    "malformed number": "write digits only, or put it in quotes",
    "invalid escape sequence": "write `\\\\` for a backslash",
    "more than 2000 'and'": "give parts of it names with `local`",
    "more than 1000 'elseif'": "look up in a table what to do",
    "break outside loop": "`break` ends a loop; a function ends with `return`",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Lua's sentence, taken apart."""

    line: int
    what: str
    token: str
    """The text Lua stood at, empty at the end of the file."""
    at_end: bool


def check(text: LuaText, compiles: Compile) -> Finding | None:
    """Return the finding for *text* if it is no Lua."""
    message = compiles(text.data, text.shown.file)
    return of_message(message, text, compiles) if message else None


def of_message(message: str, text: LuaText, compiles: Compile) -> Finding:
    """Return the finding for Lua's *message* about *text*."""
    complaint = _taken_apart(message)
    token = _culprit(complaint, text, compiles)
    line = token.line if token else min(complaint.line, text.last_line())
    return _Words(complaint, text, token, line).finding()


def _taken_apart(message: str) -> Complaint:
    message = message.partition("\nstack traceback:")[0]
    where = _WHERE.search(message)
    line, text = (int(where[1]), where[2]) if where else (1, message)
    near = _NEAR.fullmatch(text)
    if not near:
        return Complaint(line, text, "", at_end=False)
    return Complaint(line, near["what"], near["token"] or "", at_end=near["token"] is None)


def _culprit(complaint: Complaint, text: LuaText, compiles: Compile) -> Token | None:
    """The token Lua means; of several alike on the line, the first that is enough to fail."""
    if complaint.at_end or not complaint.token:
        return None
    same = [
        token
        for token in text.tokens()
        if token.line <= complaint.line <= token.line + token.text.count("\n")
        and token.text.startswith(complaint.token)
    ]
    for token in same[:MANY]:
        message = compiles(text.code.text[: token.end].encode(), text.shown.file)
        if message and message.endswith(f"near '{complaint.token}'"):
            return token
    return same[min(len(same), MANY) - 1] if same else None


@dataclass
class _Words:
    """Chooses sentence, labels and help for one complaint."""

    complaint: Complaint
    text: LuaText
    token: Token | None
    line: int

    def finding(self) -> Finding:
        opened = _OPENED.fullmatch(self.complaint.what)
        if opened:
            return self._unclosed(opened["wanted"], opened["opener"], int(opened["line"]))
        unfinished = _UNFINISHED.fullmatch(self.complaint.what)
        if unfinished:
            return self._unfinished(unfinished["what"], int(unfinished["line"] or self.line))
        message, label = self._sentence()
        found = habit(self.text.code, self.line, expected=self.complaint.what)
        advice = next(
            (text for start, text in _ADVICE.items() if self.complaint.what.startswith(start)), ""
        )
        return error("P110", message, self._span(label), help=found or advice)

    def _sentence(self) -> tuple[str, str]:
        what, shown = self.complaint.what, self._shown()
        expected = _EXPECTED.fullmatch(what)
        if expected:
            return self._expected(expected["wanted"], shown)
        if what in {"unexpected symbol", "syntax error"}:
            return f"Lua did not expect {shown} here", ""
        if what.startswith("malformed number"):
            return f"{shown} is no number", ""
        if what == "C stack overflow":
            return "this is nested too deep for Lua", ""
        return _AT_LINE.sub("", what), ""

    def _expected(self, wanted: str, shown: str) -> tuple[str, str]:
        if wanted != "<eof>":
            return f"Lua expected {_name(wanted)} here", f"found {shown}"
        # Only a `return` ends a text early; an `end` too many does so as well.
        if self.complaint.token in {"end", "else", "elseif", "until", ")", "}"}:
            return f"this {shown} closes nothing", ""
        return "nothing may follow a `return`", "never reached"

    def _unclosed(self, wanted: str, opener: str, line: int) -> Finding:
        article = "an" if opener == "if" else "a"
        label = f"Lua expected `{wanted}` before this"
        if self.complaint.at_end:
            label = f"the text ends here, without the `{wanted}`"
        column = self._column_of(opener, line)
        spans = (
            self._span(label, since=min(line, self.line)),
            self.text.span(line, column, len(opener), "opened here", primary=False),
        )
        before = self.line if self.complaint.at_end else self.text.last_line(self.line - 1)
        help_ = f"add `{wanted}` after line {before}"
        found = unclosed_habit(self.text.code) if wanted == "end" else ""
        found = found or habit(self.text.code, self.line)
        return error("P110", f"{article} `{opener}` is not closed", *spans, help=found or help_)

    def _unfinished(self, what: str, line: int) -> Finding:
        names = {"string": "text", "long string": "long text", "long comment": "comment"}
        message = f"this {names[what]} is not closed"
        if what == "string":
            quoted = [t for t in self.text.tokens() if t.line == line and t.kind == "string"]
            token = self.token or (quoted[-1] if quoted else None)
            closing = token.text[0] if token else '"'
            span = self._marked(token, line)
        else:
            opener = re.search(r"\[(=*)\[", self.text.code.line(line))
            closing = f"]{opener[1] if opener else ''}]"
            column = opener.start() + 1 if opener else 0
            span = self.text.span(line, column, len(closing), "opened here")
        return error("P110", message, span, help=f"add `{closing}` where it ends")

    def _marked(self, token: Token | None, line: int) -> Span:
        if token is None:
            return self.text.span(line, 0)
        return self.text.span(token.line, token.column, len(token.text.partition("\n")[0]))

    def _span(self, label: str, since: int | None = None) -> Span:
        if self.token:
            first = self.token.text.partition("\n")[0]
            # A tall frame hides what matters: beyond ten lines only both ends are shown.
            since = since if since and self.line - since <= 10 else None
            return self.text.span(self.line, self.token.column, len(first), label, since=since)
        if self.complaint.at_end:
            text = self.text.code.line(self.line)
            return self.text.span(self.line, max(1, len(text.rstrip())), 1, label)
        # Without `near`, the word in quotes (or the first one) is what Lua speaks of.
        quoted = _QUOTED.search(self.complaint.what)
        word = quoted[1] if quoted else self.complaint.what.partition(" ")[0]
        return self.text.span(self.line, self._column_of(word, self.line), len(word), label)

    def _shown(self) -> str:
        if self.complaint.at_end:
            return "the end of the text"
        text = self.complaint.token.partition("\n")[0]
        return f"`{text[:40]}`" if text else "this"

    def _column_of(self, word: str, line: int) -> int:
        found = (t for t in tokens(self.text.code.line(line)) if t.text == word)
        return next((token.column for token in found), 0)


def _name(wanted: str) -> str:
    names = {"<name>": "a name", "<string>": "a text"}
    return names.get(wanted, f"`{wanted.strip(chr(39))}`")
