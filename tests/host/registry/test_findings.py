"""What people see of a finding; the first tests pin the mock-ups of the design."""

from __future__ import annotations

import re

import pytest

from moonq.text.findings import (
    Finding,
    Source,
    Span,
    by_place,
    has_errors,
    render,
    summary,
    to_json,
)

INDEX = Source(
    "src/_index.yaml",
    "\n".join(
        [
            *["#"] * 5,
            "    kind: queue.driver.rabbitmq",
            *["#"] * 3,
            "  - name: orders",
            "    kind: queue.queue",
            "     driver: app:mem",
            "    kind: queue.consumer",
            "    queue: app:ordres",
            "#",
            "    concurrency: 5000",
            *["#"] * 2,
            "    source: file://proces_order.lua",
            "    modules: [queue, logger]",
        ]
    ),
)
LUA = Source(
    "src/process_order.lua",
    "return function(order)\n"
    "  if order.total > 100 then\n"
    "    return true\n"
    "  return false\n"
    'local json = require("json")\n',
)


def error(code: str, message: str, *spans: Span, note: str = "", help: str = "") -> Finding:  # noqa: A002
    notes = (note,) if note else ()
    return Finding("error", code, message, spans, notes, (help,) if help else ())


MOCK_UPS = {
    "bad YAML": (
        error(
            "P101",
            "this line is indented differently from its neighbours",
            INDEX.span(12, 6, 1, "5 spaces; the other fields of this entry use 4", since=10),
            help="move `driver` one column left",
        ),
        """\
error[P101]: this line is indented differently from its neighbours
   ┌─ src/_index.yaml:12:6
10 │   - name: orders
11 │     kind: queue.queue
12 │      driver: app:mem
   │      ^ 5 spaces; the other fields of this entry use 4
   = help: move `driver` one column left""",
    ),
    "an unknown kind": (
        error(
            "R201",
            "unknown entry kind `queue.driver.rabbitmq`",
            INDEX.span(6, 11, 21, "no such kind"),
            help="RabbitMQ is `queue.driver.amqp`",
        ),
        """\
error[R201]: unknown entry kind `queue.driver.rabbitmq`
   ┌─ src/_index.yaml:6:11
 6 │     kind: queue.driver.rabbitmq
   │           ^^^^^^^^^^^^^^^^^^^^^ no such kind
   = help: RabbitMQ is `queue.driver.amqp`""",
    ),
    "an unknown reference": (
        error(
            "R202",
            "`queue` refers to an entry that does not exist",
            INDEX.span(14, 12, 10, "no entry `app:ordres`", since=13),
            help="did you mean `app:orders`?  (queue.queue, src/_index.yaml:8)",
        ),
        """\
error[R202]: `queue` refers to an entry that does not exist
   ┌─ src/_index.yaml:14:12
13 │     kind: queue.consumer
14 │     queue: app:ordres
   │            ^^^^^^^^^^ no entry `app:ordres`
   = help: did you mean `app:orders`?  (queue.queue, src/_index.yaml:8)""",
    ),
    "a cycle": (
        error(
            "R204",
            "these entries need each other, so none can start",
            Span("src/_index.yaml", 9, 5, label="app:a  ── imports ──▶ app:b"),
            Span("src/lib/_index.yaml", 5, 5, label="app:b  ── imports ──▶ app:c"),
            Span("src/lib/_index.yaml", 11, 5, label="app:c  ── imports ──▶ app:a"),
            help="move what `app:a` and `app:c` share into a fourth library.lua",
        ),
        """\
error[R204]: these entries need each other, so none can start
   app:a  ── imports ──▶ app:b    src/_index.yaml:9
   app:b  ── imports ──▶ app:c    src/lib/_index.yaml:5
   app:c  ── imports ──▶ app:a    src/lib/_index.yaml:11
   = help: move what `app:a` and `app:c` share into a fourth library.lua""",
    ),
    "a missing file": (
        error(
            "P120",
            "source file not found",
            INDEX.span(19, 13, 23, "looked for src/proces_order.lua"),
            help="did you mean `file://process_order.lua`?",
        ),
        """\
error[P120]: source file not found
   ┌─ src/_index.yaml:19:13
19 │     source: file://proces_order.lua
   │             ^^^^^^^^^^^^^^^^^^^^^^^ looked for src/proces_order.lua
   = help: did you mean `file://process_order.lua`?""",
    ),
    "Lua syntax": (
        error(
            "P110",
            "an `if` is not closed",
            LUA.span(4, 3, 6, "Lua expected `end` before this", since=2),
            LUA.span(2, 3, 2, "opened here", primary=False),
            help="add `end` after line 3",
        ),
        """\
error[P110]: an `if` is not closed
   ┌─ src/process_order.lua:4:3
 2 │   if order.total > 100 then
   │   -- opened here
 3 │     return true
 4 │   return false
   │   ^^^^^^ Lua expected `end` before this
   = help: add `end` after line 3""",
    ),
    "an undeclared module": (
        error(
            "L301",
            "`json` is required but not declared for app:process_order",
            LUA.span(5, 22, 6),
            INDEX.span(20, 14, 15, "add `json` here", primary=False),
            note="an entry may only load the modules its YAML lists; that is the sandbox",
        ),
        """\
error[L301]: `json` is required but not declared for app:process_order
   ┌─ src/process_order.lua:5:22
 5 │ local json = require("json")
   │                      ^^^^^^
   ┌─ src/_index.yaml:20:14
20 │     modules: [queue, logger]
   │              --------------- add `json` here
   = note: an entry may only load the modules its YAML lists; that is the sandbox""",
    ),
    "out of range": (
        error(
            "R208",
            "`concurrency` must be between 1 and 1000",
            INDEX.span(16, 18, 4),
            note="5000 idle Lua states alone need about 130 MB (26 KB each)",
            help="start with 8; raise `prefetch` (max 10000) if workers wait for messages",
        ),
        """\
error[R208]: `concurrency` must be between 1 and 1000
   ┌─ src/_index.yaml:16:18
16 │     concurrency: 5000
   │                  ^^^^
   = note: 5000 idle Lua states alone need about 130 MB (26 KB each)
   = help: start with 8; raise `prefetch` (max 10000) if workers wait for messages""",
    ),
}


@pytest.mark.parametrize("name", MOCK_UPS)
def test_a_finding_looks_like_its_mock_up(name: str) -> None:
    finding, drawn = MOCK_UPS[name]
    assert render([finding]) == drawn


def one(text: str, column: int, length: int = 1, label: str = "here") -> Finding:
    return error("X1", "no", Source("f.yaml", text).span(1, column, length, label))


def test_findings_are_parted_by_an_empty_line() -> None:
    assert render([error("X1", "a"), error("X2", "b")]) == "error[X1]: a\n\nerror[X2]: b"


def test_without_unicode_nothing_but_ascii_is_drawn() -> None:
    drawn = render([finding for finding, _ in MOCK_UPS.values()], unicode=False)
    assert drawn.isascii()
    assert "   --> src/_index.yaml:12:6\n10 |   - name: orders" in drawn
    assert "app:a  -- imports --> app:b" in drawn


def test_colour_changes_nothing_but_escapes() -> None:
    finding, drawn = MOCK_UPS["Lua syntax"]
    coloured = render([finding], paint=lambda part, text: f"<{part}>{text}</>")
    assert coloured.startswith("<error>error[P110]</>: ")
    assert "<frame>   ┌─</>" in coloured
    assert re.sub("</?(error|frame)?>", "", coloured) == drawn


def test_no_text_of_a_file_can_paint_on_the_terminal() -> None:
    source = Source("f\x1b[2J.yaml", "a: \x1b[31mred\x07")
    finding = error("X1", "\x1b]0;title\x07", source.span(1, 1, 1, "\x1b[0m"), help="\x1b")
    drawn = render([finding])
    assert all(char.isprintable() for char in drawn.replace("\n", ""))


def test_a_tab_before_the_place_moves_the_mark() -> None:
    assert render([one("\tx = 1", 2)]).splitlines()[2:] == [" 1 │     x = 1", "   │     ^ here"]


def test_wide_characters_before_the_place_move_the_mark() -> None:
    assert render([one("漢字: x", 5)]).splitlines()[3] == "   │       ^ here"


def test_a_long_line_is_cut_around_the_place() -> None:
    row, marks = render([one("a" * 300 + "X" + "b" * 300, 301)], width=60).splitlines()[2:]
    assert len(row) <= 60
    assert row[marks.index("^")] == "X"
    assert row.count("…") == 2


def test_an_unknown_column_marks_the_text_of_the_line() -> None:
    drawn = render([one("  charge(order)", 0)])
    assert drawn.splitlines()[1:] == [
        "   ┌─ f.yaml:1",
        " 1 │   charge(order)",
        "   │   ^^^^^^^^^^^^^ here",
    ]


def test_a_long_note_is_wrapped_below_itself() -> None:
    finding = error("X1", "no", note="word " * 30)
    first, second = render([finding], width=80).splitlines()[1:3]
    assert first.startswith("   = note: word")
    assert second.startswith("         word")
    assert max(len(first), len(second)) <= 80


def test_a_label_without_room_goes_below_its_marks() -> None:
    label = "this is the reason why it cannot be"
    for text, column, length in (("x" * 50, 1, 50), ("a" * 40 + "b", 41, 1)):
        rows = render([one(text, column, length, label)], width=60).splitlines()[3:]
        assert rows[0].strip(" │^") == ""
        assert " ".join(row.partition("│")[2].strip() for row in rows[1:]) == label
        assert max(map(len, rows)) <= 60
    assert render([one("x" * 50, 1, 50, label)], width=0).splitlines()[3].endswith("^ " + label)


def test_lines_left_out_between_two_places_are_hinted_at() -> None:
    source = Source("f.yaml", "a\nb\nc")
    drawn = render([error("X1", "no", source.span(3, 1), source.span(1, 1, primary=False))])
    assert drawn.splitlines()[2:] == [" 1 │ a", "   │ -", "   ·", " 3 │ c", "   │ ^"]


def test_a_place_beyond_the_end_of_the_file_is_drawn_all_the_same() -> None:
    assert "f.yaml:9:9" in render([error("X1", "no", Source("f.yaml", "a").span(9, 9, 99))])


def test_findings_come_in_the_order_of_the_files_errors_first() -> None:
    source = Source("b.yaml", "x\ny")
    late = Finding("error", "X1", "", (source.span(2, 1),))
    mild = Finding("warning", "X2", "", (source.span(1, 1),))
    early = Finding("error", "X3", "", (source.span(1, 1),))
    other = Finding("note", "X4", "", (Source("a.yaml", "").span(1, 1),))
    assert [f.code for f in by_place([late, mild, early, other])] == ["X4", "X3", "X2", "X1"]


def test_the_summary_counts_errors_and_warnings() -> None:
    mild = Finding("warning", "X2", "")
    assert summary([error("X1", ""), error("X1", ""), mild]) == "2 errors, 1 warning"
    assert summary([]) == "no errors"
    assert not has_errors([mild])


def test_machines_get_the_same_facts() -> None:
    finding, _ = MOCK_UPS["an undeclared module"]
    assert to_json(finding) == {
        "severity": "error",
        "code": "L301",
        "message": "`json` is required but not declared for app:process_order",
        "file": "src/process_order.lua",
        "line": 5,
        "column": 22,
        "label": "",
        "related": [
            {"file": "src/_index.yaml", "line": 20, "column": 14, "label": "add `json` here"}
        ],
        "notes": ["an entry may only load the modules its YAML lists; that is the sandbox"],
        "help": [],
        "edits": [],
        "profiles": [],
    }
