from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Moonq = Callable[..., Any]

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: mails, kind: queue.queue, driver: mem}
  - {name: order, kind: function.lua, source: file://order.lua, modules: [logger, queue]}
"""

ORDER = """\
local logger = require("logger")
local queue = require("queue")

return function(order)
  if not order then
    return "no order", 2
  elseif order.total < 0 then
    return nil, errors.new({ message = "negative total", kind = errors.INVALID, retryable = false })
  elseif order.total > 100 then
    error("too much")
  end
  local message = queue.message()
  logger.info("processing", { order = order.id, who = message and message:header("who") })
  queue.publish("app:mails", { order = order.id })
  return { id = order.id }
end
"""


@pytest.fixture
def call(moonq: Moonq, tmp_path: Path) -> Moonq:
    """Call app:order."""
    (tmp_path / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (tmp_path / "order.lua").write_text(ORDER, encoding="utf-8")
    return lambda *args: moonq("call", "-C", tmp_path, "app:order", *args)


def test_a_call_shows_what_came_back(call: Moonq) -> None:
    said = call()
    assert said.code == 0
    assert said.out.splitlines()[0] == 'returned     "no order", 2'


def test_a_call_shows_what_it_would_have_sent_and_logged(call: Moonq) -> None:
    lines = call('{"id":42,"total":5}', "--as-message", "-H", "who=me").out.splitlines()
    assert lines[:3] == [
        "would ack",
        "returned       { id = 42 }",
        'would publish  app:mails  {"order":42}',
    ]
    assert lines[3] in (
        "logs           INFO  processing  order=42 who=me",
        "logs           INFO  processing  who=me order=42",
    )
    assert lines[4].startswith("took ")


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('msg:retry({ delay = "7m", error = "closed" })', ["would retry in 7m  closed"]),
        ('msg:snooze({ delay = "90s" })', ["would snooze in 1m30s"]),
        (
            'msg:reject("no such customer")',
            ["would go to dead letters (rejected)  no such customer"],
        ),
        ('msg:nack("card refused")', ["would retry in 2s  card refused"]),
        ("msg:ack() and { early = true }", ["would ack", "returned     { early = true }"]),
        ("1, { 2, 3 }", ["would ack", "returned     1, { 2, 3 }"]),
        ("print", ["would ack"]),
    ],
)
def test_what_a_handler_decides_is_told_with_its_delay_its_reason_and_its_value(
    call: Moonq, tmp_path: Path, code: str, lines: list[str]
) -> None:
    text = f'local msg = require("queue").message()\nreturn {code}'
    (tmp_path / "order.lua").write_text(f"return function() {text} end", encoding="utf-8")
    said = call("{}", "--as-message")
    assert said.code == 0
    assert said.out.splitlines()[: len(lines)] == lines


def test_a_failure_says_what_would_become_of_the_message(call: Moonq) -> None:
    said = call('{"id":42,"total":-5}', "--as-message")
    assert said.code == 1
    assert said.out.startswith(
        "would go to dead letters (rejected)  INVALID: negative total   (retryable: no)\n"
    )


def test_a_raised_error_is_shown_with_its_place(call: Moonq) -> None:
    said = call('{"id":42,"total":500}')
    assert said.code == 1
    assert "too much" in said.out
    assert said.out.rstrip().endswith(" KB")
    assert '10 │     error("too much")' in said.err


def test_an_error_object_is_shown_where_it_was_made(call: Moonq) -> None:
    said = call('{"id":42,"total":-5}')
    assert " 8 │     return nil, errors.new" in said.err


def test_a_call_needs_nothing_but_its_function(call: Moonq, tmp_path: Path) -> None:
    text = INDEX + (
        "  - {name: worker, kind: queue.consumer, queue: mails, func: broken}\n"
        "  - {name: broken, kind: function.lua, source: 'error(1)'}\n"
    )
    (tmp_path / "_index.yaml").write_text(text, encoding="utf-8")
    assert call().code == 0


def test_json_carries_the_same(call: Moonq) -> None:
    document = json.loads(call('{"id":42,"total":-5}', "--as-message", "--json").out)
    assert document["schema"] == "moonq.call/2"
    assert document["verdict"] == "dead"
    assert document["error"]["kind"] == "INVALID"
    assert document["error"]["retryable"] is False
    sent = json.loads(call('{"id":42,"total":5}', "--json").out)
    message = {"queue": "app:mails", "body": '{"order":42}', "headers": {}, "options": {}}
    assert (sent["would_publish"], sent["published"]) == ([message], [])
    assert sent["values"] == [{"id": 42}]
    assert sent["logs"][0]["message"] == "processing"


def test_the_argument_may_come_from_stdin(call: Moonq, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id":7,"total":5}'))
    assert call("-").out.startswith("returned       { id = 7 }")


def test_the_argument_may_be_a_lua_literal(call: Moonq) -> None:
    assert call("{ id = 7, total = 5 }").out.startswith("returned       { id = 7 }")


def test_what_is_not_json_is_refused_as_everywhere(call: Moonq) -> None:
    for argument in ("{id=", "NaN", "[" * 100_000):
        said = call(argument)
        assert said.code == 2
        assert "JSON" in said.err


def test_a_header_needs_a_message(call: Moonq) -> None:
    said = call("-H", "who=me")
    assert said.code == 2
    assert "--as-message" in said.err
    assert call("-H", "who", "--as-message").code == 2


def test_a_misspelt_function_is_4_with_a_suggestion(
    moonq: Moonq, call: Moonq, tmp_path: Path
) -> None:
    call()
    said = moonq("call", "-C", tmp_path, "app:oder")
    assert said.code == 4
    assert "app:order" in said.err
