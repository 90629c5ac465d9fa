"""Which call the caret stands in."""

from __future__ import annotations

import pytest

from moonq.console import manual
from moonq.console.calling import Open, opened
from moonq.registry.lua.tokens import tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("f(1, 2)", []),
        ("queue.publish(", [Open("(", "queue.publish", 0)]),
        ("queue.publish('a', {1, 2}, {", [Open("(", "queue.publish", 2), Open("{")]),
        ("x = 1 + msg:ack(f(1, 2), ", [Open("(", "msg:ack", 1)]),
        ("(a .. b)(", [Open("(")]),
        ("t['k'](", [Open("(")]),
        (") } ]", []),
        ("f ('(', g", [Open("(", "f", 1)]),
    ],
)
def test_brackets_that_are_open_know_what_is_called(text: str, found: list[Open]) -> None:
    assert opened(tokens(text)) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("queue.info(", "queue.info"),
        ("queue.publish('app:a', { n = tostring(", "queue.publish"),
        ("local ok = m:ack(", "queue.Message:ack"),
        ("queue.info('a')", None),
        ("nosuch.thing(", None),
    ],
)
def test_the_function_whose_arguments_are_typed_is_described(text: str, name: str | None) -> None:
    found = manual.call_at(text)
    assert (found.name if found else None) == name
