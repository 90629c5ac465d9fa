"""Two minutes at a host in trouble: attach, see the dead letter, understand it, fix, retry."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from moonq.control.client import connect

from .conftest import PROCESS
from .screen import Screen

pytestmark = pytest.mark.aside("terminal")

Start = Callable[..., Screen]


def test_a_person_finds_understands_fixes_and_retries_a_failing_message(
    console: Start, shop: Path, running: subprocess.Popen[bytes]
) -> None:
    screen = console()
    screen.shows(rf"attached to shop \(pid {running.pid}, profile dev\)")
    screen.enter('queue.publish("app:orders", { id = 42, total = -5 })')
    screen.shows(r'^"[0-9a-f-]{36}"  -- published to app:orders')
    screen.shows(r"● shop dev .* dead 1!")

    screen.enter("\\dead orders")
    screen.shows(r"1 dead letter in app:orders.dead, 1 kind of error")
    name = screen.shows(r"^newest\n\s*([0-9a-f-]{36})")[1]
    screen.enter(f"\\dead orders {name}")
    screen.shows(r"^body       { id = 42, total = -5 }")
    screen.shows(r"^attempt 1  \d\d:\d\d:\d\d, \S+ ago .*\n  UNKNOWN: negative total")

    fixed = PROCESS.replace("order.total < 0", "order.total == nil")
    (shop / "process.lua").write_text(fixed, encoding="utf-8")
    screen.enter("\\reload")
    screen.shows(r"^reloaded")
    screen.enter(f"\\replay {name}")
    screen.shows(r"^would ack$")
    screen.shows(r'^would publish  app:emails  {"order_id":42}')
    screen.shows(r"^logs           INFO  processing  order=42")

    screen.enter("\\retry orders")
    screen.shows(r"retry 1 message \(snapshot taken \d\d:\d\d:\d\d; later arrivals are")
    screen.enter("y")
    screen.shows(r"^1 message requeued")
    screen.enter('queue.info("app:emails").ready + queue.info("app:orders").dead')
    screen.shows(r"^1$")
    screen.press("C-d")
    screen.shows(r"^code 0$")
    assert running.poll() is None


def test_a_loop_is_interrupted_and_the_host_does_not_notice(
    console: Start, running: subprocess.Popen[bytes]
) -> None:
    screen = console()
    screen.enter('print("busy") while true do end')
    screen.shows(r"^busy$")
    screen.press("C-c")
    screen.shows(r"^interrupted after .* at console:1")
    screen.enter('queue.publish("app:orders", { id = 1, total = 5 })')
    screen.shows(r"published to app:orders")
    screen.enter("mq.status().acked")
    screen.shows(r"^1$")
    assert running.poll() is None


def test_a_console_leaves_at_once_when_the_host_hangs(
    console: Start, shop: Path, running: subprocess.Popen[bytes]
) -> None:
    screen = console()
    screen.enter('print("busy") while true do end')
    screen.shows(r"^busy$")
    running.send_signal(signal.SIGSTOP)
    try:
        screen.press("C-\\")
        screen.shows(r"code 0$")
    finally:
        running.send_signal(signal.SIGCONT)
    with connect(shop, patience=10) as client:
        assert client.request("ping") == {"pong": True}


def test_a_host_that_goes_away_is_said_and_ends_the_console(
    console: Start, running: subprocess.Popen[bytes]
) -> None:
    screen = console()
    running.kill()
    running.wait(10)
    screen.enter("1 + 1")
    screen.shows(r"the host has gone away")
    screen.shows(r"^code 5$")
