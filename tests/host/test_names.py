"""A person speaks from no namespace: a bare name will do where only one entry has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Said

HERE = """
namespace: shop
entries:
  - {name: mem, kind: queue.driver.sqlite}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: twin, kind: queue.queue, driver: mem}
  - {name: seen, kind: store.memory}
  - {name: place, kind: env.variable, variable: NO_SUCH_PLACE, default: here}
  - {name: price, kind: function.lua, source: "return function(n) return n * 2 end"}
"""
THERE = """
namespace: post
entries:
  - {name: twin, kind: queue.queue, driver: shop:mem}
"""
Moonq = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(HERE)
    (tmp_path / "post.yaml").write_text(THERE)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('queue.publish("orders", 1) and queue.info("orders").ready', 1),
        ('funcs.call("price", 21)', 42),
        ('store.open("seen"):incr("n")', 1),
        ('registry.get("seen").id', "shop:seen"),
        ('env.get("place")', "here"),
        ('env.get("NO_SUCH_PLACE")', "here"),
        ('queue.info("orders.dead").ready', 0),
        ('mq.entry("orders").id', "shop:orders"),
    ],
)
def test_the_console_takes_a_name_that_is_unique(
    moonq: Moonq, project: Path, text: str, value: object
) -> None:
    said = moonq("-C", project, "eval", text, "--yes", "--json")
    assert json.loads(said.out) == value, said


@pytest.mark.parametrize(
    "words",
    [
        ("publish", "twin", "1"),
        ("peek", "twin"),
        ("eval", 'assert(queue.publish("twin", 1))'),
        ("eval", 'queue.info("twin")'),
        ("eval", "mq.peek('twin')"),
    ],
)
def test_a_name_of_two_is_refused_with_both(moonq: Moonq, project: Path, words: list[str]) -> None:
    said = moonq("-C", project, *words)
    assert said.code, said
    for expected in ("R203", "post:twin", "shop:twin", "full id"):
        assert expected in said.err


def test_a_name_of_none_is_refused_with_the_one_that_is_meant(moonq: Moonq, project: Path) -> None:
    for words in (["publish", "ordres", "1"], ["eval", 'queue.publish("ordres", 1)']):
        said = moonq("-C", project, *words)
        assert "did you mean `orders`?" in said.err


def test_the_hint_is_kept_where_the_error_was_thrown_away(moonq: Moonq, project: Path) -> None:
    for text in ('queue.info("ordres").ready', 'store.open("sen"):get("k")', 'mq.peek("ordres").x'):
        said = moonq("-C", project, "eval", text)
        assert "attempt to index a nil value" in said.err
        assert "did you mean `orders`?" in said.err or "did you mean `seen`?" in said.err
