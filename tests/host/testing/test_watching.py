"""Keys and changes of `moonq test --watch`, and one pass after another."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.cli.watching import Event, Filter, Watch, decide, without_filter

from ..console.screen import Screen


def answering(text: str) -> Callable[[str], str]:
    return lambda _: text


NARROW = Filter(("test/a_test.lua",), "charge", failed=True)


@pytest.mark.parametrize(
    ("key", "typed", "wanted"),
    [
        ("a", "", Filter()),
        ("c", "", Filter()),
        ("f", "", Filter(NARROW.targets, "charge", failed=True)),
        ("p", "src/b_test.lua", Filter(("src/b_test.lua",), "charge", failed=True)),
        ("t", " sends ", Filter(NARROW.targets, "sends", failed=True)),
        ("\n", "", NARROW),
    ],
)
def test_a_key_changes_the_filter_and_runs(key: str, typed: str, wanted: Filter) -> None:
    step = decide(Event(key=key), NARROW, answering(typed))
    assert step == (wanted, tuple(wanted.arguments()), False)


def test_other_keys_do_nothing_q_quits_u_updates() -> None:
    assert decide(Event(key="x"), NARROW, answering("")) == (NARROW, None, False)
    assert decide(Event(key="q"), NARROW, answering("")).quit
    step = decide(Event(key="u"), Filter(), answering(""))
    assert step.run == ("--update",)


def test_a_test_file_that_changed_runs_alone_and_anything_else_runs_all() -> None:
    all_of_them = Filter(keyword="charge")
    alone = decide(Event(changed=("test/b_test.lua",)), all_of_them, answering(""))
    assert alone.run == ("-k", "charge", "test/b_test.lua")
    assert alone.filter == all_of_them
    every = decide(Event(changed=("src/a.lua", "test/b_test.lua")), all_of_them, answering(""))
    assert every.run == ("-k", "charge")
    narrow = decide(Event(changed=("test/b_test.lua",)), NARROW, answering(""))
    assert narrow.run == tuple(NARROW.arguments())


def test_the_passes_get_the_other_options() -> None:
    written = ["--watch", "-x", "-k", "a", "--failed", "-ktwo", "--timeout", "1s"]
    assert without_filter(written) == ["-x", "--timeout", "1s"]


def test_a_change_runs_the_tests_again(shop: Any) -> None:
    path = shop.tests('it("first", function() end)')
    command = [sys.executable, "-m", "moonq", "test", "--watch", "--reporter", "plain"]
    with Path("out.txt").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
    try:
        wait_for("first", process)
        path.write_text(path.read_text(encoding="utf-8").replace("first", "second"))
        wait_for("second", process)
    finally:
        process.terminate()
        process.wait(10)


def test_keys_ask_narrow_and_quit(shop: Any) -> None:
    shop.tests('it("first", function() end)\nit("second", function() end)')
    screen = Screen(shop.folder, columns=100)
    try:
        screen.start("test", "--watch", "--reporter", "plain")
        screen.shows("2 passed")
        screen.press("t")
        screen.shows("^name:")
        screen.enter("second")
        screen.shows("name: second")
        screen.shows("1 passed")
        screen.press("q")
        screen.shows("code 0")
    finally:
        screen.close()


def test_a_snapshot_that_a_pass_writes_begins_no_other(shop: Any) -> None:
    watch = Watch(shop.folder, [], Filter())
    began: list[object] = []
    watch._begin = began.append  # type: ignore[method-assign]
    watch._changed(("test/__snapshots__/shop_test.snap.lua",))
    assert began == []
    watch._changed(("test/__snapshots__/shop_test.snap.lua", "test/shop_test.lua"))
    assert began == [(str(shop.folder / "test/shop_test.lua"),)]


def wait_for(word: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the output has *word*, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while word not in Path("out.txt").read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
