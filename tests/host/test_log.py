from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from moonq import log
from moonq.text.plain import has_color


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    log.configure(stream=io.StringIO())
    root.setLevel(level)


def said(mode: log.Mode, message: str = "took", *, name: str = "app:tasks", **extra: Any) -> str:
    """The text that one info line makes."""
    stream = io.StringIO()
    log.configure(mode=mode, stream=stream)
    log.get(name).info(message, extra=extra)
    return stream.getvalue()


def written(level: str = "info", **levels: str) -> list[str]:
    """Which of four loggers write a debug line."""
    stream = io.StringIO()
    log.configure(
        mode="json",
        stream=stream,
        level=level,
        levels={name.replace("_", "."): text for name, text in levels.items()},
    )
    for name in ("app:a", "app.queue:b", "app.queue.deep:c", "apples:d"):
        log.get(name).debug("x")
    return [json.loads(line)["logger"] for line in stream.getvalue().splitlines()]


def test_a_json_line_holds_time_level_logger_message_and_the_scripts_fields() -> None:
    line = json.loads(
        said("json", fields={"order": 42}, entry="app:tasks", message_id="m-1", attempt=2)
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info",
        "logger": "app:tasks",
        "message": "took",
        "entry": "app:tasks",
        "message_id": "m-1",
        "attempt": 2,
        "order": 42,
    }


def test_a_scripts_field_never_takes_the_place_of_ours() -> None:
    line = json.loads(said("json", message_id="real", fields={"message_id": "forged", "level": 9}))
    assert line["message_id"] == "real"
    assert line["level"] == "info"
    assert line["field_message_id"] == "forged"


def test_a_pretty_line_reads_like_a_sentence_with_its_details_behind() -> None:
    text = said(
        "pretty",
        "processing order",
        name="app:process_order",
        message_id="0192f3a0-0000-7000-8000-0000000000ab",
        attempt=1,
        fields={"order": 42, "who": "Ann Lee", "ok": True, "rest": {"a": 1}},
    )
    assert re.sub(r"^[\d:.]+", "TIME", text) == (
        "TIME INFO  app:process_order  processing order"
        '  id=0192...0000ab attempt=1 ok=true order=42 rest={"a":1} who="Ann Lee"\n'
    )


@pytest.mark.parametrize("mode", ["pretty", "json"])
@pytest.mark.parametrize("char", ["\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\x00", "\ud800"])
def test_nobody_can_write_a_line_that_another_did_not_say(mode: log.Mode, char: str) -> None:
    text = said(mode, f"a{char}b", fields={f"k{char}": f"v{char}", "deep": [char]})
    assert char not in text[:-1]
    assert text.count("\n") == 1
    assert text.encode("utf-8")


def test_the_longest_name_decides_the_level_and_names_end_at_a_dot_or_colon() -> None:
    assert written() == []
    assert written(app="debug") == ["app:a", "app.queue:b", "app.queue.deep:c"]
    assert written(app="debug", app_queue="error") == ["app:a"]
    assert written("debug", app_queue="info") == ["app:a", "apples:d"]


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown log level 'loud': use debug, info, warn, error"):
        log.configure(level="loud")


def test_lines_are_pretty_on_a_terminal_and_json_elsewhere() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        log.configure(stream=stream)
        log.get("x").info("hello")
    assert "hello" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert json.loads(pipe.getvalue())["message"] == "hello"


@pytest.mark.parametrize(
    ("terminal", "env", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    terminal: bool, env: dict[str, str], expected: bool
) -> None:
    assert has_color(Terminal() if terminal else io.StringIO(), env) is expected


def test_colour_is_left_out_when_it_is_refused() -> None:
    stream = Terminal()
    log.configure(stream=stream, color=True)
    log.get("x").warning("hot")
    log.configure(stream=stream, color=False)
    log.get("x").warning("cold")
    hot, cold = stream.getvalue().splitlines()
    assert "\x1b[" in hot
    assert "\x1b" not in cold
    assert "WARN" in cold


@pytest.mark.parametrize("mode", ["pretty", "json"])
def test_a_field_that_json_cannot_carry_is_shown_as_text(mode: log.Mode) -> None:
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    text = said(mode, fields={"nan": float("nan"), "cycle": cycle, "object": 1 + 2j})
    assert "nan" in text
    assert "1+2j" in text


def test_an_exception_is_part_of_its_line() -> None:
    stream = io.StringIO()
    log.configure(mode="json", stream=stream)
    try:
        raise KeyError("lost")
    except KeyError:
        log.get("moonq").exception("broken")
    line = json.loads(stream.getvalue())
    assert line["level"] == "error"
    assert "KeyError: 'lost'" in line["traceback"]


def test_scripts_cannot_fill_the_memory_with_names(monkeypatch: pytest.MonkeyPatch) -> None:
    log.get("app:before")
    monkeypatch.setattr(log, "MAX_NAMES", 1)
    assert log.get("app:before").name == "app:before"
    assert log.get("app:one-too-many").name == log.OTHERS


def test_a_name_of_many_dots_makes_no_loggers_above_it() -> None:
    before = len(logging.root.manager.loggerDict)
    for number in range(100):
        log.get(f"app.{'a.' * 100}{number}").info("deep")
    assert len(logging.root.manager.loggerDict) - before == 0


def test_a_logger_of_many_dots_speaks_at_the_level_that_was_chosen_for_it() -> None:
    stream = io.StringIO()
    name = "deep.a.b.c.d.e"
    logger = log.get(name)
    assert logger.parent is logging.root
    log.configure(mode="json", level="warn", levels={"deep.a": "debug"}, stream=stream)
    logger.debug("heard")
    log.configure(mode="json", level="warn", stream=stream)
    logger.info("not heard")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["heard"]
    assert log.is_known(name)


def test_a_name_that_is_longer_than_any_is_the_name_of_others() -> None:
    assert log.get("x" * 4000).name == log.OTHERS


def test_a_stream_that_is_gone_does_not_disturb_the_speaker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    stream.close()
    log.get("x").info("into the void")
    assert capsys.readouterr().err == ""


LINES = {
    120: [
        (
            "120 WARN  shop:orders.consumer  nack → again in 118ms: "
            "TIMEOUT the bank did not answer  id=01a2…0126ab"
        ),
        "             attempt=1",
    ],
    80: [
        "120 WARN  shop:orders.consumer  nack → again in 118ms: TIMEOUT the bank",
        "             did not answer  id=01a2…0126ab attempt=1",
    ],
    40: [
        " WARN  orders.consumer  nack →",
        "  again in 118ms: TIMEOUT the bank did",
        "  not answer  id=01a2…0126ab attempt=1",
    ],
}


@pytest.mark.parametrize("width", LINES)
def test_a_line_loses_milliseconds_and_the_namespace_and_then_goes_on_below(width: int) -> None:
    record = log.logging.LogRecord(
        "shop:orders.consumer", log.logging.WARNING, "", 0,
        "nack → again in 118ms: TIMEOUT the bank did not answer", (), None,
    )  # fmt: skip
    record.message_id, record.attempt = "01a21834-bffe-70a3-b44c-06cfde0126ab", 1
    record.created = 1_767_268_801.12
    first, *more = log.PrettyFormatter(width=lambda: width).format(record).split("\n")
    assert [first[8 if width == 40 else 9 :], *more] == LINES[width]


def test_what_a_script_repeats_of_us_is_said_once() -> None:
    line = said("pretty", message_id="m-1", attempt=1, fields={"attempt": 1, "id": "m-1", "n": 2})
    assert line.endswith("took  id=m-1 attempt=1 n=2\n")
    line = said("pretty", message_id="m-1", attempt=1, fields={"attempt": 7, "id": 42})
    assert line.endswith("took  id=m-1 attempt=1 field_attempt=7 id=42\n")
