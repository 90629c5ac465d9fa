r"""Text that is safe to show: control characters written out, ASCII where a stream has no more.

    visible("a\nb")                # "a\\nb": a line stays one line, and nothing is lost
    clean("a\tb\x1b")              # "a    b\ufffd": every character keeps its columns
    value_text({"id": 42})         # '{"id":42}'
    in_ascii("queued → orders")    # "queued -> orders"

    safe("a\nb\x07\x1b[1mc")       # "a\nb\\x07\x1b[1mc": lines and colours, as views draw them

Whatever a script, a message or a file says passes one of these before it reaches a terminal, so
no text can forge a line of another speaker, or paint on the reader's screen. `safe` is the last of
them, the door of every stream; what JSON it changes means the same as before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from typing import Any, TextIO

TAB = "    "
# Beside the C1 controls: separators that some readers take for a line end, marks that turn the
# direction of text, and surrogates, which no encoding can write.
_UNSAFE = "\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
UNSAFE = re.compile(f"[\x00-\x1f{_UNSAFE}]")
# All but tabs and line ends. A pattern that begins with a set of characters is searched fast.
UNPRINTED = re.compile(f"[\x00-\x08\x0b-\x1f{_UNSAFE}]")
# `##[`, `##vso[` and `##teamcity[` are orders to a runner of CI, wherever on a line they stand.
_ORDER = re.compile(r"##(?=(?:vso|teamcity)?\[)")
# Colours, bold, underlined and the like; not what hides text or makes it blink.
_COLOR = (
    r"(?:[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3}"
    r"|0?[0-47]|[349][0-7]|10[0-7]|2[2-9]|[34]9)"
)
_STYLED = rf"\[(?:{_COLOR}(?:;{_COLOR})*)?m"
_FOREIGN = re.compile(rf"{UNPRINTED.pattern}((?<=\x1b){_STYLED})?")
#: Two colons begin an order too, on a line that begins with them.
_BEGINS = re.compile(rf"^((?:[^\S\n]|\x1b{_STYLED})*):(?=:)", re.MULTILINE)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNQUOTED = re.compile(r'[^\s"=]+')
#: What moonq's own texts use beyond ASCII; each stands for as many columns as before.
_SAME_WIDTH = str.maketrans(
    "·…▸\u203a▶↑↓⏎→µ░┌├└─│●✓✗\u2013\ufffd▁▂▃▄▅▆▇█", ".~>>>^v=>u.-|`-|*+x-?_.,-=+*#"
)
#: The same as words, for lines where columns do not matter.
_WORDS = _SAME_WIDTH | str.maketrans({"·": "|", "…": "...", "→": "->", "✓": "ok", "✗": "FAIL"})


def has_color(stream: TextIO, env: Mapping[str, str] = os.environ) -> bool:
    """Say whether colours are welcome on *stream*."""
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Return how many columns *stream* has now; 0 where it is no terminal."""
    if not stream.isatty():
        return 0
    try:
        found = 0 if os.environ.get("COLUMNS") else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # it is a terminal's, and has no descriptor of its own
        found = 0
    return found or shutil.get_terminal_size((80, 24)).columns


def speaks_unicode(stream: TextIO) -> bool:
    """Say whether *stream* can carry more than ASCII."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")


def in_ascii(text: str, *, same_width: bool = False) -> str:
    """Return *text* for a stream that does not speak Unicode."""
    table = _SAME_WIDTH if same_width else _WORDS
    return text.translate(table).encode("ascii", "backslashreplace").decode()


def visible(text: str) -> str:
    r"""Return *text* with control characters written out: a newline becomes ``\n``."""
    return _disordered(text if text.isprintable() else UNSAFE.sub(_escape, text))


def safe(text: str) -> str:
    """Return lines that may hold anything, with no more than styles, tabs and line ends in them.

    What a runner of CI would take for an order is none any more.
    """
    shown = text
    if not _is_plain(text):
        shown = _FOREIGN.sub(lambda match: match[0] if match[1] else _escape(match), text)
    shown = _BEGINS.sub(r"\1\\u003a", shown) if "::" in shown else shown
    return _disordered(shown)


def printed(text: str) -> str:
    """Return what a script prints: its lines and tabs stay, and the rest is written out."""
    return _disordered(UNPRINTED.sub(_escape, text))


def harmless(text: str) -> str:
    """Return *text*, JSON, with escapes for what a terminal or a runner of CI would obey."""
    return _disordered(text if _is_plain(text) else UNPRINTED.sub(_escape_json, text))


def is_harmless(text: str) -> bool:
    """Say whether lines are shown as they are."""
    return not UNPRINTED.search(text) and not _ORDER.search(text)


def _is_plain(text: str) -> bool:
    """Whether lines hold nothing that could be unsafe: known at a tenth of the cost of a search."""
    return text.replace("\n", "").replace("\t", "").isprintable()


def clean(text: str) -> str:
    """Return *text* with tabs as spaces and every other control character made visible."""
    text = _ORDER.sub("#\ufffd", text) if "##" in text else text
    if text.isprintable():
        return text
    return "".join(
        TAB if char == "\t" else char if char.isprintable() else "\ufffd" for char in text
    )


def shortened(text: str, limit: int) -> str:
    """Return *text* in at most *limit* characters, marked where it was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def short(message_id: str) -> str:
    """Return a message's id as people see it everywhere; commands understand it."""
    return message_id if len(message_id) <= 20 else f"{message_id[:4]}…{message_id[-6:]}"


def value_text(value: Any) -> str:
    """Return a field's value as people read it: quoted only where it would be misread."""
    text = value if isinstance(value, str) else json_text(value)
    if isinstance(value, str) and not _UNQUOTED.fullmatch(text):
        text = json.dumps(text, ensure_ascii=False)
    return visible(text)


def fields_text(fields: Mapping[str, Any]) -> str:
    """Return *fields* as ``name=value``, in their order."""
    return " ".join(f"{visible(str(name))}={value_text(value)}" for name, value in fields.items())


def details_text(speaker: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """Return who spoke about what, and the *fields* of it: ``id=01a2…0126 attempt=1 order=42``.

    What a script repeats of us is said once; what it calls by one of our names is a `field_`.
    """
    ours = {name: value for name, value in speaker.items() if name != "entry"}
    theirs = {
        f"field_{name}" if name in ours else name: value
        for name, value in fields.items()
        if ours.get("message_id" if name == "id" else name, ...) != value
    }
    if "message_id" in ours:
        ours = {"id": short(str(ours.pop("message_id"))), **ours}
    # Two texts: a field of the same name must not take the place of ours.
    return " ".join(filter(None, (fields_text(ours), fields_text(theirs))))


def json_text(value: Any) -> str:
    """Return *value* as JSON; what JSON does not know becomes text."""
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False
        )
    except (ValueError, TypeError, RecursionError):
        # A cycle, a number that JSON has not, or keys of mixed kinds: the text is still worth it.
        return json.dumps(_as_text(value), ensure_ascii=False, separators=(",", ":"))


def _as_text(value: Any) -> Any:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else str(value)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    # Where JSON leaves a character as it is, its escape is one of JSON.
    return _NAMED.get(char) or (f"\\x{ord(char):02x}" if char < " " else _escape_json(match))


def _escape_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _disordered(text: str) -> str:
    return _ORDER.sub(r"#\\u0023", text) if "##" in text else text
