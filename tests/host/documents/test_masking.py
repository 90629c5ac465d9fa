"""What counts as a difference between two answers, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from .masking import recorded


def document(out: str, err: str = "") -> str:
    """What is recorded of a command that writes *out* and *err*."""
    return recorded("ls --json", SimpleNamespace(code=0, out=out, err=err), Path("/tmp/shop"))


@pytest.mark.parametrize(
    "other",
    ['{"b":1,"a":1}', '{"a":1}', '{"a":1,"b":1.0}', '{"a":1,"b":true}', '{"a":1,"b":1}\n{}', "1"],
)
def test_order_presence_and_type_of_a_key_count(other: str) -> None:
    first, second = (document(out) for out in ('{"a":1,"b":1}', other))
    assert first != second


def test_of_what_differs_from_run_to_run_the_type_is_kept() -> None:
    out = (
        '{"time":1.5,"pid":7,"age":null,"path":"/tmp/shop/a","ids":["mine",'
        '"0190a7b2-8f3c-7d21-9b4e-5a6c7d8e9f01"]}'
    )
    assert json.loads(document(out))["out"] == [
        {
            "time": "<number>",
            "pid": "<integer>",
            "age": None,
            "path": "<folder>/a",
            "ids": ["mine", "<id>"],
        }
    ]


def test_of_stderr_only_documents_are_kept() -> None:
    err = '12 done\n{"level":"info"}\n7\n{"schema":"moonq.error/1","error":{}}\n'
    assert json.loads(document("", err))["err"] == [{"schema": "moonq.error/1", "error": {}}]
