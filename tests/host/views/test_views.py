"""Every view, at 120, 80 and 40 columns and in a pipe: the same facts for any room."""

from __future__ import annotations

import time
from typing import Any

import pytest

from moonq import views
from moonq.text.wording import columns as columns_of
from moonq.views import Screen

ID = "01a21834-bffe-70a3-b44c-06cfdea8a129"
ERROR = {"kind": "TIMEOUT", "message": "bank did not answer", "retryable": True}


def queues() -> dict[str, Any]:
    orders = {
        "id": "app:orders",
        "ready": 1204,
        "leased": 16,
        "running": 4,
        "delayed": 3,
        "dead": 12,
        "dead_letter": "app:orders.dead",
        "oldest_age": 192.0,
        "in_rate": 84.0,
        "out_rate": 81.5,
        "rate_seconds": 60.0,
        "consumers": ["app:orders.consumer"],
    }
    letters = {"id": "app:orders.dead", "ready": 12, "dead_letter": None, "consumers": []}
    emails = {
        "id": "app:emails",
        "paused": True,
        "ready": 0,
        "consumers": [],
        "problem": "no answer",
    }
    return {"queues": [orders, letters, emails]}


CONSUMERS = [
    {"id": "app:orders.consumer", "state": "running", "busy": 1, "workers": 3, "concurrency": 4}
]
QUEUES = {
    120: """\
queue                ready  in-flight  delayed  dead  oldest  in/s  out/s  consumers
app:emails (paused)      0          ·        ·     ·       -     ·      ·  none
app:orders           1 204         20        3   12!   3m12s  84.0   81.5  app:orders.consumer 3/4
app:orders.dead         12          ·        ·     -       ·     ·      ·  none""",
    80: """\
queue                ready  in-flight  delayed  dead  oldest  consumers
app:emails (paused)      0          ·        ·     ·       -  none
app:orders           1 204         20        3   12!   3m12s  …ders.consumer 3/4
app:orders.dead         12          ·        ·     -       ·  none""",
    40: """\
queue             ready  in-flight  dead
…emails (paused)      0          ·     ·
app:orders        1 204         20   12!
app:orders.dead      12          ·     -""",
}
QUEUES[0] = QUEUES[120]


@pytest.mark.parametrize("width", QUEUES)
def test_queues(width: int) -> None:
    lines = views.queues(queues(), Screen(width=width), consumers=CONSUMERS)
    assert "\n".join(lines) == QUEUES[width]


def test_notes_are_the_talk_beside_an_answer() -> None:
    assert list(views.notes(queues())) == [
        ("rates: last 1m", False),
        ("app:emails: no answer", True),
    ]
    left = {"left_off": 3}
    assert list(views.notes(left)) == [("3 more would not fit; ask for fewer with -n", True)]


def letter(**more: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "queue": "app:orders",
        "state": "ready",
        "attempt": 5,
        "interruptions": 1,
        "age": 61.0,
        "published_at": time.time() - 61,
        "size": 22,
        "priority": "high",
        "group": "customer-7",
        "due": time.time() + 9.0,
        "headers": {"source": "shop", "x_attempts": 5, "x_dead_letter_time": time.time() - 5},
        "body": {"order": 42, "note": "a\nb"},
        "errors": [
            {
                **ERROR,
                "time": time.time() - 5,
                "where": "pay.lua:31",
                "traceback": "pay.lua:31: in pay",
            }
        ],
        **more,
    }


@pytest.mark.parametrize("width", [0, 40, 80, 120])
def test_one_message_tells_everything(width: int) -> None:
    lines = list(views.letter(letter(), Screen(width=width)))
    text = " ".join(" ".join(lines).split())
    for part in (
        "app:orders",
        ", attempt 5, 1 interrupted",
        "due in 9s",
        "1m1s ago, 22 B",
        "priority",
        "customer-7",
        "source = shop",
        "x_attempts = 5",
        "(5s ago)",
        "order = 42",
        '"a\\nb"',
        "attempt 5 ",
        ", 5s ago",
        "pay.lua:31: in pay",
        "TIMEOUT: bank did not answer",
    ):
        assert part in text
    assert (ID if width != 40 else "01a2…a8a129") in text
    assert not width or max(map(columns_of, lines)) <= width


def test_a_letter_without_an_error_gives_its_reason() -> None:
    found = letter(errors=[], headers={"x_dead_letter_reason": "expired"})
    assert list(views.letter(found, Screen()))[-1] == "no error is remembered (expired)"


LETTERS = {
    "dead_queue": "app:orders.dead",
    "count": 9,
    "groups": [
        {
            "fingerprint": "a41",
            "count": 9,
            "last": 0.0,
            "where": "src/process_order.lua:31",
            "error": "TIMEOUT bank did not answer",
            "example": ID,
        }
    ],
    "messages": [{"id": ID}],
}


@pytest.mark.parametrize(("width", "example"), [(0, ID), (120, "01a2…a8a129"), (40, "")])
def test_letters_are_grouped_and_the_newest_named_whole(
    width: int, example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 120.0)
    head, titles, row, *rest = views.letters(LETTERS, Screen(width=width))
    assert " ".join([head, titles]).startswith("9 dead letters in app:orders.dead, 1 kind")
    assert [line.strip() for line in rest[-2:]] == ["newest", ID]
    text = "\n".join([titles, row, *rest])
    assert example in text
    assert ("src/process_order.lua:31" in text) == (width != 40)
    assert "a41  9  2m ago" in text


def test_no_letters_are_no_empty_table() -> None:
    found = {**LETTERS, "groups": [], "messages": []}
    assert list(views.letters(found, Screen())) == ["no dead letters in app:orders.dead"]


CALL = {
    "verdict": "retry",
    "values": [{"id": 7}],
    "error": None,
    "words": "bank did not answer",
    "delay": 2.0,
    "published": [],
    "would_publish": [
        {
            "queue": "app:mails",
            "body": '{"order":42}',
            "headers": {"source": "web"},
            "options": {"delay": 300.0},
        }
    ],
    "would_write": [{"store": "app:seen", "action": "set", "key": "42", "value": {"n": 1}}],
    "logs": [{"level": "info", "message": "processing", "fields": {"order": 42}}],
    "took_ms": 0.4,
    "memory_bytes": 31_000,
}


@pytest.mark.parametrize("width", [0, 80])
def test_a_call_shows_what_it_did(width: int) -> None:
    assert list(views.called(CALL, Screen(width=width), as_message=True)) == [
        "would retry in 2s  bank did not answer",
        "returned           { id = 7 }",
        'would publish      app:mails  {"order":42}  source=web  delay=5m',
        "would write        app:seen  set 42 = { n = 1 }",
        "logs               INFO  processing  order=42",
        "took 400 µs · 30 KB",
    ]
    really = {**CALL, "published": CALL["would_publish"], "would_publish": [], "would_write": []}
    sent = list(views.called(really, Screen(width=width), as_message=False))
    assert sent[:2] == [
        "returned     { id = 7 }",
        'published    app:mails  {"order":42}  source=web  delay=5m',
    ]


def test_a_call_that_failed_shows_where() -> None:
    error = {**ERROR, "traceback": "pay.lua:31: in pay\npay.lua:7: in main"}
    nothing: dict[str, Any] = {"values": [], "logs": [], "would_publish": [], "would_write": []}
    found = {**CALL, **nothing, "error": error, "verdict": ""}
    lines = list(views.called(found, Screen(), as_message=False))
    assert lines[0] == "failed       TIMEOUT: bank did not answer   (retryable: yes)"
    unknown = views.called(
        {**found, "verdict": "unknown", "delay": None}, Screen(), as_message=True
    )
    assert next(unknown) == "unknown      TIMEOUT: bank did not answer   (retryable: yes)"
    assert lines[1:3] == [f"{'':13}at pay.lua:31: in pay", f"{'':13}at pay.lua:7: in main"]
    assert len(list(views.called(found, Screen(), as_message=False, frames=False))) == 2


GRAPH = {
    "nodes": [
        {"id": "app:worker", "kind": "queue.consumer"},
        {"id": "app:jobs", "kind": "queue.queue"},
    ],
    "edges": [{"from": "app:worker", "field": "queue", "to": "app:jobs"}],
}


def test_a_graph_is_a_tree_from_what_nothing_needs() -> None:
    assert list(views.graph(GRAPH, Screen())) == [
        "app:worker  queue.consumer",
        "└─ queue  app:jobs  queue.queue",
    ]
    assert list(views.graph(GRAPH, Screen(unicode=False), middle="app:jobs")) == [
        "app:jobs  queue.queue",
        "`- used by",
        "   `- app:worker  queue.consumer",
    ]
    assert '"app:worker" -> "app:jobs" [label="queue"]' in "\n".join(
        views.graph(GRAPH, Screen(), form="dot")
    )
    assert list(views.graph(GRAPH, Screen(), form="mermaid"))[-1] == "  n0 -->|queue| n1"


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            {"event": "dead", "queue": "app:a", "id": ID, "attempt": 5, "reason": "max_attempts",
             "error": {**ERROR, "where": "pay.lua:31"}},
            f"dead    app:a  {ID}  try 5  max_attempts  TIMEOUT bank did not answer  pay.lua:31",
        ),
        (
            {"event": "nack", "queue": "app:a", "id": ID, "attempt": 1, "verdict": "retry",
             "delay": 4.0},
            f"nack    app:a  {ID}  try 1  in 4s",
        ),
        (
            {"event": "ack", "queue": "app:a", "id": ID, "attempt": 1, "function": "app:f",
             "body": {"n": 1}},
            f"ack     app:a  {ID}  try 1  app:f  {{ n = 1 }}",
        ),
        ({"event": "publish", "queue": "app:a", "count": 3}, "publish app:a  3 messages"),
        (
            {"event": "log", "level": "warn", "logger": "app:f", "message": "a\x1b[2J",
             "fields": {"n": 1}},
            "log     WARN  app:f  a\\x1b[2J  n=1",
        ),
    ],
)  # fmt: skip
def test_an_event_is_one_line(found: dict[str, Any], line: str) -> None:
    text = views.event({"time": 0.25, **found}, Screen())
    assert text[8:] == f".250 {line}"


@pytest.mark.parametrize("width", range(20, 60, 5))
def test_a_graph_gives_up_kinds_and_the_beginning_of_ids_where_room_is_scarce(width: int) -> None:
    worker, orders = "app:orders.consumer.of.letters", "app:orders"
    found = {
        "nodes": [{"id": worker, "kind": "queue.consumer"}, {"id": orders, "kind": "queue.queue"}],
        "edges": [{"from": worker, "to": orders, "field": "queue"}],
    }
    lines = list(views.graph(found, Screen(width=width)))
    assert len(lines) == 2
    assert max(map(columns_of, lines)) <= width
    assert ("queue.consumer" in lines[0]) == (width >= 46)
    assert lines[1].startswith("└─ queue  ")
    assert lines[1].endswith(("orders", "queue.queue"))


@pytest.mark.parametrize("width", [30, 40, 60])
def test_no_line_about_a_dead_letter_is_wider_than_the_terminal(width: int) -> None:
    shown = list(views.letter(letter(), Screen(width=width)))
    assert max(map(columns_of, shown)) <= width
    assert any(line.startswith("attempt") for line in shown)


def test_an_entry_shows_what_it_says_and_who_needs_it() -> None:
    found = {
        "id": "app:orders",
        "kind": "queue.queue",
        "file": "src/_index.yaml",
        "line": 14,
        "fields": {"retry": {"max_attempts": 5, "policy": None}, "driver": "app:mem", "none": None},
        "depends_on": ["app:mem"],
        "used_by": [],
    }
    assert list(views.entry(found, Screen(width=60))) == [
        "app:orders  queue.queue  src/_index.yaml:14",
        "  retry         max_attempts: 5",
        "  driver        app:mem",
        "  needs         app:mem",
    ]


def test_entries_in_a_pipe_begin_with_their_ids() -> None:
    found = {"entries": [{"id": "app:a", "kind": "queue.queue", "file": "_index.yaml", "line": 3}]}
    assert list(views.entries(found, Screen())) == ["app:a  queue.queue  _index.yaml:3"]
    assert next(views.entries(found, Screen(width=80))) == "entry  kind         written at"


def test_what_was_done_is_said_in_its_own_words() -> None:
    screen = Screen()
    assert list(views.done({"paused": "app:a"}, screen)) == ["paused app:a"]
    assert list(views.done({"queue": "q", "retried": 1}, screen)) == ["1 message requeued"]
    [_, rest] = views.done({"queue": "q", "chosen": 3, "retried": 1}, screen)
    assert rest.startswith("2 still dead: ")
    gone = {"queue": "app:a", "chosen": 3, "dropped": 2, "backup": "a b", "backup_bytes": 9,
            "kept_days": 7}  # fmt: skip
    assert list(views.dropped(gone, screen, verb="purged")) == [
        "saved  a b (9 B, kept 7 days)",
        "purged 2 · undo: moonq publish app:a --ndjson 'a b'",
        "1 were taken by a consumer meanwhile",
    ]


def test_what_was_published_and_what_became_of_it() -> None:
    found = {
        "queue": "app:a",
        "published": 1,
        "refused": 0,
        "duplicates": 0,
        "ids": ["m1"],
        "errors": [{"number": 2, "kind": "INVALID", "message": "too large"}],
        "outcomes": [{"event": "ack", "function": "app:f", "took_ms": 12.0, "attempt": 1}],
        "timed_out": True,
        "dry_run": False,
        "took_ms": 20.0,
    }
    assert list(views.published(found, Screen())) == [
        "published m1 to app:a",
        "acked by app:f in 12 ms (attempt 1)",
    ]
    twice = {**found, "duplicates": 1, "outcomes": []}
    assert list(views.published(twice, Screen())) == [
        "duplicate of m1 in app:a: nothing new was published"
    ]
    assert [note for note, _ in views.notes(found)] == [
        "moonq: message 2: INVALID too large",
        "not done after 20ms; it goes on without us",
    ]


def test_a_duplicate_is_not_counted_as_published() -> None:
    found = {"queue": "app:a", "refused": 0, "outcomes": [], "dry_run": False, "took_ms": 0.0}
    one = {**found, "published": 1, "duplicates": 1, "ids": ["m1"]}
    assert list(views.published(one, Screen())) == [
        "duplicate of m1 in app:a: nothing new was published"
    ]
    many = {**found, "published": 3, "duplicates": 1, "ids": ["m1", "m1", "m2"]}
    assert list(views.published(many, Screen())) == ["published 2 · 0 s · 0 refused · 1 duplicate"]


def test_a_reload_says_what_changed() -> None:
    nothing = {"added": [], "removed": [], "changed": [], "replaced": [], "workers": 0,
               "finishing": 0, "needs_restart": [], "problems": [], "took_ms": 9.0,
               "settings": []}  # fmt: skip
    assert list(views.reloaded(nothing, Screen())) == ["nothing has changed"]
    some = {**nothing, "changed": ["app:f"], "replaced": ["app:c"], "workers": 1, "finishing": 2,
            "needs_restart": ["app:s"], "problems": ["app:x is down"]}  # fmt: skip
    assert list(views.reloaded(some, Screen())) == [
        "changed  app:f",
        "reloaded in 9 ms · 1 worker switched · 2 messages finishing on the old code",
        "not up: app:x is down",
        "app:s is as it was until the next start",
    ]
    settings = {**nothing, "settings": ["security"]}
    assert list(views.reloaded(settings, Screen())) == [
        "changed  moonq.yaml: security",
        "reloaded in 9 ms",
    ]


def test_hosts_are_lines() -> None:
    host = {"project": "shop", "path": "/shop", "name": "host", "pid": 7,
            "profile": "dev", "problem": "", "up": 3661.0,
            "acked": 1204, "retried": 3, "dead": 0, "socket": "/run/x.sock",
            "services": [{"id": "app:x", "state": "failed"}]}  # fmt: skip
    silent = {**host, "path": "/other", "problem": "does not answer"}
    up, away = views.hosts({"hosts": [host, silent]}, Screen())
    done = "1 204 acked · 3 retried · 0 dead"
    assert up == f"shop · pid 7 · dev · up 01:01:01 · {done} · not up: app:x · /run/x.sock"
    assert away == "shop · pid 7 · dev · does not answer"
    full = {"id": "app:file", "kind": "queue.driver.sqlite", "state": "running",
            "problem": "the disk is full"}  # fmt: skip
    blue = {**host, "name": "blue", "problem": "does not answer"}
    first, second = views.hosts({"hosts": [host, blue]}, Screen())
    assert first.startswith("shop · host · pid 7"), "there are several"
    assert second == "shop · blue · pid 7 · dev · does not answer"
    [ill] = views.hosts({"hosts": [{**host, "services": [full]}]}, Screen())
    assert ill.endswith("0 dead · app:file: the disk is full · /run/x.sock")


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        ("lua", ['{ { a = 1, b = "x" } }']),
        ("table", ["a  b", "1  x"]),
        ("yaml", ["- a: 1", "  b: x"]),
        ("json", ["[", "  {", '    "a": 1,', '    "b": "x"', "  }", "]"]),
    ],
)
def test_a_value_in_every_format(output: str, lines: list[str]) -> None:
    assert list(views.value([{"a": 1, "b": "x"}], Screen(), output=output)) == lines


def test_a_table_of_values_keeps_what_names_a_row_where_room_is_scarce() -> None:
    rows = [{"consumers": 1, "driver": "queue.driver.memory", "id": "app:orders", "ready": 3}]
    wide = list(views.value(rows, Screen(width=80), output="table"))
    assert wide[0].split() == ["id", "consumers", "driver", "ready"]
    narrow = list(views.value(rows, Screen(width=24), output="table"))
    assert narrow[0].split() == ["id", "consumers"]
    assert narrow[1].split() == ["app:orders", "1"]


EVENT = {
    "event": "dead", "queue": "app:orders", "id": ID, "attempt": 5, "reason": "max_attempts",
    "error": {**ERROR, "where": "pay.lua:31"}, "time": 0.25,
}  # fmt: skip
EVENTS = {
    120: [
        (
            ":00.250 dead    app:orders  01a2…a8a129  try 5  max_attempts  "
            "TIMEOUT bank did not answer  pay.lua:31"
        ),
    ],
    80: [
        ":00.250 dead    app:orders  01a2…a8a129  try 5  max_attempts  TIMEOUT bank",
        "             did not answer  pay.lua:31",
    ],
    40: [
        ":00 dead    orders  01a2…a8a129",
        "  try 5  max_attempts  TIMEOUT bank did",
        "  not answer  pay.lua:31",
    ],
}


@pytest.mark.parametrize("width", EVENTS)
def test_an_event_loses_milliseconds_and_namespaces_and_then_goes_on_below(width: int) -> None:
    first, *more = views.event(EVENT, Screen(width=width)).split("\n")
    assert [first[5:], *more] == EVENTS[width]


def test_what_is_looked_for_in_an_event_is_on_one_line_without_colours() -> None:
    shown = views.plain_event(EVENT, Screen(color=True, width=40))
    assert shown[8:] == EVENTS[120][0][3:]
