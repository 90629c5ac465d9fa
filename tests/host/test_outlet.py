"""A stream that never makes its writers wait, over pipes that nobody reads at first."""

from __future__ import annotations

import fcntl
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq import log
from moonq.log import outlet
from moonq.log.outlet import LogFile, Outlet, outlet_of

from .conftest import until


class Pipe:
    """A small pipe and the outlet into it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, 4096)
        self.file = os.fdopen(os.dup(self.reading), encoding="utf-8")
        self.outlets: list[Outlet] = []
        self.outlet = self.another()

    def another(self) -> Outlet:
        """One more outlet into the same pipe."""
        self.outlets.append(Outlet(self.writing))
        return self.outlets[-1]

    def lines(self, last: str) -> list[str]:
        """Read up to the line that begins with *last*."""
        found = [self.file.readline().rstrip("\n")]
        while not found[-1].startswith(last):
            found.append(self.file.readline().rstrip("\n"))
        return found

    def close(self) -> None:
        self.file.close()
        os.close(self.reading)
        # What is still in hand would be written into whatever has the descriptor's number next.
        for one in self.outlets:
            until(lambda one=one: not one._size)  # type: ignore[misc]
        os.close(self.writing)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setattr(outlet, "ROOM", 20_000)
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_lines_come_in_order_and_whole(pipe: Pipe) -> None:
    for number in range(100):
        pipe.outlet.write(f"{number}\n")
    pipe.outlet.write("ü" * 3_000 + "\nend\n")
    assert pipe.lines("end") == [*map(str, range(100)), "ü" * 3_000, "end"]


def test_nobody_waits_for_a_reader_and_what_was_dropped_is_counted_in_its_place(pipe: Pipe) -> None:
    began = time.monotonic()
    for number in range(1_000):
        pipe.outlet.write(f"{number:099}\n")
    assert time.monotonic() - began < 2
    lines = pipe.lines("moonq:")
    kept = len(lines) - 1
    assert list(map(int, lines[:-1])) == list(range(kept))
    assert lines[-1] == f"moonq: {1_000 - kept} lines were dropped here: nobody read them"
    pipe.outlet.write("again\n")
    assert pipe.lines("again") == ["again"]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_that_is_too_long_is_dropped_and_those_behind_it_are_not(
    pipe: Pipe, end: str
) -> None:
    pipe.outlet.write("x" * 30_000 + end)
    pipe.outlet.write("again\n")
    told = ["moonq: 1 line was dropped here: nobody read them"] if end else []
    assert pipe.lines("again") == [*told, "again"]


def test_audit_lines_take_the_room_of_all_others(pipe: Pipe) -> None:
    for number in range(1_000):
        pipe.outlet.write(f"{number:099}\n")
    for number in range(150):
        pipe.outlet.write_audit(f"audit {number:093}\n")
    lines: list[str] = []
    dropped = 0
    while len(lines) + dropped < 1_150:
        line = pipe.file.readline()
        if line.startswith("moonq:"):
            dropped += int(line.split()[1])
        else:
            lines.append(line)
    audits = [int(line.removeprefix("audit ")) for line in lines if line.startswith("audit")]
    assert audits == list(range(150))


def test_the_end_waits_for_what_is_written_and_no_longer_than_it_may(pipe: Pipe) -> None:
    pipe.outlet.write("short\n")
    pipe.outlet.end(10)
    assert os.read(pipe.reading, 100) == b"short\n"
    stuck = pipe.another()
    for _ in range(1_000):
        stuck.write("x" * 99 + "\n")
    began = time.monotonic()
    stuck.end(0.1)
    stuck.end(10)
    assert 0.1 <= time.monotonic() - began < 5


def test_the_end_says_what_was_dropped_if_it_can(pipe: Pipe) -> None:
    for number in range(1_000):
        pipe.outlet.write(f"{number:099}\n")
    outlet.end(pipe.outlet, limit=0.01)
    assert pipe.lines("moonq:")[-1].endswith("lines were dropped here: nobody read them")


def test_a_reader_that_is_gone_disturbs_nobody(pipe: Pipe) -> None:
    pipe.file.close()
    os.close(pipe.reading)
    for _ in range(100):
        pipe.outlet.write("into the void\n")
    pipe.outlet.end(10)
    pipe.reading = os.open(os.devnull, os.O_RDONLY)


def test_a_descriptor_that_never_waits_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    for number in range(150):
        pipe.outlet.write(f"{number:099}\n")
    pipe.outlet.write("end\n")
    assert list(map(int, pipe.lines("end")[:-1])) == list(range(150))


def test_the_log_says_in_its_own_form_what_was_dropped(pipe: Pipe) -> None:
    level = log.logging.getLogger().level
    log.configure("json", stream=pipe.outlet)  # type: ignore[arg-type]
    for number in range(1_000):
        log.get("app:work").info("working", extra={"fields": {"number": number}})
    log.get("moonq.control").warning("a change", extra=log.AUDIT)
    log.configure(stream=io.StringIO())
    log.logging.getLogger().setLevel(level)
    found = [json.loads(pipe.file.readline())]
    while "dropped" not in found[-1]:
        found.append(json.loads(pipe.file.readline()))
    assert found[-1]["logger"] == "moonq.log"
    messages = [one["message"] for one in found]
    assert messages.count("working") + found[-1]["dropped"] == 1_000
    assert messages.count("a change") == 1


def test_a_log_file_is_appended_to_and_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "moonq.log"
    path.write_text("before\n")
    file = LogFile(str(path))
    file.write("one\n")
    until(lambda: "one" in path.read_text())
    path.rename(tmp_path / "moonq.log.1")
    file.reopen()
    file.write("two\n")
    file.end(10)
    assert (tmp_path / "moonq.log.1").read_text() == "before\none\n"
    assert path.read_text() == "two\n"
    (tmp_path / "moonq.log").unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        file.reopen()


def test_a_full_disk_costs_lines_and_no_time() -> None:
    file = LogFile("/dev/full")
    for _ in range(10):
        file.write("lost\n")
    file.end(10)


def test_what_has_no_descriptor_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert outlet_of(sys.stderr) is sys.stderr
    stream = io.StringIO()
    assert outlet_of(stream) is stream
