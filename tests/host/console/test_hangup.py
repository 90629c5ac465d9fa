"""A console ends with its terminal, and at a signal, whatever it does at that moment."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.cli.signals import PATIENCE, Terminated, terminable

from ..conftest import until

pytestmark = pytest.mark.aside("terminal")

#: What prompt_toolkit asks a terminal for once it reads keys.
PROMPT = b"\x1b[?2004h"


class Child:
    """A command with a console, on a terminal that this test holds."""

    def __init__(self, command: str, shop: Path, folder: Path, *, ignores_hangup: bool) -> None:
        self.code: int | None = None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            if ignores_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
                (folder / name).mkdir()
                os.environ[name] = str(folder / name)
            os.environ.update(TERM="xterm", PYTHONUTF8="1")
            os.execv(sys.executable, [sys.executable, "-m", "moonq", command, "-C", str(shop)])

    def shows(self, text: bytes) -> None:
        """Wait until the terminal was sent *text*."""
        shown = b""

        def look() -> bool:
            nonlocal shown
            while select.select([self.terminal], [], [], 0)[0]:
                shown += os.read(self.terminal, 65536)
            return text in shown

        until(look, 30)

    def is_over(self) -> bool:
        """Whether it has ended; its `code` is known then."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None


@pytest.fixture(
    params=[("repl", False), ("repl", True), ("dev", False), ("dev", True)],
    ids=["repl", "repl-nohup", "dev", "dev-nohup"],
)
def child(request: pytest.FixtureRequest, shop: Path, tmp_path: Path) -> Iterator[Child]:
    """A console that hears of the end of its terminal, or was started to outlive it."""
    command, ignores_hangup = request.param
    made = Child(command, shop, tmp_path, ignores_hangup=ignores_hangup)
    yield made
    if not made.is_over():
        os.kill(made.pid, signal.SIGKILL)
        os.waitpid(made.pid, 0)


def test_a_console_ends_with_its_terminal(child: Child, tmp_path: Path) -> None:
    child.shows(PROMPT)
    os.close(child.terminal)
    until(child.is_over, 20)
    # It hears of the end, reads it, or meets it when it writes: whichever comes first.
    assert child.code in (0, 1, 129)
    assert not [*tmp_path.rglob("moonq-bug-*")]
    assert [*(tmp_path / "TMPDIR").iterdir()] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_whose_event_loop_is_at_work(number: signal.Signals) -> None:
    async def work() -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        await asyncio.sleep(10)

    before = signal.getsignal(number)
    signal.signal(number, signal.SIG_DFL)  # as where tests were started with nohup
    try:
        with pytest.raises(Terminated) as ended, terminable():
            asyncio.run(work())
    finally:
        signal.signal(number, before)
    assert ended.value.exit_code == 128 + number


def test_what_does_not_end_when_it_is_told_to_is_ended() -> None:
    left = 0.0

    def end() -> None:
        nonlocal left
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left, _ = signal.getitimer(signal.ITIMER_REAL)

    with pytest.raises(Terminated), terminable():
        end()
    assert 0 < left <= PATIENCE
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
