"""Everything that commands draw, on terminals of 40, 80 and 120 columns: no line is wider, and no
word or id is broken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from moonq.cli import options
from moonq.host import Host
from moonq.text import plain
from moonq.text.wording import columns

from ..conftest import until

Moonq = Callable[..., Any]
ID = "order-0000000000000000000000001234"
TEST = """\
local test = require("test")
test.describe("a block with a rather long name that says what it is about", function()
  test.it("does what it says, and says it in a sentence that is longer than a line", function()
    require("logger").info("a line that is logged while the test runs, with fields", { n = 1 })
  end)
  test.it("fails with a difference", function()
    test.eq({ name = "somebody with a long name", n = 1 }, { name = "another with a long name" })
  end)
end)
"""
COMMANDS = (
    "queues",
    "ls",
    "show jobs",
    "graph",
    "graph jobs",
    "peek jobs.dead",
    f"peek jobs.dead --id {ID}",
    "dead ls jobs",
    f"dead show jobs {ID}",
    "status",
    'call work {"id":1,"total":-1} --as-message',
    'call work {"id":1,"bank":"down"} --as-message',
    "publish idle 1 --dry-run",
    "pause nosuch",
    "pause worker",
    "resume worker",
    "purge idle --yes",
    "dead retry jobs --error fff --yes",
    "reload",
    "top --once",
    "check",
    "test --show-logs --coverage=term",
    "peek nosuch",
)


@pytest.fixture
def shop(moonq: Moonq, host: Host) -> Callable[[str], tuple[list[str], list[str]]]:
    """Run a command on a project with a message that died; its lines on stdout and stderr."""
    body = {"id": 1, "total": -1, "customer": {"email": "somebody@example.org", "name": "Zoë"}}
    host.queues.publish(b"app:jobs", json.dumps(body).encode(), False, 0, 1, b"id", ID.encode())
    until(lambda: host.queues.info("app:jobs.dead").ready == 1)
    (host.project.root / "shown_test.lua").write_text(TEST)

    def run(command: str) -> tuple[list[str], list[str]]:
        head, *more = command.split(" ")
        said = moonq(head, *more, "-C", host.project.root)
        return said.out.splitlines(), said.err.splitlines()

    return run


def broken(lines: list[str], words: set[str]) -> list[str]:
    """The words of a pipe that a terminal shows on two lines."""
    joined = ((one.split()[-1:], other.split()[:1]) for one, other in pairwise(lines))
    return [
        "".join(last + first)
        for last, first in joined
        if "".join(last + first) in words and not {*last, *first} <= words
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_what_commands_draw_fits_and_breaks_no_word(
    shop: Callable[[str], tuple[list[str], list[str]]],
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
) -> None:
    # A word may be as wide as the terminal; the folder of a test is wider.
    monkeypatch.chdir(host.project.root)
    for command in COMMANDS:
        whole = {word for side in shop(command) for line in side for word in line.split()}
        longest = {word for word in whole if len(word) > width - 4}
        with monkeypatch.context() as patched:
            patched.setattr(plain, "width_of", lambda _: width)
            patched.setattr(options, "width_of", lambda _: width)
            sides = shop(command)
        for lines in sides:
            assert broken(lines, whole) == [], command
            wide = [line for line in lines if columns(line) > width]
            assert [line for line in wide if not set(line.split()) & longest] == [], command
