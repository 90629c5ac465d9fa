"""The page about errors: every code, and every kind of error value."""

from __future__ import annotations

from pathlib import PurePath

from moonq.errors import KINDS
from moonq.reference.markdown import fence, page, section, table
from moonq.text.codes import CODES, FAMILIES, Code
from moonq.text.codes.code import SHOWN

_LEAD = "Every error code, with its cause, an example and the cure; and the kinds of error values."
_ABOUT = """\
A code stands behind `error`, `warning` or `note`, or in brackets at the end of a line. Its first
letter names the family. Whatever has a code also says in words what is so and what to do; the
code is for looking it up, for programs, and for searching."""
_VALUES = """\
Functions in Lua answer `nil, err`, and `err:kind()` is one of these words; errors of the Python
client have the same as `kind`. Whether trying again can help is `retryable()`: only a `false`
sends a message to the dead letters at once."""
#: What each kind means; those of the second column say by themselves that trying again can help.
_MEANINGS = {
    "NOT_FOUND": "What was named is not there.",
    "ALREADY_EXISTS": "It is there already.",
    "INVALID": "The caller's mistake: the same call will fail again.",
    "PERMISSION_DENIED": "A policy says no.",
    "UNAVAILABLE": "It is away for now.",
    "INTERNAL": "A fault of moonq or of what it stands on.",
    "CANCELED": "A wait was ended, and nothing was done.",
    "CONFLICT": "Somebody else was first, or says otherwise.",
    "TIMEOUT": "It took too long, and may have been done.",
    "RATE_LIMITED": "Too much at once: a queue is full.",
    "UNKNOWN": "A plain text was raised or answered, and nothing more is known.",
}
_RETRYABLE = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}
_LANGUAGES = {".yaml": "yaml", ".lua": "lua", ".py": "python"}


def text() -> str:
    """Return the page."""
    rows = [[f"[{code}](#{anchor(one)})", one.title] for code, one in CODES.items()]
    return page(
        "Errors",
        _LEAD,
        _ABOUT,
        table(
            ["family", "what it is about"], ([f"`{one}`", about] for one, about in FAMILIES.items())
        ),
        table(["code", "what is so"], rows),
        section("Kinds of error values", _VALUES, _kinds()),
        *map(_code, CODES.values()),
    )


def anchor(code: Code) -> str:
    """Return how links name the section of *code*."""
    return code.code.lower()


def _kinds() -> str:
    rows = [
        [f"`{kind}`", "yes" if kind in _RETRYABLE else "not said", _MEANINGS[kind]]
        for kind in KINDS
    ]
    return table(["kind", "worth another try", "meaning"], rows)


def _code(one: Code) -> str:
    return section(
        one.code,
        f"**{one.title}.** {one.cause}",
        *(_file(name, text) for name, text in one.example.items()),
        f"What to do: {one.cure[0].lower()}{one.cure[1:]}",
    )


def _file(name: str, text: str) -> str:
    if name == SHOWN:
        return fence("text", text)
    shown = fence(_LANGUAGES[PurePath(name).suffix], text)
    return shown if name == "_index.yaml" else f"`{name}`:\n\n{shown}"
