from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import asdict
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.control.locating import place_of
from moonq.control.wire import (
    Malformed,
    decode,
    encode,
    error_object,
    error_of,
    finding_of,
    lines,
)
from moonq.errors import ProjectInvalid, QueueNotFound, ReadOnly, ScriptError
from moonq.host import Host
from moonq.text.findings import Finding, Source


class Wire:
    """A connection that sends what it likes."""

    def __init__(self, root: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(place_of(root).socket))
        self.file = self.socket.makefile("rb")
        assert self.read()["kind"] == "hello"

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.file.readline())
        return frame


@pytest.fixture
def wire(host: Host) -> Iterator[Wire]:
    wire = Wire(host.project.root)
    yield wire
    wire.file.close()
    wire.socket.close()


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"kind":7,"id":1}',
        b'{"kind":"status"}',
        b'{"kind":"status","id":"1"}',
        b'{"kind":"status","id":true}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind":"cancel"}',
    ],
)
def test_what_is_no_frame_is_answered_and_the_conversation_goes_on(wire: Wire, line: bytes) -> None:
    wire.send(line + b"\n")
    answer = wire.read()
    assert (answer["kind"], answer["error"]["kind"]) == ("error", "INVALID")
    wire.send(b'{"kind":"ping","id":1}\n')
    assert wire.read() == {"kind": "result", "id": 1, "value": {"pong": True}}


def test_a_frame_that_is_too_long_is_skipped_and_answered_once(wire: Wire) -> None:
    wire.send(b'{"kind":"eval","id":1,"src":"')
    for _ in range(80):
        wire.send(b"x" * 65536)
    wire.send(b'"}\n{"kind":"ping","id":2}\n')
    assert "at most" in wire.read()["error"]["message"]
    assert wire.read()["id"] == 2


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ({"kind": "nope"}, "no kind of request is called 'nope'"),
        ({"kind": "_lua"}, "no kind of request"),
        ({"kind": "perform"}, "no kind of request"),
        ({"kind": "peek"}, "field 'queue' is missing"),
        ({"kind": "peek", "queue": 7}, "field 'queue'"),
        ({"kind": "peek", "queue": "idle", "limit": "many"}, "field 'limit'"),
        ({"kind": "peek", "queue": "idle", "self": 1}, "peek"),
        ({"kind": "status", "nope": 1}, "unknown field 'nope'"),
        ({"kind": "eval"}, "eval: other fields expected"),
        ({"kind": "eval", "src": 7}, "`src` is a text"),
        ({"kind": "complete", "path": None}, "`path` is a text"),
        ({"kind": "subscribe", "topic": "weather"}, "subscribe to `tail`"),
        ({"kind": "subscribe", "topic": "tail", "events": ["rain"]}, "unknown event 'rain'"),
        ({"kind": "subscribe", "topic": "tail", "targets": "jobs"}, "`targets` is a list"),
        ({"kind": "subscribe", "topic": "tail", "where": "1 +"}, "where: "),
        ({"kind": "publish", "queue": "idle", "messages": [{}]}, "message 1"),
        ({"kind": "publish", "queue": "idle", "messages": [{"json": 7}]}, "the text of a body"),
        ({"kind": "publish", "queue": "idle", "messages": [{"base64": "%"}]}, "no base64"),
        ({"kind": "dead_letters", "queue": "jobs", "error": "a4"}, "has the error 'a4'"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_what_is_wrong(
    wire: Wire, frame: dict[str, Any], complaint: str
) -> None:
    wire.send(encode({**frame, "id": 1}))
    answer = wire.read()
    assert answer["kind"] == "error"
    assert complaint in answer["error"]["message"]


@given(st.binary(max_size=400))
def test_lines_are_frames_or_malformed_whatever_arrives(data: bytes) -> None:
    for line in lines(BytesIO(data + b"\n"), 100):
        if isinstance(line, bytes):
            with contextlib.suppress(Malformed):
                assert isinstance(decode(line)["kind"], str)


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
def test_it_does_not_matter_how_lines_are_cut_into_packets(parts: list[bytes], step: int) -> None:
    data = b"\n".join(parts) + b"\n"
    whole = [str(line) for line in lines(BytesIO(data), 20)]
    assert len(whole) == sum(bool(part.strip()) for part in data.split(b"\n"))
    packets = iter([data[at : at + step] for at in range(0, len(data), step)])
    assert [str(line) for line in lines(BufferedReader(Packets(packets)), 20)] == whole


class Packets(RawIOBase):
    """A connection over which data comes in packets."""

    def __init__(self, packets: Iterator[bytes]) -> None:
        self._packets = packets

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        packet = next(self._packets, b"")
        buffer[: len(packet)] = packet
        return len(packet)


def test_an_error_arrives_as_what_it_was() -> None:
    for problem in (QueueNotFound("no queue", hint="look"), ReadOnly("not here")):
        arrived = error_of(json.loads(json.dumps(error_object(problem))))
        assert type(arrived) is type(problem)
        assert (arrived.message, arrived.hint) == (problem.message, problem.hint)
        assert (arrived.kind, arrived.exit_code) == (problem.kind, problem.exit_code)


def test_an_error_of_an_unknown_type_is_an_error_all_the_same() -> None:
    arrived = error_of({"type": "os.system", "kind": "TIMEOUT", "message": "m"})
    assert (arrived.kind, arrived.message) == ("TIMEOUT", "m")


def test_findings_arrive_whole() -> None:
    span = Source("a.lua", "x = = 1\n").span(1, 5, 1, "here")
    finding = Finding("error", "P110", "no value", (span,), ("why",), ("what to do",))
    assert finding_of(json.loads(json.dumps(asdict(finding)))) == finding
    arrived = error_of(json.loads(json.dumps(error_object(ProjectInvalid([finding])))))
    assert isinstance(arrived, ProjectInvalid)
    assert arrived.findings == (finding,)
    arrived = error_of(json.loads(json.dumps(error_object(ScriptError("s", finding=finding)))))
    assert isinstance(arrived, ScriptError)
    assert arrived.finding == finding


@pytest.mark.parametrize(
    "number", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 400, b"9223372036854775808"]
)
def test_a_number_beyond_all_numbers_is_refused_by_the_number_of_its_request(
    wire: Wire, number: bytes
) -> None:
    wire.send(b'{"kind":"eval","id":3,"src":"1","width":' + number + b"}\n")
    answer = wire.read()
    assert (answer["kind"], answer["id"], answer["error"]["kind"]) == ("error", 3, "INVALID")
    assert "is no number that moonq can work with" in answer["error"]["message"]


def test_a_text_that_looks_like_such_a_number_is_a_text(wire: Wire) -> None:
    wire.send(b'{"kind":"eval","id":3,"src":"return \'1e999 NaN 12345678901234567890\'"}\n')
    assert wire.read()["value"]["values"] == ["1e999 NaN 12345678901234567890"]
