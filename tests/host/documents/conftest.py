"""The scenes that the cases begin in; each is the folder of a project, or one without any."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import HEAD, MakeHost, until
from ..control.conftest import Serve, runtime, serve
from .projects import SHOP, SHOP_FILES, SPIN, SPIN_FILES, WHEEL, WHEEL_FILES

__all__ = ["runtime", "serve"]

Moonq = Callable[..., Any]
Run = Callable[..., subprocess.Popen[bytes]]


def write(folder: Path, entries: str, files: dict[str, str]) -> Path:
    """Write a project and return its folder."""
    folder.mkdir()
    (folder / "_index.yaml").write_text(HEAD + entries)
    for name, text in files.items():
        (folder / f"{name}.lua").write_text(text)
    return folder


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A project without a host."""
    return write(tmp_path / "shop", SHOP, SHOP_FILES)


@pytest.fixture
def host(make_host: MakeHost, serve: Serve) -> Path:
    """The same project with a host."""
    made = make_host(SHOP, **SHOP_FILES)
    serve(made)
    return made.project.root


@pytest.fixture
def wheel(make_host: MakeHost, serve: Serve) -> Path:
    """A host in which something happens all the time."""
    made = make_host(WHEEL, **WHEEL_FILES)
    serve(made)
    return made.project.root


@pytest.fixture
def run(moonq: Moonq) -> Iterator[Run]:
    """Start `moonq run` in a process of its own, and wait until it answers."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, *args: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", folder, *args],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        until(lambda: process.poll() is not None or moonq("status", "-C", folder).code == 0)
        assert process.poll() is None
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(20)


@pytest.fixture
def production(files: Path, run: Run) -> Path:
    """The same project with a host that people are not to change by accident."""
    (files / "moonq.yaml").write_text("production: true\n")
    run(files)
    return files


@pytest.fixture
def silent(files: Path, run: Run) -> Path:
    """The same project with a host that does not answer."""
    run(files).send_signal(signal.SIGSTOP)
    return files


@pytest.fixture
def spinning(tmp_path: Path, run: Run, moonq: Moonq) -> Path:
    """A host with a handler that is at work and does not end."""
    folder = write(tmp_path / "spin", SPIN, SPIN_FILES)
    run(folder)
    assert moonq("publish", "jobs", "1", "-C", folder).code == 0
    until(lambda: moonq("peek", "jobs", "--state", "running", "--raw", "-C", folder).out != "")
    return folder


@pytest.fixture
def ending(files: Path) -> Iterator[Path]:
    """The same project; a host of it that is started is stopped as soon as it is up."""
    given_up = threading.Event()

    def stop() -> None:
        command = [sys.executable, "-m", "moonq", "stop", "-C", str(files)]
        while not given_up.is_set():
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return

    thread = threading.Thread(target=stop)
    thread.start()
    yield files
    given_up.set()
    thread.join()


@pytest.fixture
def broken(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python that fails where nobody expects it, once."""
    (nothing / ".moonq").mkdir()
    answers = iter([RuntimeError("no version")])
    version = platform.python_version()

    def fail() -> str:
        for problem in answers:
            raise problem
        return version

    monkeypatch.setattr(platform, "python_version", fail)
    return nothing
