"""What a call by hand did, and the errors that come of calls and requests."""

from __future__ import annotations

from collections.abc import Iterator

from moonq import durations
from moonq.errors import MoonqError
from moonq.text.plain import fields_text, visible
from moonq.text.wording import lasted, size
from moonq.views.lines import ran
from moonq.views.screen import Screen
from moonq.views.tables import Cell, Found, facts, paragraph, sentence

#: Frames of a traceback that are shown.
FRAMES = 10
#: Options of a publication in seconds.
SPANS = ("delay", "ttl")
#: Columns in front of what goes on below an error.
HANG = 6


def called(
    found: Found,
    screen: Screen,
    *,
    as_message: bool = False,
    frames: bool = True,
) -> Iterator[str]:
    """Yield a call's results, what it published or would have, its logs, and what it cost.

    Without *frames* an error is shown without its traceback.
    """
    if "lines" in found:
        yield from ran(found, screen)
    yield from facts(_told(found, screen, as_message, frames), screen, least=11)
    took = lasted(found["took_ms"] / 1000)
    yield screen.paint("dim", f"took {took} · {size(found['memory_bytes'])}")


def replayed(found: Found, screen: Screen) -> Iterator[str]:
    """Yield what a dead letter did when it was run again."""
    head = f"{found['id']} with {found['function']}; it stays where it is"
    yield screen.paint("dim", visible(head))
    yield from called(found, screen, as_message=True)


def _told(
    found: Found, screen: Screen, as_message: bool, frames: bool
) -> Iterator[tuple[str, str | Cell]]:
    error, unknown = found.get("error"), found.get("unknown_after")
    values = ", ".join(screen.value(value) for value in found["values"])
    if unknown:
        yield "outcome", (f"unknown after: {unknown}", "warn")
    elif as_message and (would := _would(found)):
        yield would, _why(found)
    elif error:
        yield "failed", _why(found)
    else:
        yield "returned", (values or "nothing", "lua" if values else "dim")
    if error and frames:
        for line in str(error.get("traceback") or "").splitlines()[:FRAMES]:
            yield "", (f"at {line.strip()}", "dim")
    if as_message and values:
        yield "returned", (values, "lua")
    written = {
        "published": map(_publication, found["published"]),
        "would publish": map(_publication, found["would_publish"]),
        "would write": (_change(one, screen) for one in found["would_write"]),
    }
    for name, lines in written.items():
        for at, line in enumerate(lines):
            yield "" if at else name, line
    for at, one in enumerate(found["logs"]):
        line = f"{one['level'].upper():5} {one['message']}  {fields_text(one['fields'])}".rstrip()
        yield "" if at else "logs", line


def _publication(one: Found) -> str:
    options = {
        name: durations.show(value) if name in SPANS else value
        for name, value in one["options"].items()
    }
    parts = (one["queue"], one["body"], fields_text(one["headers"]), fields_text(options))
    return "  ".join(filter(None, parts))


def _change(one: Found, screen: Screen) -> str:
    value = f" = {screen.value(one['value'])}" if "value" in one else ""
    return f"{one['store']}  {one['action']} {one['key']}{value}"


def _would(found: Found) -> str:
    """What would have become of the message: ``would retry in 2s``."""
    if found.get("verdict") == "dead":
        return f"would go to dead letters ({found['reason']})"
    delay = f" in {durations.show(found['delay'])}" if found.get("delay") else ""
    verdict = found.get("verdict")
    return f"would {verdict}{delay}" if verdict and verdict != "unknown" else verdict or ""


def _why(found: Found) -> Cell:
    """What went wrong: the error, or what the handler said when it settled its message itself."""
    error = found.get("error")
    if not error:
        return found.get("words", ""), "bad"
    retryable = {True: "yes", False: "no", None: "not said"}[error["retryable"]]
    return f"{error['kind']}: {error['message']}   (retryable: {retryable})", "bad"


def fault(found: Found, screen: Screen, hint: str = "") -> Iterator[str]:
    """Yield the block of an error value: its kind, its words, where it arose, and what to do."""
    words = {True: " (retryable)", False: " (not retryable)", None: ""}
    first, *more = str(found.get("message", "")).split("\n")
    code = f"  [{found['code']}]" if found.get("code") else ""
    kind = (f"error {visible(str(found.get('kind', 'UNKNOWN')))}", "bad")
    yield from sentence(screen, kind, f"{words[found.get('retryable')]}  {first}{code}", hang=HANG)
    for line in more:
        yield from paragraph(line, "", screen, " " * HANG)
    for line in str(found.get("stack") or "").splitlines()[:FRAMES]:
        yield from paragraph(f"at {line.strip()}", "dim", screen, " " * HANG)
    if hint:
        yield from paragraph(f"help: {hint}", "", screen, " " * HANG)


def problem(raised: MoonqError, screen: Screen) -> Iterator[str]:
    """Yield the lines of an error that moonq itself raised."""
    words = {"kind": raised.kind, "code": raised.code, "message": raised.message}
    return fault(words, screen, raised.hint)
