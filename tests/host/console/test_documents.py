"""`moonq repl --json`: every line on stdout is a document, and every error one on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def repl(moonq: Run, shop: Path) -> Callable[..., tuple[int, list[Any], str]]:
    """Run pieces; the exit code, the documents on stdout, and stderr."""

    def run(*pieces: str) -> tuple[int, list[Any], str]:
        said = moonq("repl", "-C", shop, "--json", *(p for one in pieces for p in ("-e", one)))
        return said.code, list(map(json.loads, said.out.splitlines())), said.err

    return run


def test_each_piece_is_a_document_on_a_line(repl: Run) -> None:
    code, documents, _ = repl("1 + 1, { a = 1 }", "x = 3;", "x", "\\queues", "?queue.info")
    assert code == 0
    assert [one["schema"] for one in documents] == [
        "moonq.repl/1",
        "moonq.repl/1",
        "moonq.queues/1",
        "moonq.repl/1",
    ]
    assert [one.get("values") for one in documents[:2]] == [[2, {"a": 1}], [3]]
    assert {one["id"] for one in documents[2]["queues"]} >= {"app:orders", "app:emails"}
    assert documents[3]["text"].startswith("queue.info(queue_id)")


def test_what_code_prints_is_talk(repl: Run) -> None:
    code, documents, talk = repl("print('so')", "7")
    assert (code, [one["values"] for one in documents]) == (0, [[], [7]])
    assert "so\n" in talk


@pytest.mark.parametrize(
    ("piece", "code", "message"),
    [
        ("error('boom')", "UNKNOWN", "boom"),
        ("nil, 'no luck'", "UNKNOWN", "no luck"),
        ("1 +* 2", "P110", "did not expect"),
        ("print", "INVALID", "a function, which JSON cannot carry"),
        ("\\nosuch", "INVALID", "no command is called \\nosuch"),
        ("\\peek nosuch", "NOT_FOUND", "nosuch"),
    ],
)
def test_an_error_is_a_document_too(repl: Run, piece: str, code: str, message: str) -> None:
    ended, documents, errors = repl(piece, "1")
    assert (ended, documents) == (1, [])
    found = json.loads(errors.splitlines()[-1])
    assert found["schema"] == "moonq.error/1"
    assert found["error"]["code"] == code
    assert message in found["error"]["message"]
