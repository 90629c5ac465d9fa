"""Did you mean …"""

from __future__ import annotations

import pytest

from moonq.text.suggestions import close, distance, question


@pytest.mark.parametrize(
    ("left", "right", "edits"),
    [("", "", 0), ("a", "", 1), ("ordres", "orders", 1), ("kitten", "sitting", 3), ("ab", "ba", 1)],
)
def test_a_swap_of_neighbours_is_one_edit(left: str, right: str, edits: int) -> None:
    assert distance(left, right) == edits
    assert distance(right, left) == edits


@pytest.mark.parametrize(
    ("name", "candidates", "found"),
    [
        ("ordres", ["orders", "emails"], ["orders"]),
        ("concurency", ["concurrency", "queue"], ["concurrency"]),
        ("JSON", ["json", "queue"], ["json"]),
        ("x", ["a", "bc", "xy"], []),
        ("abcd", ["abce", "abcf", "abcg", "abch"], ["abce", "abcf", "abcg"]),
        ("queue.driver.redis", ["queue.driver.memory"], []),
        ("app.queue:taks", ["app.queue:tasks", "app.queue:mails"], ["app.queue:tasks"]),
        ("same", ["same"], []),
        ("", ["a"], []),
        ("a" * 100_000, ["b" * 100_000], []),
    ],
)
def test_only_near_names_are_named_nearest_first(
    name: str, candidates: list[str], found: list[str]
) -> None:
    assert close(name, candidates) == found


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ([], ""),
        (["a"], "did you mean `a`?"),
        (["a", "b"], "did you mean `a` or `b`?"),
        (["a", "b", "c"], "did you mean `a`, `b` or `c`?"),
    ],
)
def test_a_question_joins_the_names(names: list[str], asked: str) -> None:
    assert question(names) == asked
