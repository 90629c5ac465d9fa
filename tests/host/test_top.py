"""`moonq top` on a live host, and in a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from moonq.control.client import Client
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.dashboard.app import Asking
from moonq.dashboard.sampling import History, sample
from moonq.errors import HostSilent, NoHost
from moonq.host import Host
from moonq.kinds import load

from .conftest import until
from .console.screen import Screen

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
    env = {**os.environ, "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, timeout=20, env=env, check=False)


def words(text: str, beginning: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [beginning]]
    return line.split()


def test_a_pipe_gets_one_picture_of_the_host(shop: tuple[Path, Host]) -> None:
    done = top(shop[0])
    assert done.returncode == 0, done.stderr
    assert "host start" in done.stdout
    assert words(done.stdout, "app:letters")[1] == "7"
    assert words(done.stdout, "app:orders")[4] == "1!"
    assert "ago negative total" in done.stdout
    assert "quit" not in done.stdout, "a pipe has no keys"
    assert "host start" in top(shop[0], "--once").stdout


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
    assert "no entry 'lettres' in shop\n  hint: did you mean `letters`?" in done.stderr


def test_without_a_host_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX)
    done = top(tmp_path, "--once")
    assert done.returncode == 4
    assert "no moonq host is running" in done.stderr
    assert "Traceback" not in done.stderr


def test_looking_too_often_is_refused(shop: tuple[Path, Host]) -> None:
    assert "100ms or longer" in top(shop[0], "--interval", "1ms").stderr


# In a real terminal -----------------------------------------------------------------------------


@pytest.fixture
def start(shop: tuple[Path, Host]) -> Iterator[Callable[[int, int], Screen]]:
    """Start `moonq top` on a screen of some size."""
    started: list[Screen] = []

    def run(columns: int, rows: int) -> Screen:
        folder = shop[0].parent / f"{columns}x{rows}"
        folder.mkdir()
        started.append(screen := Screen(folder, columns=columns, rows=rows))
        runtime = os.environ["XDG_RUNTIME_DIR"]
        screen.start("top", "-C", shop[0], "--interval", "100ms", XDG_RUNTIME_DIR=runtime)
        return screen

    yield run
    for screen in started:
        screen.close()


def test_a_person_finds_the_dead_letter_and_pauses_the_queue(
    shop: tuple[Path, Host], start: Callable[[int, int], Screen]
) -> None:
    screen = start(80, 24)
    screen.shows("last 1 s")
    screen.shows("▸ app:letters ")
    assert len(screen.text().splitlines()) == 24
    screen.press("Down", "Down")
    screen.shows("▸ app:orders ")
    screen.press("d")
    screen.shows("1 dead letter, the newest first")
    screen.press("Enter")
    screen.shows("total = -5(.|\n)*negative total")
    screen.press("q", "q")
    screen.shows("READY")
    screen.press("p")
    screen.shows(r"pause app:orders for everybody\? \[y/N\]")
    screen.press("y")
    screen.shows("paused app:orders")
    until(lambda: shop[1].queues.info("app:orders").paused)
    screen.press("q")
    screen.shows("code 0")


def test_numbers_move_while_somebody_looks(
    shop: tuple[Path, Host], start: Callable[[int, int], Screen]
) -> None:
    screen = start(40, 20)
    screen.shows("app:letters +7 ")
    for number in range(5):
        shop[1].queues.publish(b"app:letters", str(number).encode())
    screen.shows("app:letters +12 ")
    assert "OLDEST" not in screen.text(), "40 columns have no room for it"
    screen.press("C-c")
    screen.shows("code 0")


def test_a_terminal_without_a_moving_cursor_gets_one_picture(
    shop: tuple[Path, Host], tmp_path: Path
) -> None:
    screen = Screen(tmp_path, columns=80, rows=24)
    try:
        runtime = os.environ["XDG_RUNTIME_DIR"]
        screen.start("top", "-C", shop[0], XDG_RUNTIME_DIR=runtime, TERM="dumb")
        screen.shows("code 0")
        assert "app:letters " in screen.text()
        assert "q quit" not in screen.text()
    finally:
        screen.close()


# A host that goes and comes ----------------------------------------------------------------------


class Answering:
    """A host as a client sees it: it answers, or it is gone."""

    def __init__(self, pid: int, *, gone: bool = False) -> None:
        self._pid = pid
        self._gone = gone

    def request(self, kind: str, **_: object) -> Any:
        if self._gone:
            raise HostSilent("the host has gone away")
        status = {"project": "shop", "profile": "dev", "pid": self._pid, "up": 5.0}
        return {"status": status, "queues": {"queues": []}, "consumers": {"consumers": []}}[kind]

    def close(self) -> None:
        pass


def test_a_host_that_was_started_again_is_found() -> None:
    history = History()
    history.add(sample(cast("Client", Answering(1))))
    found: list[Any] = [NoHost("none"), Answering(2)]

    def reach() -> Any:
        answer = found.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    asking = Asking(reach, cast("Client", Answering(1, gone=True)), history, 0.01)
    asking.start()
    until(lambda: history.view().host["pid"] == 2)
    asking.stop()
