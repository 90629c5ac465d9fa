"""A host that always ends: whoever reads its log, whatever the signal, whatever its streams are."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq.control.client import connect
from moonq.control.locating import place_of

from .conftest import until

Moonq = Callable[..., Any]
Start = Callable[..., "Running"]
SAID: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60}
INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [logger]}
"""
WORK = """\
local logger = require("logger")

return function(job)
  for _ = 1, 100 do
    logger.info(("x"):rep(10000))
  end
  while job.spins do
  end
end
"""


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # A short name, for a socket.
    with tempfile.TemporaryDirectory(prefix="mq") as name:
        folder = Path(name)
        (folder / "_index.yaml").write_text(INDEX)
        (folder / "work.lua").write_text(WORK)
        (folder / "run").mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        yield folder


class Running:
    """A `moonq run` that is up."""

    def __init__(self, shop: Path, *args: str, **how: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", shop, *args],
            **{"stderr": subprocess.DEVNULL, "start_new_session": True, **how},
        )
        until(lambda: place_of(shop).socket.exists() or self.process.poll() is not None)
        if place_of(shop).is_claimed():
            connect(shop).close()

    def ended(self) -> int:
        return self.process.wait(20)


@pytest.fixture
def start(shop: Path) -> Iterator[Start]:
    started: list[Running] = []

    def start(*args: str, **how: Any) -> Running:
        started.append(Running(shop, *args, **how))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that is full and that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"\n" * 65536)
    except BlockingIOError:
        os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("mode", ["json", "pretty"])
def test_a_host_whose_log_nobody_reads_serves_and_can_be_stopped(
    shop: Path, start: Start, unread: int, moonq: Moonq, mode: str
) -> None:
    run = start("--log", mode, stderr=unread)
    assert moonq("publish", "-C", shop, "jobs", "{}").code == 0
    until(lambda: json.loads(moonq("status", "--json").out)["hosts"][0]["acked"] == 1)
    assert moonq("stop", "-C", shop).code == 0
    assert run.ended() == 0


def test_signals_are_heard_though_nobody_reads_the_log(
    shop: Path, start: Start, unread: int, moonq: Moonq
) -> None:
    run = start("--drain-timeout", "10m", stderr=unread)
    assert moonq("publish", "-C", shop, "jobs", '{"spins":true}').code == 0
    until(lambda: '"running": 1' in moonq("queues", "-C", shop, "--json").out)
    run.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.3)
    run.process.send_signal(signal.SIGTERM)
    assert run.ended() == 130


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_sighup_without_a_terminal_reloads_and_opens_the_log_file_anew(
    shop: Path, start: Start, moonq: Moonq
) -> None:
    path = shop / "moonq.log"
    with (shop / "err").open("w") as err:
        run = start("--log-file", str(path), stderr=err)
    until(lambda: lines_of(path)[-1]["message"] == "ready")
    run.process.send_signal(signal.SIGUSR1)
    run.process.send_signal(signal.SIGUSR2)
    path.rename(shop / "moonq.log.1")
    (shop / "work.lua").write_text("return function() return 2 end")
    run.process.send_signal(signal.SIGHUP)
    until(lambda: [one["message"] for one in lines_of(path)][-1:] == ["reloaded"])
    [reloaded] = lines_of(path)
    assert (reloaded["files"], reloaded["changed"]) == (["SIGHUP"], ["app:work"])
    (shop / "work.lua").write_text("return funktion() end")
    run.process.send_signal(signal.SIGHUP)
    until(lambda: lines_of(path)[-1]["message"] == "not reloaded")
    assert moonq("stop", "-C", shop).code == 0
    assert run.ended() == 0
    assert lines_of(path)[-1]["message"] == "stopped"
    assert lines_of(shop / "moonq.log.1")[0]["message"] == "opened"
    assert (shop / "err").read_text() == ""


def test_sighup_with_a_terminal_ends_the_run(shop: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "moonq", "run", str(shop)])
    until(place_of(shop).socket.exists)
    os.close(terminal)  # the kernel sends it
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_command_that_holds_a_private_host_gives_it_back_at_sighup(shop: Path) -> None:
    temporary = shop / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "moonq", "repl", "-C", shop, "--local", "-e"]
    process = subprocess.Popen(
        [*command, 'print("up") while true do end'],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 129
    process.stdout.close()
    assert list(temporary.iterdir()) == []


def test_signals_are_answered_before_anything_else_is_imported() -> None:
    code = """
import signal, sys
early = []
class Spy:
    def find_spec(self, name, path=None, target=None):
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and name != "__future__":
            early.append(name)
sys.meta_path.insert(0, Spy())
import moonq.__main__
print(early)
import os
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-uc", code], check=False, **SAID)
    assert done.stdout == "['moonq', 'moonq.__main__']\n"
    assert (done.returncode, done.stderr) == (143, "")


FULL = "stdout: No space left on device"
CLOSED = "stdout: Bad file descriptor"


STREAMS = [
    ("version >/dev/full", 1, FULL),
    ("version >&-", 1, CLOSED),
    ("eval - -C SHOP <&-", 1, "stdin: Bad file descriptor"),
    ("version 2>/dev/full >/dev/full", 1, ""),
    ("version --nope 2>&-", 2, ""),
    ("run SHOP --until-idle <&- >&- 2>&-", 0, ""),
    ("run SHOP --until-idle 2>/dev/full", 0, ""),
]
MORE = [
    ("version --json >/dev/full", 1, FULL),
    ("--help >/dev/full", 1, FULL),
    ("ls -C SHOP >/dev/full", 1, FULL),
    ("publish jobs --ndjson - -C SHOP <&-", 1, "stdin: Bad file descriptor"),
    ("version 2>&- >/dev/full", 1, ""),
    ("version --nope 2>/dev/full", 2, ""),
    ("run SHOP --until-idle 2>&-", 0, ""),
    ("run SHOP --until-idle --log-file /dev/full", 0, ""),
]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [*STREAMS, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE)],
)
def test_closed_and_full_streams_are_said_to_be_that(
    shop: Path, command: str, code: int, said: str
) -> None:
    line = f"{sys.executable} -m moonq {command.replace('SHOP', str(shop))}"
    done = subprocess.run(["sh", "-c", line], check=False, **SAID)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert said or "run" in command or not done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_enough_ends_a_command_without_a_word(shop: Path) -> None:
    entries = "".join(
        f"  - {{name: q{number}, kind: queue.queue, driver: mem}}\n" for number in range(2_000)
    )
    (shop / "_index.yaml").write_text(INDEX + entries)
    line = f"({sys.executable} -m moonq ls -C {shop}; echo $? >&2) | head -1"
    done = subprocess.run(["sh", "-c", line], check=False, **SAID)
    assert done.stdout.startswith("app:")
    assert done.stderr == "141\n"
