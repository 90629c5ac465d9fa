"""Odd frames: whatever stands in a field of whichever request, the answer is a clean one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moonq.control.feed import Feed
from moonq.control.session import OWN_KINDS, Session
from moonq.control.wire import encode
from moonq.host import Host
from moonq.operations.meter import Meter
from moonq.operations.verbs import VERBS

#: What stops the host, waits, or replaces everything is no matter of fields.
LEFT_OUT = {"stop", "reload", "reset"}
FIELDS = {
    **{name: [one.name for one in verb.fields()] for name, verb in VERBS.items()},
    "eval": ["src", "timeout", "width", "marked", "file"],
    "complete": ["path"],
    "write": [],
    "readonly": [],
    "ping": [],
    "subscribe": ["topic", "targets", "queues", "events", "where", "body", "known", "interval"],
    "unsubscribe": [],
    "cancel": [],
}
NAMES = ["jobs", "app:jobs", "worker", "work", "app:work", "cache", "nothing", "", "jobs.dead"]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**30), 2**63, 2**64, 1e999, -1e999, float("nan"), 1e308, -0.0]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [*NAMES, "\0", "\ud800", "1e999", "9" * 400 + "d", "[" * 500, "*", "%", "tail", "stats"]
    ),
)
VALUES = st.recursive(
    ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "body", "headers", "queue", "a", "\0"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def frames() -> st.SearchStrategy[dict[str, Any]]:
    def frame(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        usual = st.sampled_from(NAMES) | VALUES
        fields = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[kind], usual))
        more = st.dictionaries(st.text(max_size=5), VALUES, max_size=1)
        return st.builds(lambda one, other: {**other, **one, "kind": kind}, fields, more)

    return st.sampled_from(sorted(FIELDS.keys() - LEFT_OUT)).flatmap(frame)


class Talk:
    """A session in this thread: what is sent is answered before `ask` returns."""

    def __init__(self, host: Host) -> None:
        self._ours, self._theirs = socket.socketpair()
        self.session = Session(self._theirs, "fuzz", host, Feed(host), Meter(host), None)
        self.answers: list[dict[str, Any]] = []
        self.session._outbox.put = self.answers.append  # type: ignore[method-assign]
        self.session._enqueue = lambda frame: self.session._answer(frame, self.session._perform)

    def ask(self, line: bytes) -> dict[str, Any]:
        self.answers.clear()
        self.session._read(line)
        assert self.answers, line
        return self.answers[-1]

    def close(self) -> None:
        self.session.close()
        self._ours.close()
        self._theirs.close()


@pytest.fixture
def talk(host: Host) -> Iterator[Talk]:
    talk = Talk(host)
    yield talk
    talk.close()


def test_every_field_of_every_request_is_tried() -> None:
    assert set(FIELDS) == {*VERBS, *OWN_KINDS, "subscribe", "unsubscribe", "cancel"} - {"reset"}


USUAL = {
    "queue": "jobs",
    "name": "jobs",
    "target": "worker",
    "function": "work",
    "message": "x",
    "src": "return 1",
    "path": "queue.pu",
    "topic": "tail",
    "to": "idle",
    "source": "jobs",
    "messages": [{"body": {"id": 1}}],
    "body": {"id": 1},
    "confirm": "jobs",
}
VALUES_EACH = [
    None,
    True,
    False,
    0,
    -1,
    3,
    10**400,
    -(10**30),
    2**63,
    1e999,
    -1e999,
    float("nan"),
    1e308,
    0.5,
    "",
    "jobs",
    "\0",
    "\ud800",
    "1e999",
    "9" * 400 + "d",
    "9" * 5000,
    "*",
    "[",
    [],
    {},
    [[]],
    [None],
    [1e999],
    ["\0"],
    ["jobs", 1],
    {"a": float("nan")},
    {"\0": [{}]},
    [{"id": [1]}],
    [{"body": 1e999}],
    [{"body": "a", "delay": 1e999}],
    [{"text": "x", "headers": {"a": [1]}}],
    [{"body": 1, "id": "\0", "ttl": "x", "priority": 7, "group": 1e999}],
    [{"base64": "!"}],
]


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("kind", sorted(FIELDS.keys() - LEFT_OUT - {"cancel"}))
def test_whatever_stands_in_one_field_is_refused_and_is_no_bug(talk: Talk, kind: str) -> None:
    usual = {name: USUAL[name] for name in FIELDS[kind] if name in USUAL}
    for name in [*FIELDS[kind], "unknown", "kind\0"]:
        for value in [*VALUES_EACH, deep(150)]:
            check(talk, {**usual, name: value, "kind": kind})


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames())
def test_an_odd_field_is_refused_and_is_no_bug(talk: Talk, frame: dict[str, Any]) -> None:
    if frame["kind"] == "cancel":
        return  # it is answered by what it ends
    check(talk, frame)


def check(talk: Talk, frame: dict[str, Any]) -> None:
    """See that it is answered, and not with a bug."""
    answer = talk.ask(json.dumps({**frame, "id": 7}).encode("utf-8", "surrogatepass"))
    sent = encode(answer)
    json.loads(sent, parse_constant=_no_number)
    if answer["kind"] == "error":
        assert "a bug in moonq" not in answer["error"]["message"], (frame, answer)
        assert answer["error"]["kind"] != "INTERNAL"
    talk.session._unsubscribe({"kind": "unsubscribe", "id": 7})


def _no_number(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
