"""Every page of the manual, and the README, is tried as a reader would try it.

The pages below `reference/` are made from the code, and held to it where they are made. A page is
read from top to bottom, in a project of its own that begins empty and is called `shop`. What its
fences mean:

``yaml title="src/_index.yaml"``, ``lua title="…"`` and any other language with a `title`
    write the file; `add-to="…"` adds to the end of it.
``console``
    runs each line that begins with `$ `, and compares what moonq says, on a terminal of 100
    columns, stdout and stderr together. A command without shown output has to end with 0. Beside
    `moonq` there are `cd DIR`, `cat FILE` and `echo $?`, the exit code of the last `moonq`. A
    question is answered with what the page shows behind it: `proceed? [y/N] y`.
    `$ moonq run` is the second terminal: what follows is waited for, and the host goes on. A
    console block that begins without `$ ` shows what the host says next, and `^C` ends it there.
    Other lines of its log may stand between those that are shown, and long ones may be broken:
    the rest is indented by ten spaces or more.
    `$ moonq repl` opens a console.
``lua-repl``
    is typed into that console: `shop> \\queues`, `     …  a second line`, and what it answers.
``lua`` with `--> value` behind a line
    is typed into a private console, and each value is compared: `seen:has("a") --> true: a remark`.
``lua``, ``yaml``, ``json``, ``toml``, ``python`` otherwise
    are only parsed: pieces of something. Entries among them have the fields of their kind.
``sh``, and any fence with `needs="Redis"`
    is not run: its commands of moonq must exist, and take the options that are shown.
``text`` and other languages
    are taken as they are.

Where output is compared, a line `...` stands for any number of lines and `…` for any part of one.
How many spaces there are does not matter, nor what differs from run to run: ids, clock times,
dates, pids, versions, rates, milliseconds, `2.2s`, `3s ago` and an age in a table, KB and MB, the
user; see `likeness`. An id that was shown once stands for the same one later on, also in commands,
and so does the moment in the name of a backup.
Commands that only look (`queues`, `peek`, `dead`, `status`, `eval`) are asked again until the host
has come that far.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.manual.reader import Reader
from tests.manual.terminal import COLUMNS

from moonq.console import commands

pytestmark = pytest.mark.aside("manual")

_ROOT = Path(__file__).parents[2]
_MANUAL = _ROOT / "host" / "moonq" / "manual"
PAGES = [_ROOT / "README.md", *sorted(_MANUAL.glob("*.md"))]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Somebody who begins in an empty folder, whose name is short: sockets lie below it."""
    for name in os.environ:
        if name.startswith("MOONQ_") or name in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    base = Path(tempfile.mkdtemp(prefix="mq"))
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(base / "home"))
    (base / "home").mkdir(mode=0o700)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PYTHONUTF8", "1")
    # No page shows the line that says how far something is, which comes where it takes long.
    monkeypatch.setattr("moonq.cli.drawing.PATIENCE", math.inf)
    (base / "shop").mkdir()
    monkeypatch.chdir(base / "shop")
    made = Reader(monkeypatch)
    try:
        yield made
    finally:
        made.close()
        monkeypatch.undo()
        shutil.rmtree(base)


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(_ROOT).name for page in PAGES])
def test_what_a_page_shows_is_so(page: Path, reader: Reader) -> None:
    reader.read_page(page)


def test_the_page_about_the_console_names_each_of_its_commands() -> None:
    text = (_MANUAL / "repl.md").read_text("utf-8")
    assert commands.COMMANDS
    assert [name for name in commands.COMMANDS if f"`\\{name}`" not in text] == []
