"""What a service manager hears from a host."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.cli.service_manager import ServiceManager


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(10)
        yield found


def manager(ear: socket.socket, **more: str) -> ServiceManager:
    return ServiceManager.of_environment({"NOTIFY_SOCKET": ear.getsockname(), **more})


def test_it_hears_of_the_start_of_reloads_and_of_the_stop(ear: socket.socket) -> None:
    mine = manager(ear)
    mine.ready()
    with mine.reloading():
        pass
    mine.stopping()
    heard = [ear.recv(200).decode() for _ in range(4)]
    assert heard[0] == heard[2] == "READY=1"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[3] == "STOPPING=1"


def test_it_hears_that_a_host_is_alive_while_that_answers(ear: socket.socket) -> None:
    hangs, asked = threading.Event(), threading.Event()

    def answers() -> None:
        if asked.is_set():
            hangs.wait(10)
        asked.set()

    with manager(ear, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid())).watched(answers):
        assert ear.recv(200) == b"WATCHDOG=1"
        ear.settimeout(0.2)
        with pytest.raises(TimeoutError):
            ear.recv(200)
    hangs.set()


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "20", "WATCHDOG_PID": "1"}])
def test_a_process_that_nobody_watches_does_not_speak(
    ear: socket.socket, more: dict[str, str]
) -> None:
    with manager(ear, **more).watched(lambda: pytest.fail("it was asked")):
        ear.settimeout(0.05)
        with pytest.raises(TimeoutError):
            ear.recv(200)


def test_nobody_is_told_without_a_socket_and_one_that_is_gone_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ServiceManager.of_environment({}).ready()
    assert caplog.text == ""
    ServiceManager.of_environment({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert "the service manager was not told READY" in caplog.text
