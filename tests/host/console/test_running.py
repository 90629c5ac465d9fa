"""Ctrl-C while Lua runs: once stops it, three times gives a deaf one up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq.console.core import Console
from moonq.console.face import Face
from moonq.console.running import ABANDONED, DEAF, Runner
from moonq.control.reaching import Reached, reach


class Deaf:
    """A request that hears of no cancel; each wait is ended by a Ctrl-C."""

    def __init__(self) -> None:
        self.cancels = 0

    def send(self, *_: Any) -> None:
        pass

    def wait(self, timeout: float | None = None) -> Any:
        raise KeyboardInterrupt

    def cancel(self) -> None:
        self.cancels += 1


class Hasty(Deaf):
    """A Ctrl-C comes before anybody waits for the answer; the host hears of it."""

    def send(self, *_: Any) -> None:
        raise KeyboardInterrupt

    def wait(self, timeout: float | None = None) -> Any:
        return {"status": "stopped", "reason": "cancel"} if self.cancels else None


class Host:
    def __init__(self, running: Deaf) -> None:
        self.client = self
        self.running = running
        self.sessions = 1

    def expect(self, *_: Any) -> Deaf:
        return self.running

    def begin_anew(self) -> None:
        self.sessions += 1


def test_the_third_ctrl_c_gives_a_deaf_session_up() -> None:
    host, said = Host(Deaf()), list[str]()
    answer = Runner(host, said.append, said.append).run("deaf()")  # type: ignore[arg-type]
    assert answer.status == "gone"
    assert said == [DEAF, ABANDONED]
    assert host.running.cancels == 1
    assert host.sessions == 2


def test_a_ctrl_c_right_after_enter_is_not_lost() -> None:
    host, said = Host(Hasty()), list[str]()
    answer = Runner(host, said.append, said.append).run("loop()")  # type: ignore[arg-type]
    assert (answer.status, answer.reason) == ("stopped", "cancel")
    assert host.running.cancels == 1


@pytest.fixture
def attached(shop: Path) -> Iterator[Reached]:
    with reach(shop, local=True, whole=True) as found:
        yield found


def test_a_new_session_has_the_host_but_not_the_variables(attached: Reached) -> None:
    console = Console(attached, Face("never", print))
    console.run("x = 1")
    console.run('queue.publish("app:emails", 1)')
    attached.begin_anew()
    assert console.run("x").texts == ["nil"]
    assert console.run('queue.info("app:emails").ready').texts == ["1"]


def test_a_loop_ends_within_fifty_milliseconds_of_its_cancel(attached: Reached) -> None:
    def once() -> float:
        begun = threading.Event()
        source = 'print("on") while true do end'
        running = attached.client.begin("eval", on_output=lambda _: begun.set(), src=source)
        assert begun.wait(10)
        began = time.perf_counter()
        running.cancel()
        assert running.wait(10)["reason"] == "cancel"
        return time.perf_counter() - began

    assert min(once() for _ in range(3)) < 0.05
