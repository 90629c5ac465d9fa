"""Rows as columns, on terminals of any width and in pipes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from moonq.text.wording import columns as columns_of
from moonq.views import Screen, messages, queues
from moonq.views.tables import PAGE, Column, facts, get, paragraph, table

WORDS = "the bank did not answer within its time"


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"app:queue_{number:05}", "kind": "queue", "n": number, "error": WORDS}
        for number in range(count)
    ]


COLUMNS = [
    Column("id", get("id"), is_id=True),
    Column("kind", get("kind"), drop=2),
    Column("n", get("n"), right=True, drop=1),
    Column("error", get("error"), wraps=True),
]


def drawn(count: int, width: int, **how: Any) -> list[str]:
    return list(table(COLUMNS, rows(count), Screen(width=width), **how))


def test_a_terminal_wraps_texts_between_words() -> None:
    assert drawn(1, 60) == [
        "id               kind   n  error",
        "app:queue_00000  queue  0  the bank did not answer within",
        "                           its time",
    ]


def test_columns_leave_in_order_and_ids_lose_their_beginning() -> None:
    assert drawn(1, 36) == [
        "id               n  error",
        "app:queue_00000  0  the bank did not",
        "                    answer within",
        "                    its time",
    ]
    assert drawn(1, 30)[:2] == ["id            error", "…queue_00000  the bank did not"]


def test_a_pipe_gets_every_row_whole() -> None:
    assert drawn(2, 0) == [
        "id               kind   n  error",
        f"app:queue_00000  queue  0  {WORDS}",
        f"app:queue_00001  queue  1  {WORDS}",
    ]


@pytest.mark.parametrize("width", range(30, 130, 7))
@pytest.mark.parametrize("count", [3, PAGE + 3])
def test_no_line_is_wider_than_the_terminal(width: int, count: int) -> None:
    assert max(map(columns_of, drawn(count, width))) <= width


def test_more_than_a_page_takes_its_widths_from_the_first_one_and_a_line_for_each_row() -> None:
    many = [*rows(PAGE + 1), {**rows(1)[0], "id": "app:" + "x" * 60}]
    lines = list(table(COLUMNS, many, Screen(width=60)))
    assert len(lines) == 1 + len(many)
    assert lines[1] == "app:queue_00000  queue    0  the bank did not answer within…"
    assert lines[-1].startswith("…xxxxxxxxxxxxxx  queue")
    whole = list(table(COLUMNS, many, Screen()))
    assert "app:" + "x" * 60 in whole[-1]


def test_the_first_rows_of_many_come_before_the_last_are_known() -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield rows(1)[0]

    lines = table(COLUMNS, endless(), Screen())
    assert [next(lines) for _ in range(3)][1].startswith("app:queue_00000")
    assert taken <= PAGE + 1


def test_wide_characters_keep_the_columns_straight() -> None:
    named = [{"id": "注文", "n": 1}, {"id": "orders", "n": 2}]
    for width in (0, 60):
        lines = list(table([COLUMNS[0], COLUMNS[2]], named, Screen(width=width)))
        assert lines[1:] == ["注文    1", "orders  2"]


def test_no_cell_can_paint_the_screen() -> None:
    evil = [{"id": "a\x1b[2J\n", "n": 1}]
    for width in (0, 60):
        lines = list(table([COLUMNS[0], COLUMNS[2]], evil, Screen(width=width)))
        assert lines[1] == "a\\x1b[2J\\n  1"
    assert list(facts([("a", "\x1b[2J")], Screen())) == ["a  \\x1b[2J"]
    assert list(paragraph("\x1b[2J", "", Screen(width=20))) == ["\\x1b[2J"]


def test_styles_are_there_only_where_there_are_colours() -> None:
    red = [Column("n", lambda row: ("1", "bad"))]
    for width in (0, 40):
        assert "\x1b" not in "".join(table(red, [1], Screen(width=width)))
        assert "\x1b" in "".join(table(red, [1], Screen(color=True, width=width)))


def test_facts_go_on_below_themselves() -> None:
    told = [("id", "app:a"), ("reason", WORDS)]
    assert list(facts(told, Screen(width=30))) == [
        "id      app:a",
        "reason  the bank did not",
        "        answer within its time",
    ]
    assert list(facts(told, Screen())) == ["id      app:a", f"reason  {WORDS}"]


QUEUES = {"queues": [{"id": f"app:{n}", "ready": n, "consumers": ["app:c"]} for n in range(10000)]}
MESSAGE = {"id": "m" * 26, "state": "ready", "age": 2, "attempt": 1, "size": 90}
MESSAGES = {"messages": [{**MESSAGE, "body": {"to": "Zoë", "n": n}} for n in range(10000)]}


@pytest.mark.parametrize("width", [0, 100])
@pytest.mark.parametrize(("view", "found"), [(queues, QUEUES), (messages, MESSAGES)])
def test_ten_thousand_rows_cost_little(view: Any, found: Any, width: int) -> None:
    began = time.process_time()
    assert sum(1 for _ in view(found, Screen(color=bool(width), width=width))) == 10001
    assert time.process_time() - began < 1.0, "0.1 to 0.3 s on a quiet machine"


def test_a_body_is_cut_on_a_terminal_and_whole_in_a_pipe() -> None:
    one = {
        "id": "m1",
        "state": "ready",
        "age": 2,
        "attempt": 1,
        "size": 9,
        "body": {"t": "x" * 9000},
    }
    found = {"queue": "app:a", "messages": [one]}
    assert "x" * 9000 in "".join(messages(found, Screen()))
    for line in messages(found, Screen(width=80)):
        assert columns_of(line) <= 80


def test_a_word_that_is_wider_than_its_column_is_cut_and_never_broken() -> None:
    told = [{"id": "a", "error": "in src/handlers/process_order.lua"}]
    columns = [COLUMNS[0], COLUMNS[3]]
    assert list(table(columns, told, Screen(width=24))) == [
        "id  error",
        "a   in",
        "    src/handlers/proces…",
    ]


def test_names_that_would_take_half_of_the_room_stand_in_no_column() -> None:
    told = [("would go to dead letters", "no such customer"), ("", "at f.lua:1"), ("logs", "hi")]
    assert list(facts(told, Screen(width=40))) == [
        "would go to dead letters  no such",
        "  customer",
        "  at f.lua:1",
        "logs  hi",
    ]
    first, *_ = facts(told, Screen(width=60))
    assert first == "would go to dead letters  no such customer"
