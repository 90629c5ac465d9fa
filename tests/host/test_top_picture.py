"""What `moonq top` draws, as text: no terminal, no host."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from moonq.dashboard.picture import Look, picture, shown_queues
from moonq.dashboard.sampling import History, Sample
from moonq.dashboard.view import View
from moonq.text.wording import columns as width
from moonq.views import Screen

NOON = time.mktime((2026, 11, 23, 12, 0, 0, 0, 0, -1))
STATUS = {"project": "shop", "profile": "dev", "pid": 4711, "up": 15000.0}


def queue(name: str, **fields: Any) -> dict[str, Any]:
    counts = {"ready": 0, "leased": 0, "running": 0, "delayed": 0, "dead": 0, "published": 0}
    return {"id": name, "consumers": [], **counts, **fields}


def consumer(name: str, **fields: Any) -> dict[str, Any]:
    work = {"workers": 4, "busy": 4, "concurrency": 4, "acked": 0, "retried": 0, "dead": 0}
    known = {"id": name, "queue": "app:orders", "function": "app:process_order", "state": "running"}
    return {**known, **work, **fields}


def sample(seconds: float, queues: list[Any], consumers: list[Any], **status: Any) -> Sample:
    return Sample(
        NOON + seconds,
        {**STATUS, "up": 15000.0 + seconds, **status},
        {row["id"]: row for row in queues},
        {row["id"]: row for row in consumers},
    )


def shop(seconds: float, ready: int) -> Sample:
    """A shop whose queue grows: 84 orders a second come in, 81 are done, 4 of ten fail."""
    queues = [
        queue(
            "app:orders",
            ready=ready,
            leased=16,
            running=4,
            delayed=3,
            dead=12,
            dead_letter="app:orders.dead",
            oldest_age=192.0,
            published=int(84 * (1000 + seconds)),
            consumers=["app:orders.consumer"],
        ),
        queue("app:emails", running=1, paused=True, ready=7, consumers=["app:emails.consumer"]),
        queue("app:orders.dead", ready=12, oldest_age=187200.0),
        {"id": "app:far", "consumers": ["app:far.consumer"], "ready": 5, "published": 0},
    ]
    consumers = [
        consumer(
            "app:orders.consumer",
            acked=int(81 * (1000 + seconds)),
            retried=int(0.4 * (1000 + seconds)),
            times=[[0.003, int(80 * (1000 + seconds))], [0.012, int(12 * (1000 + seconds))]],
            last_error="UNKNOWN no answer",
            last_error_at=NOON + 48,
        ),
        consumer(
            "app:emails.consumer",
            queue="app:emails",
            function="app:send_email",
            paused=True,
            workers=1,
            busy=0,
            concurrency=1,
        ),
    ]
    return sample(seconds, queues, consumers, cpu=0.012, memory_bytes=84 * 2**20)


@pytest.fixture
def view() -> View:
    history = History()
    for seconds in range(0, 61, 5):
        history.add(shop(seconds, 600 + 10 * seconds))
    return history.view()


USUAL = """\
 moonq top   shop dev  up 4h11m  1.2% cpu  84 MB  socket ok  12:01:00  every 1s
 in 84.0/s  out 81.0/s  failed 0.4/s  p50 3.0 ms  p95 12 ms  p99 12 ms
 last 10 s
  QUEUE            READY  INFL  DELAY  DEAD  OLDEST   IN/s  OUT/s       ETA
  app:emails           7     1      0     0       ·    0.0    0.0    paused
  app:far              5     ·      ·     ·       ·    0.0      ·         ·
▸ app:orders       1 200    20      3   12!   3m12s   84.0   81.0   growing
  app:orders.dead     12     0      0     -    2d4h    0.0      ·         -
  CONSUMER             WORKERS  BUSY   OK/s  FAIL/s     P95  LAST ERROR
  app:orders.consumer      4/4  100%   81.0     0.4   12 ms  12s ago no answer
  app:emails.consumer   paused    0%    0.0     0.0       -  -
 ↑↓ select  ⏎ open  q quit  ? help  / filter  s sort  p pause  d dead letters"""
WIDE = """\
 moonq top   shop dev  up 4h11m  1.2% cpu  84 MB  socket ok  12:01:00  every 1s
 in 84.0/s  out 81.0/s  failed 0.4/s  p50 3.0 ms  p95 12 ms  p99 12 ms  last 10 s
  QUEUE            READY  INFL  DELAY  DEAD  OLDEST   IN/s  OUT/s       ETA  TREND 60 s
  app:emails           7     1      0     0       ·    0.0    0.0    paused  ████████████
  app:far              5     ·      ·     ·       ·    0.0      ·         ·  ████████████
  app:orders       1 200    20      3   12!   3m12s   84.0   81.0   growing  ▅▆▆▆▆▇▇▇████
  app:orders.dead     12     0      0     -    2d4h    0.0      ·         -  ████████████
  CONSUMER             WORKERS  BUSY  FUNCTION            OK/s  FAIL/s     P95  LAST ERROR
  app:orders.consumer      4/4  100%  app:process_order   81.0     0.4   12 ms  12s ago no answer
  app:emails.consumer   paused    0%  app:send_email       0.0     0.0       -  -
 ↑↓ select  ⏎ open  q quit  ? help  / filter  s sort  p pause  d dead letters  e errors  l logs"""
NARROW = """\
 moonq top   shop dev  up 4h11m
 1.2% cpu  84 MB  socket ok  12:01:00
 every 1s
 in 84.0/s  out 81.0/s  failed 0.4/s
 p50 3.0 ms  p95 12 ms  p99 12 ms
 last 10 s
  QUEUE         READY  INFL  DELAY  DEAD
  app:emails        7     1      0     0
  app:far           5     ·      ·     ·
  app:orders    1 200    20      3   12!
  …orders.dead     12     0      0     -
  CONSUMER         WORKERS  BUSY     P95
  …rders.consumer      4/4  100%   12 ms
  …mails.consumer   paused    0%       -
 ↑↓ select  ⏎ open  q quit  ? help"""


def drawn(view: View, look: Look, columns: int, rows: int | None = None) -> list[str]:
    return picture(view, look, Screen(width=columns), rows)


def test_a_usual_terminal_shows_all_but_the_trend(view: View) -> None:
    lines = drawn(view, Look(selected="app:orders"), 80, 24)
    assert "\n".join(line for line in lines if line) == USUAL
    assert len(lines) == 24


def test_a_wide_terminal_shows_everything(view: View) -> None:
    lines = drawn(view, Look(), 120, 30)
    assert "\n".join(line for line in lines if line) == WIDE
    assert len(lines) == 30


def test_a_narrow_terminal_keeps_what_matters(view: View) -> None:
    lines = drawn(view, Look(), 40, 20)
    assert "\n".join(line for line in lines if line) == NARROW
    assert len(lines) == 20


@pytest.mark.parametrize("columns", range(40, 141))
def test_no_line_is_wider_than_the_terminal(view: View, columns: int) -> None:
    look = Look(footer="a question that is much longer than most terminals are wide, really? [y/N]")
    assert max(width(line) for line in drawn(view, look, columns, 24)) <= columns


def test_columns_leave_in_order_when_room_gets_scarce(view: View) -> None:
    gone: list[str] = []
    for columns in range(140, 30, -1):
        head = next(line for line in drawn(view, Look(), columns) if "QUEUE" in line)
        for title in ("TREND", "ETA", "IN/s", "OUT/s"):
            if title not in head and title not in gone:
                gone.append(title)
    assert gone == ["TREND", "ETA", "IN/s", "OUT/s"]


def test_a_number_that_nobody_knows_is_no_zero(view: View) -> None:
    (far,) = [line for line in drawn(view, Look(), 80) if "app:far" in line]
    assert far.split() == ["app:far", "5", *"···", "·", "0.0", "·", "·"]


def test_one_picture_of_a_pipe_shows_every_row_and_no_keys() -> None:
    queues = [queue(f"app:q{number:02}") for number in range(60)]
    history = History()
    history.add(sample(0, queues, []))
    lines = drawn(history.view(), Look(is_live=False), 80)
    assert sum("app:q" in line for line in lines) == 60
    assert not any("quit" in line or "every" in line for line in lines)


def test_the_selected_queue_is_in_sight_among_many() -> None:
    queues = [queue(f"app:q{number:02}") for number in range(60)]
    history = History()
    history.add(sample(0, queues, []))
    for name in ("app:q00", "app:q31", "app:q59"):
        lines = drawn(history.view(), Look(selected=name), 80, 24)
        assert any(line.startswith(f"▸ {name}") for line in lines)
        assert len(lines) == 24
    assert any("QUEUE +" in line for line in lines), "it says that there are more"


def test_a_single_look_averages_over_the_whole_life_and_says_so() -> None:
    history = History()
    history.add(shop(0, 600))
    view = history.view()
    assert view.queues[0]["in_rate"] == pytest.approx(84 * 1000 / 15000)
    assert "since 07:50 (host start)" in "".join(drawn(view, Look(), 120))


def test_rates_are_about_the_last_seconds() -> None:
    history = History()
    for seconds, published in ((0, 0), (30, 9000), (35, 9050), (40, 9100)):
        history.add(sample(seconds, [queue("app:orders", published=published)], []))
    view = history.view()
    assert view.queues[0]["in_rate"] == 10.0
    assert "last 10 s" in "".join(drawn(view, Look(), 120))


def test_a_consumer_that_was_replaced_counts_anew_and_never_below_zero() -> None:
    history = History()
    for seconds, acked in ((0, 900), (5, 1000), (10, 50)):
        history.add(sample(seconds, [], [consumer("app:worker", acked=acked)]))
    assert history.view().consumers[0]["ok_rate"] == 5.0


def test_another_process_has_no_past() -> None:
    history = History()
    history.add(sample(0, [queue("app:orders", published=5000)], []))
    history.add(sample(1, [queue("app:orders", published=1)], [], pid=9, up=1.0))
    assert history.view().since_start


def test_p95_is_about_the_same_seconds_as_the_rates() -> None:
    history = History()
    history.add(sample(0, [], [consumer("app:worker", times=[[5.0, 1000]])]))
    history.add(sample(5, [], [consumer("app:worker", times=[[0.003, 100], [5.0, 1000]])]))
    assert history.view().consumers[0]["p95"] == 0.003


def test_a_silent_host_is_named_and_its_last_numbers_stay(view: View) -> None:
    history = History()
    history.add(shop(0, 600))
    lines = drawn(history.view(NOON + 7), Look(), 80, 24)
    assert "NO ANSWER for 7s" in lines[0]
    assert any("app:orders " in line and "600" in line for line in lines)


def test_production_is_spelled_out() -> None:
    history = History()
    history.add(sample(0, [], [], profile="production", production=True))
    assert "shop PRODUCTION" in drawn(history.view(), Look(), 80)[0]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("name", "app:emails"), ("dead", "app:orders"), ("age", "app:orders.dead")],
)
def test_the_worst_is_on_top_when_asked_for(view: View, sort: Any, first: str) -> None:
    assert shown_queues(view, Look(sort=sort))[0]["id"] == first


def test_a_filter_narrows_queues_and_their_consumers(view: View) -> None:
    text = "\n".join(drawn(view, Look(filter="MAIL"), 80))
    assert "app:emails.consumer" in text
    assert "orders" not in text


def test_an_error_cannot_paint_the_screen() -> None:
    history = History()
    history.add(sample(0, [], [consumer("app:worker", last_error="\x1b[2Jgone\nnext")]))
    text = "\n".join(drawn(history.view(), Look(), 140))
    assert "\x1b" not in text
    assert "\\x1b[2Jgone\\nnext" in text


def test_json_says_what_is_known_and_leaves_the_rest_out(view: View) -> None:
    found = replace(view, queues=view.queues[3:]).as_json()
    assert found["schema"] == "moonq.top/1"
    assert found.keys() == {
        *("schema", "time", "seconds", "since_start", "host", "queues", "consumers"),
        *("p50", "p95", "p99"),
    }
    assert found["host"].keys() == {
        *("project", "profile", "pid", "up", "cpu", "memory_bytes", "silent_for")
    }
    assert found["consumers"][0].keys() == {
        *("id", "queue", "function", "state", "workers", "concurrency", "busy"),
        *("ok_rate", "fail_rate", "p95", "last_error", "last_error_age"),
    }
    assert found["queues"][0].keys() == {
        *("id", "ready", "in_rate", "consumers", "keeps_dead", "paused", "problem", "trend")
    }


def test_a_broker_that_is_paid_by_the_call_is_told_what_it_costs(view: View) -> None:
    """Of the last ten seconds: 40 calls for 100 messages that came, and 100 that were done."""
    history = History()
    for seconds, calls, count in ((0.0, 100, 500), (10.0, 140, 600)):
        told = {"app:sqs": {"SendMessageBatch": calls // 2, "DeleteMessageBatch": calls // 2}}
        queues = [queue("app:orders", published=count)]
        consumers = [consumer("app:orders.consumer", acked=count)]
        history.add(sample(seconds, queues, consumers, cpu=0.1, memory_bytes=1, calls=told))
    paid = history.view()
    assert (paid.host["call_rate"], paid.host["calls_per_message"]) == (4.0, 0.2)
    assert "4.0 calls/s, 0.20 per message" in "\n".join(drawn(paid, Look(), 120))
    assert "calls" not in "\n".join(drawn(view, Look(), 120))
