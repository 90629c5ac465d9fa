"""`moonq top` on a live host, and in a real terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.host import Host
from moonq.registry import load

from .conftest import until

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem, retry: {max_attempts: 1}}
  - {name: letters, kind: queue.queue, driver: mem}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: file://work.lua}
"""
WORK = """\
return function(order)
  if order.total < 0 then
    return nil, errors.new({ message = "negative total", retryable = false })
  end
  return true
end
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Host]]:
    """A running host that people can reach: two orders done, one dead, seven letters wait."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "work.lua").write_text(WORK)
    host = Host(load(folder))
    server = Server(host, place_of(folder))
    server.claim()
    host.start()
    server.listen()
    for total in (1, 2, -5):
        host.queues.publish(b"app:orders", json.dumps({"total": total}).encode())
    for number in range(7):
        host.queues.publish(b"app:letters", str(number).encode())
    until(lambda: host.report().acked == 2 and host.report().dead == 1)
    yield folder, host
    server.stop()
    host.stop()


def top(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "moonq", "top", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def words(text: str, beginning: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [beginning]]
    return line.split()


def test_a_pipe_gets_one_picture_of_the_host(shop: tuple[Path, Host]) -> None:
    done = top(shop[0])
    assert done.returncode == 0, done.stderr
    assert "host start" in done.stdout
    assert words(done.stdout, "app:letters")[1] == "7"
    assert words(done.stdout, "app:orders")[4] == "1!"
    assert "negative total" in done.stdout
    assert done.stdout == top(shop[0], "--once").stdout or "quit" not in done.stdout


def test_json_of_one_look_is_one_document(shop: tuple[Path, Host]) -> None:
    done = top(shop[0], "--once", "--json", "orders")
    found = json.loads(done.stdout)
    assert found["schema"] == "moonq.top/1"
    assert [queue["id"] for queue in found["queues"]] == ["app:orders"]
    assert found["queues"][0]["dead"] == 1
    (consumer,) = found["consumers"]
    assert consumer["p95"] > 0
    assert consumer["ok_rate"] > 0


def test_json_goes_on_line_by_line_while_the_host_lives(shop: tuple[Path, Host]) -> None:
    command = [sys.executable, "-m", "moonq", "top", "-C", str(shop[0]), "--json"]
    process = subprocess.Popen(
        [*command, "--interval", "100ms"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    limit = threading.Timer(20, process.kill)
    limit.start()
    assert process.stdout
    with process.stdout:
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.kill()
    process.wait()
    limit.cancel()
    assert [look["since_start"] for look in looks] == [True, False, False]
    assert looks[2]["time"] > looks[1]["time"]


def test_a_queue_that_does_not_exist_is_named_with_what_was_meant(
    shop: tuple[Path, Host],
) -> None:
    done = top(shop[0], "--once", "lettres")
    assert done.returncode == 4
    assert "did you mean 'letters'?" in done.stderr


def test_without_a_host_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX)
    done = top(tmp_path, "--once")
    assert done.returncode == 4
    assert "no moonq host is running" in done.stderr
    assert "Traceback" not in done.stderr


def test_looking_too_often_is_refused(shop: tuple[Path, Host]) -> None:
    assert "100ms or longer" in top(shop[0], "--interval", "1ms").stderr


# In a real terminal -----------------------------------------------------------------------------


class Terminal:
    """A tmux of its own, with one window of one size."""

    def __init__(self, columns: int, rows: int, command: str) -> None:
        self._name = f"moonq-{uuid.uuid4().hex[:8]}"
        size = ["-x", str(columns), "-y", str(rows)]
        # The window stays when the command has ended, so that its last words can be read.
        self._tmux("-f", os.devnull, "new-session", "-d", *size, f"{command}; echo left $?; cat")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def shown(self) -> str:
        return self._tmux("capture-pane", "-p")

    def shows(self, text: str) -> str:
        """Wait until the screen shows *text*."""
        deadline = time.monotonic() + 20
        while text not in (screen := self.shown()):
            assert time.monotonic() < deadline, f"no {text!r} on:\n{screen}"
            threading.Event().wait(0.05)
        return screen

    def end(self) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], check=False, timeout=10)


@pytest.fixture
def terminal(shop: tuple[Path, Host]) -> Iterator[object]:
    if shutil.which("tmux") is None:
        if os.environ.get("CI"):
            pytest.fail("tmux is missing: install it, for these tests need a real terminal")
        pytest.skip("tmux is missing, and these tests need a real terminal")
    started: list[Terminal] = []

    def start(columns: int, rows: int) -> Terminal:
        command = f"{sys.executable} -m moonq top -C {shop[0]} --interval 100ms"
        started.append(Terminal(columns, rows, f"env PYTHONUTF8=1 {command}"))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_a_person_finds_the_dead_letter_and_pauses_the_queue(
    shop: tuple[Path, Host], terminal: type[Terminal]
) -> None:
    screen = terminal(80, 24)
    text = screen.shows("last ")
    assert "▸ app:letters" in text
    assert len(text.splitlines()) == 24
    screen.press("Down", "Down")
    screen.shows("▸ app:orders ")
    screen.press("d")
    screen.shows("1 dead letters")
    screen.press("Enter")
    assert "negative total" in screen.shows('"total": -5')
    screen.press("q", "q")
    screen.shows("READY")
    screen.press("p")
    screen.shows("pause app:orders for everybody? [y/N]")
    screen.press("y")
    screen.shows("paused app:orders")
    until(lambda: shop[1].queues.info("app:orders").paused)
    screen.press("q")
    screen.shows("left 0")


def test_numbers_move_while_somebody_looks(
    shop: tuple[Path, Host], terminal: type[Terminal]
) -> None:
    screen = terminal(40, 20)
    screen.shows("app:letters       7")
    for number in range(5):
        shop[1].queues.publish(b"app:letters", str(number).encode())
    assert "OLDEST" not in screen.shows("app:letters      12"), "40 columns have no room for it"
    screen.press("C-c")
    screen.shows("left 0")
