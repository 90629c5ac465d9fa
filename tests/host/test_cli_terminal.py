from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moonq import __version__
from moonq.text import wording

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem, retry: {max_attempts: 5}}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, concurrency: 4, prefetch: 20}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [logger]}
"""


def on_terminal(project: Path, **env: str) -> str:
    """What `moonq run` paints on a terminal."""
    (project / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (project / "work.lua").write_text("return function() end", encoding="utf-8")
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "run", project, "--until-idle"],
        stdout=there,
        stderr=there,
        stdin=there,
        env={**os.environ, "TERM": "xterm", **env},
    )
    os.close(there)
    shown = b""
    try:
        while data := os.read(here, 65536):
            shown += data
    except OSError:  # how Linux says that nobody has the other end open any more
        pass
    os.close(here)
    assert process.wait(20) == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_sees_which_parts_are_up_and_how_it_ended(tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, NO_COLOR="1", PYTHONUTF8="1")
    assert re.sub(r"pid \d+|in [\d.]+ m?s|  [\d.]+ m?s$", "", shown, flags=re.M).splitlines() == [
        f"moonq {__version__} · {tmp_path.name} · ",
        "  ✓ registry    4 entries in 1 namespace",
        "  ✓ app:mem     queue.driver.memory",
        "  ✓ app:jobs    queue, dead letters → app:jobs.dead (5 attempts)",
        "  ✓ app:worker  4 workers · prefetch 20 · app:work",
        "ready  · Ctrl-C to drain and stop",
        "",
        "stopped · 0 acked · 0 retried · 0 dead · up 00:00:00",
    ]


def test_a_terminal_sees_colours_unless_it_refuses_them(tmp_path: Path) -> None:
    assert "\x1b[38;5;29m✓\x1b[0m" in on_terminal(tmp_path, PYTHONUTF8="1", COLORTERM="")
    assert "\x1b" not in on_terminal(tmp_path, TERM="dumb")


def test_a_terminal_without_unicode_gets_ascii(tmp_path: Path) -> None:
    shown = on_terminal(tmp_path, PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert shown.isascii()
    assert "  ok app:mem " in shown
    assert "dead letters -> app:jobs.dead" in shown


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (wording.lasted(0.00042), "420 µs"),
        (wording.lasted(0.0042), "4.2 ms"),
        (wording.lasted(0.061), "61 ms"),
        (wording.lasted(12.5), "12.5 s"),
        (wording.lasted(None), "-"),
        (wording.counted(1204), "1 204"),
        (wording.clock(4 * 60 + 12), "00:04:12"),
        (wording.clock(27 * 3600), "27:00:00"),
    ],
)
def test_numbers_are_written_for_people(shown: str, expected: str) -> None:
    assert shown == expected
