"""What keys do on the dashboard, without a terminal: the desk answers at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moonq.dashboard.following import Following
from moonq.dashboard.pages import Board, Pages
from moonq.dashboard.picture import Look
from moonq.dashboard.sampling import History, Sample
from moonq.errors import NoHost, ReadOnly
from moonq.text.plain import in_ascii
from moonq.text.wording import columns
from moonq.views import Screen

LETTER = {
    "id": "01J9XK00000000000000008A7Q",
    "state": "dead",
    "age": 60.0,
    "attempt": 5,
    "interruptions": 0,
    "size": 12,
    "headers": {"source": "shop"},
    "body": {"order": 42},
    "errors": [
        {
            "time": 1e9,
            "kind": "TIMEOUT",
            "message": "bank did not answer",
            "where": "pay.lua:31",
            "traceback": "pay.lua:31: in charge\npay.lua:7: in main",
        }
    ],
}


class Desk:
    """A host that answers at once, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}

    def ask(self, kind: str, on_answer: Callable[[Any], None], **fields: Any) -> None:
        self.asked.append((kind, fields))
        on_answer(self.answers.get(kind, {}))


def row(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "ready": 0, "dead": 0, "published": 0, "consumers": [], **fields}


def _nobody() -> Any:
    raise NoHost("no host is asked here")


class Shown:
    """Pages and their desk."""

    def __init__(self, *queues: dict[str, Any]) -> None:
        self.desk = Desk()
        history = History()
        status = {"project": "shop", "profile": "dev", "pid": 1, "up": 5.0}
        history.add(Sample(1000.0, status, {one["id"]: one for one in queues}, {}))
        self.following = Following(_nobody, lambda: 1000.0)
        board = Board(history, Look(), self.desk.ask, lambda: 1000.0, self.following)
        self.pages = Pages(board)
        self.text()

    def press(self, *keys: str) -> bool:
        return [self.pages.press(key) for key in keys][-1]

    def text(self) -> str:
        lines = self.pages.lines(Screen(width=80), 24)
        assert len(lines) == 24
        return "\n".join(lines)


@pytest.fixture
def shown() -> Shown:
    return Shown(row("app:a"), row("app:b", dead=3), row("app:c", ready=7, paused=True))


def test_arrows_select_and_stop_at_the_ends(shown: Shown) -> None:
    seen = []
    for key in ("up", "down", "down", "down", "home", "end"):
        shown.press(key)
        (line,) = [line for line in shown.text().splitlines() if line.startswith("▸")]
        seen.append(line.split()[1])
    assert seen == ["app:a", "app:b", "app:c", "app:c", "app:a", "app:c"]


def test_q_leaves_and_so_does_escape(shown: Shown) -> None:
    assert shown.press("x")
    assert not shown.press("q")
    assert "READY" in shown.text(), "it can still be drawn"
    assert not Shown(row("app:a")).press("escape")


def test_s_sorts_by_what_is_worst(shown: Shown) -> None:
    shown.press("s")
    assert "sorted by dead" in shown.text()
    assert shown.text().index("app:b") < shown.text().index("app:a")


def test_a_filter_is_typed_corrected_and_taken_back(shown: Shown) -> None:
    shown.press("/", *":bq", "backspace")
    assert "filter: :b" in shown.text()
    shown.press("enter")
    assert "▸ app:b" in shown.text()
    assert "app:a" not in shown.text()
    shown.press("/", "enter")
    assert "app:a" in shown.text()


def test_q_in_a_filter_is_a_letter(shown: Shown) -> None:
    assert shown.press("/", "q")
    assert "filter: q" in shown.text()
    assert "no queue fits" in shown.text()


def test_pausing_asks_first_and_any_other_key_means_no(shown: Shown) -> None:
    shown.press("p")
    assert "pause app:a for everybody? [y/N]" in shown.text()
    shown.press("enter")
    assert shown.desk.asked == []
    assert "nothing was changed" in shown.text()


def test_a_yes_pauses_and_a_paused_queue_is_resumed(shown: Shown) -> None:
    shown.press("p", "y")
    assert "paused app:a" in shown.text()
    shown.press("end", "p", "y")
    assert shown.desk.asked == [("pause", {"target": "app:a"}), ("resume", {"target": "app:c"})]


def test_a_refusal_is_shown(shown: Shown) -> None:
    shown.desk.answers["pause"] = ReadOnly("pause: this session is read-only", hint="ask")
    shown.press("p", "y")
    assert "pause: this session is read-only; ask" in shown.text()


def test_enter_shows_the_messages_of_a_queue(shown: Shown) -> None:
    shown.desk.answers["peek"] = {"messages": [{**LETTER, "state": "ready", "errors": []}]}
    shown.press("enter")
    assert shown.desk.asked == [("peek", {"queue": "app:a", "limit": 200})]
    assert "1 message, the next first (nothing was consumed)" in shown.text()
    assert "{ order = 42 }" in shown.text()
    shown.press("q")
    assert "OLDEST" in shown.text(), "q goes back to the first page"


def test_a_dead_letter_shows_body_headers_and_every_error(shown: Shown) -> None:
    shown.desk.answers["dead_letters"] = {"messages": [LETTER]}
    shown.desk.answers["dead_letter"] = {"queue": "app:b", **LETTER}
    shown.press("down", "d")
    assert "TIMEOUT bank did not answer" in shown.text()
    shown.press("enter")
    for part in ("source = shop", "order = 42", "TIMEOUT: bank did not answer", "pay.lua:31: in"):
        assert part in shown.text()
    assert f"moonq dead retry app:b {LETTER['id']}" in shown.text()


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_of_a_message_is_cut_by_the_terminal(shown: Shown, width: int) -> None:
    headers = {"x_dead_letter_time": "1000000000.0", "x_original_queue": "shop:orders.of.today"}
    shown.desk.answers["dead_letters"] = {"messages": [LETTER]}
    shown.desk.answers["dead_letter"] = {"queue": "app:b", **LETTER, "headers": headers}
    shown.press("d")
    assert "(nothing was consumed)" in " ".join(
        " ".join(shown.pages.lines(Screen(width=width), 24)).split()
    )
    shown.press("enter")
    lines = shown.pages.lines(Screen(width=width), 24)
    assert max(map(columns, lines)) <= width
    assert any("shop:orders.of.today" in line for line in lines)


def test_a_long_message_scrolls_to_its_end_and_not_beyond(shown: Shown) -> None:
    shown.desk.answers["peek"] = {"messages": [LETTER]}
    shown.desk.answers["find"] = {"queue": "app:a", **LETTER, "body": list(range(100))}
    shown.press("enter", "enter", "end", "down", "down")
    assert "pay.lua:7: in main" in shown.text().splitlines()[21]


def test_the_help_explains_every_key_and_leaves_at_any(shown: Shown) -> None:
    shown.press("?")
    assert "a number that cannot be known" in shown.text()
    assert shown.press("q")
    assert "READY" in shown.text()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_help_can_be_read_to_its_end_at_every_width(shown: Shown, width: int) -> None:
    shown.press("?")
    seen = []
    for _ in range(3):
        seen += shown.pages.lines(Screen(width=width), 24)
        shown.press("pagedown")
    assert max(map(columns, seen)) <= width
    assert not [line for line in seen if "…" in line]
    told = " ".join(" ".join(seen).split())
    for words in ("the first page: leave. The host goes on", "that the head names."):
        assert words in told


def test_a_body_cannot_paint_the_screen(shown: Shown) -> None:
    shown.desk.answers["peek"] = {"messages": [{**LETTER, "errors": []}]}
    del (body := {**LETTER, "text": "\x1b[2J"})["body"]
    shown.desk.answers["find"] = {"queue": "app:a", **body}
    shown.press("enter", "enter")
    assert "\x1b" not in shown.text()
    assert "\\x1b[2J" in shown.text()


def test_a_terminal_without_unicode_gets_ascii_of_the_same_width(shown: Shown) -> None:
    shown.desk.answers["dead_letters"] = {"messages": [LETTER]}
    for keys in ((), ("p",), ("x", "d"), ("q", "?")):
        for key in keys:
            shown.press(key)
        simple = in_ascii(shown.text(), same_width=True)
        assert simple.isascii(), simple
        assert len(simple) == len(shown.text())


GROUP = {
    "fingerprint": "a41",
    "count": 9,
    "last": 1e9,
    "where": "pay.lua:31",
    "error": "TIMEOUT bank did not answer",
}


def failure(message: str, time: float = 1e9) -> dict[str, Any]:
    error = {"kind": "TIMEOUT", "message": message, "where": "mail.lua:3"}
    return {"event": "nack", "queue": "app:c", "time": time, "error": error}


def test_e_shows_errors_of_all_queues_by_kind_and_their_letters(shown: Shown) -> None:
    shown.desk.answers = {
        "dead_queues": {"queues": [{"queue": "app:b"}]},
        "dead_letters": {"groups": [GROUP], "messages": [LETTER]},
    }
    shown.press("e")
    assert "1 kind of error" in shown.text()
    assert "a41" in shown.text()
    assert "TIMEOUT bank did" in shown.text()
    shown.press("enter")
    asked = {"queue": "app:b", "limit": 200, "error": "a41"}
    assert shown.desk.asked[-1] == ("dead_letters", asked)
    assert shown.press("q", "q"), "back on the first page"


def test_e_counts_failures_that_run_again_when_their_words_are_alike(shown: Shown) -> None:
    shown.desk.answers = {"dead_queues": {"queues": []}}
    for message in ("order 1 is late", "order 2 is late", "no such order"):
        shown.following.take(failure(message))
    shown.press("e")
    rows = [line.split() for line in shown.text().splitlines() if "again" in line]
    assert sorted(row[row.index("again") - 1] for row in rows) == ["1", "2"]


def test_e_says_why_there_is_nothing_to_see(shown: Shown) -> None:
    shown.desk.answers = {"dead_queues": ReadOnly("no", hint="ask")}
    shown.press("e")
    assert "no; ask" in shown.text()
    shown.press("down", "enter")
    assert "no; ask" in shown.text()


def logged(number: int) -> dict[str, Any]:
    words = {"level": "info", "logger": "app:pay", "message": f"line {number}."}
    return {"event": "log", "time": 1e9, **words}


def test_l_shows_the_newest_log_lines_and_follows_them(shown: Shown) -> None:
    shown.press("l")
    assert "no log line since" in shown.text()
    for number in range(100):
        shown.following.take(logged(number))
    assert "line 99." in shown.text()
    shown.press("home")
    shown.following.take(logged(100))
    assert "line 0." in shown.text()
    assert "line 100." not in shown.text()
    shown.press("end")
    assert "line 100." in shown.text()


def test_up_on_the_log_goes_one_line_back(shown: Shown) -> None:
    for number in range(100):
        shown.following.take(logged(number))
    shown.press("l")
    assert "line 99." in shown.text()
    shown.press("up")
    assert "line 98." in shown.text()
    assert "line 99." not in shown.text()
