"""Whoever publishes, and by whatever road: the same message has the same answer."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonq.errors import Invalid, QueueError, TooLarge
from moonq.host import Host
from moonq.kinds import load
from moonq.operations.performing import Operations
from moonq.run import crossed, publishing
from moonq.sandbox.bodies import Bodies

INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory, max_length: 1000000}
  - {name: q, kind: queue.queue, driver: mem, max_body: 2KiB}
  - {name: raw, kind: queue.queue, driver: mem, codec: raw}
  - {name: full, kind: queue.queue, driver: mem, options: {max_length: 1, overflow: block}}
  - {name: alone, kind: function.lua, source: file://alone.lua, modules: [queue]}
  - {name: batch, kind: function.lua, source: file://batch.lua, modules: [queue]}
  - {name: many, kind: function.lua, source: file://many.lua, modules: [queue]}
  - {name: bounded, kind: queue.queue, driver: mem, options: {max_length: 3}}
  - {name: fill, kind: function.lua, source: file://fill.lua, modules: [queue]}
  - {name: through, kind: function.lua, source: file://through.lua, modules: [funcs]}
  - {name: filler, kind: queue.consumer, queue: full, func: through}
"""
FILES = {
    "alone.lua": """
local queue = require("queue")
return function(id, body, headers, options)
  local sent, err = queue.publish(id, body, headers, options)
  return sent ~= nil, err and err:kind(), err and err:message()
end
""",
    "batch.lua": """
local queue = require("queue")
return function(id, body, headers, options)
  local answers = queue.publish_batch(id, { { body = body, headers = headers, options = options } })
  local err = answers[1].err
  return answers[1].id ~= nil, err and err:kind(), err and err:message()
end
""",
    "many.lua": """
local queue = require("queue")
return function(id, bodies)
  local messages, told = {}, {}
  for place, body in ipairs(bodies) do
    messages[place] = { body = body }
  end
  for place, answer in ipairs(queue.publish_batch(id, messages)) do
    told[place] = answer.id or answer.err:kind()
  end
  return told
end
""",
    "fill.lua": """
local queue = require("queue")
return function()
  local id, err = queue.publish("app:full", 1)
  return id ~= nil, err and err:kind()
end
""",
    "through.lua": """
local funcs = require("funcs")
return function()
  return funcs.call("app:fill")
end
""",
}
Answer = tuple[bool, str, str]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("roads")
    (folder / "_index.yaml").write_text(INDEX)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    host = Host(load(folder))
    host.start(consumers=False)
    yield host
    host.stop()


def told(values: list[Any]) -> Answer:
    accepted, kind, message = (*values, None, None)[:3]
    core = str(message or "").removeprefix("queue.publish: ")
    return accepted, kind or "", core.removeprefix("queue.publish_batch: messages[1]: ")


def by_lua(host: Host, function: str, *message: Any, send: bool = True) -> Answer:
    arguments = json.dumps(message)[1:-1]
    with_id = f'"app:q",{arguments}'
    if not send:
        return told(_dry(host, function, with_id))
    return told(json.loads(_answer_of(host, function, f"[{with_id}]")))


def _answer_of(host: Host, function: str, arguments: str) -> bytes:
    from moonq.run.calling.context import CallContext
    from moonq.run.calling.lending import Caller

    state = host.functions.open(f"app:{function}", Caller(CallContext("app:test")))
    try:
        return state.call(arguments.encode())
    finally:
        state.close()


def _dry(host: Host, function: str, arguments: str) -> list[Any]:
    from moonq.run.calling.context import CallContext
    from moonq.run.calling.lending import Caller
    from moonq.run.calling.trying import DryRun

    sink = DryRun(host.queues, host.clock)
    state = host.functions.open(f"app:{function}", Caller(CallContext("app:test", sink=sink)))
    try:
        values: list[Any] = json.loads(state.call(f"[{arguments}]".encode()))
    finally:
        state.close()
    assert len(sink.published) == int(values[0])
    return values


def by_request(host: Host, *message: Any, **how: Any) -> Answer:
    body, headers, options = message
    wanted = {"json": json.dumps(body), "headers": headers, "options": options}
    (answer,) = Operations(host, "test").publish(queue="app:q", messages=[wanted], **how)["answers"]
    if "id" in answer:
        return True, "", ""
    return False, answer["error"]["kind"], answer["error"]["message"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(-1e12, 1e12)
SCALARS = st.booleans() | NUMBERS | TEXTS
VALUES = SCALARS | st.lists(SCALARS, min_size=1, max_size=2)
NAMES = st.sampled_from(["a", "source", "content_type", "x_a", "ü"]) | st.text("abx_", min_size=1)
OPTIONS = st.dictionaries(
    st.sampled_from(["id", "delay", "at", "ttl", "priority", "dedup_key", "group", "dely"]),
    VALUES | st.sampled_from(["low", "hihg", 60, 1e9, "5s", "0s", "2 days"]),
    max_size=3,
)
DURATIONS = ("delay", "ttl")


def is_a_time(options: dict[str, Any]) -> bool:
    """Whether a text stands for a moment, which only Lua reads."""
    return isinstance(options.get("at"), str)


@settings(max_examples=150, deadline=None)
@given(
    body=SCALARS | st.dictionaries(st.text("ab", min_size=1), SCALARS, min_size=1, max_size=3),
    headers=st.dictionaries(NAMES, VALUES, max_size=3),
    options=OPTIONS.filter(lambda options: not is_a_time(options)),
)
def test_every_road_gives_the_same_answer(
    host: Host, body: Any, headers: dict[str, Any], options: dict[str, Any]
) -> None:
    message = (body, headers, options)
    answers = {
        "request": by_request(host, *message),
        "dry request": by_request(host, *message, dry_run=True),
        "alone": by_lua(host, "alone", *message),
        "batch": by_lua(host, "batch", *message),
        "dry alone": by_lua(host, "alone", *message, send=False),
        "dry batch": by_lua(host, "batch", *message, send=False),
    }
    # What a duration in words is, two languages say in two ways.
    in_words = any(isinstance(options.get(name), str) for name in DURATIONS)
    assert len({answer[: 2 if in_words else 3] for answer in answers.values()}) == 1, answers


UNREADABLE = [
    b"NaN",
    b"[1, Infinity]",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b'"\\ud800"',
    b'"\xff"',
    b"\xef\xbb\xbf1",
    b"[" * 129 + b"]" * 129,
    b"",
    b"{'a':1}",
    b'{"a":1,}',
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
def test_a_body_that_lua_cannot_decode_is_refused_at_every_road(host: Host, body: bytes) -> None:
    operations = Operations(host, "test")
    wanted = [{"base64": base64.b64encode(body).decode()}]
    if body != b'"\xff"':
        wanted.append({"json": body.decode()})
    for how in ({}, {"dry_run": True}):
        for answer in operations.publish(queue="q", messages=wanted, **how)["answers"]:
            assert answer["error"]["kind"] == "INVALID"
            assert answer["error"]["message"].startswith("the body is not JSON: line 1, column ")
    if body.strip():
        with pytest.raises(Invalid, match="the argument is not JSON"):
            host.call("app:alone", body.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "body", [b"null", b'{"a":1,"a":2}', b"1" + b"0" * 300, b" [1] ", b"[" * 128 + b"]" * 128]
)
def test_a_body_that_lua_can_decode_is_none_of_them(body: bytes) -> None:
    assert Bodies().fault(body) is None


def test_a_raw_queue_takes_any_bytes_and_texts_only(host: Host) -> None:
    publish = Operations(host, "test").publish
    messages = [{"base64": "/wA="}, {"json": '"text"'}, {"json": "7"}, {"json": "NaN"}]
    answers = publish(queue="raw", messages=messages)["answers"]
    assert ["id" in answer for answer in answers] == [True, True, False, False]


def test_only_what_was_stored_and_is_no_duplicate_counts_as_published(host: Host) -> None:
    def count() -> int:
        return host.queues.traffic()["app:q"]

    before = count()
    options = (b"dedup_key", b"once")
    host.queues.publish(b"app:q", b"1", False, 0, 1, *options)
    host.queues.publish(b"app:q", b"1", False, 0, 1, *options)
    with pytest.raises(QueueError):
        host.queues.publish(b"app:q", b"1", False, 0, 1, b"ttl", 0)
    with pytest.raises(QueueError):
        host.queues.publish(b"app:q", b'"' + b"x" * 3000 + b'"')
    assert count() == before + 1


def test_a_full_queue_that_refuses_counts_nothing(host: Host) -> None:
    host.queues.publish(b"app:full", b"1", may_wait=False)
    before = host.queues.traffic()["app:full"]
    with pytest.raises(QueueError):
        host.queues.publish(b"app:full", b"1", may_wait=False)
    assert host.queues.traffic()["app:full"] == before


def test_what_a_handler_calls_never_waits_for_the_queue_that_it_serves(host: Host) -> None:
    began = time.monotonic()
    result = host.call("app:through", "1", as_message=True)
    assert time.monotonic() - began < 2.0
    assert result.judged()["verdict"] == "retry"


Moonq = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("1", "--ttl", "0s"), 1, "option 'ttl': more than 0 seconds expected"),
        (("1", "--id", "ü" * 200), 1, "option 'id': 1 to 255 bytes expected, got 400"),
        (("1", "--delay", "366d"), 1, "option 'delay': at most 365 days expected, got 366d"),
        (("[1, Infinity]",), 2, "not JSON: line 1, column 5"),
        (("NaN",), 2, "not JSON: line 1, column 1"),
    ],
)
def test_the_command_line_is_told_the_same(
    moonq: Moonq, tmp_path: Path, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX.replace("memory, max_length: 1000000", "sqlite"))
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    said = moonq("publish", "app:q", *arguments, "-C", tmp_path)
    assert said.code == code, said
    assert complaint in said.err


TOO_LARGE = {
    "app:q": b'"%b"' % (b"x" * 4000),
    # A raw body is the text in it, of which each character may take six bytes of JSON.
    "app:raw": b'"%b"' % (b"\\u0041" * 300_000),
}


@pytest.mark.parametrize("queue", TOO_LARGE)
def test_what_is_too_large_for_its_queue_is_refused_unread(
    host: Host, monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    def read(_: bytes) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr(publishing, "check_body", read)
    monkeypatch.setattr(publishing, "raw_text", read)
    text = TOO_LARGE[queue]
    wanted = {"json": text.decode(), "headers": {}, "options": {}}
    (answer,) = Operations(host, "test").publish(queue=queue, messages=[wanted])["answers"]
    assert f"{queue!r} takes" in answer["error"]["message"]
    with pytest.raises(TooLarge):
        host.queues.publish(queue.encode(), text)
    with pytest.raises(TooLarge):
        host.queues.publish(queue.encode(), text, False, 1, 0, b"a", 1)
    with pytest.raises(TooLarge):
        host.queues.publish(queue.encode(), text.strip(b'"') * 10, True)


def test_a_raw_body_is_measured_by_its_text(host: Host) -> None:
    most = host.queues.route("app:raw").max_body
    assert host.queues.publish(b"app:raw", b'"%b"' % (b"\\u0041" * most))
    with pytest.raises(TooLarge, match=str(most + 1)):
        host.queues.publish(b"app:raw", b'"%b"' % (b"A" * (most + 1)))


def test_headers_that_are_longer_than_any_are_not_read(host: Host) -> None:
    headers = b'{"a":"%b"}' % (b"x" * publishing.MAX_HEADERS)
    with pytest.raises(Invalid, match="the headers have"):
        crossed.wanted(b"1", False, -1, 0, headers)
    with pytest.raises(Invalid, match="the options have"):
        crossed.wanted(b"1", False, 0, -1, headers)


def test_a_batch_is_answered_in_order_however_its_messages_go(host: Host) -> None:
    def many(queue: str, bodies: list[Any]) -> list[str]:
        (told,) = json.loads(_answer_of(host, "many", f'["{queue}",{json.dumps(bodies)}]'))
        return list(told)

    def bodies_of(queue: str) -> dict[str, bytes]:
        route = host.queues.route(queue)
        page = route.driver.peek(route.spec.name, 1000)
        return {one.message.id: one.message.body for one in page.items}

    before = host.queues.traffic()["app:q"]
    told = many("app:q", [1, "two", "x" * 3000, {"a": 4}])
    kept = [bodies_of("app:q").get(one) for one in told]
    assert kept == [b"1", b'"two"', None, b'{"a":4}']
    assert told[2] == "INVALID"
    assert host.queues.traffic()["app:q"] == before + 3
    told = many("app:raw", ["one", 2, 'th"ree'])
    assert [bodies_of("app:raw").get(one) for one in told] == [b"one", None, b'th"ree']
    # The last two go the long way, on which they are refused.
    assert many("app:bounded", [1, 2, 3, 4, 5])[3:] == ["RATE_LIMITED"] * 2
    assert list(bodies_of("app:bounded").values()) == [b"1", b"2", b"3"]
