"""What moonq makes is for its user alone, whatever the umask; what is older is said."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq import private
from moonq.cli.failures import explain
from moonq.cli.options import Options
from moonq.console.history import History
from moonq.drivers.sqlite import file as sqlite_file

from .documents.projects import INDEX, SHOP_FILES

Moonq = Callable[..., Any]


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The umask of somebody who shares everything."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    for name, text in SHOP_FILES.items():
        (folder / f"{name}.lua").write_text(text)
    (folder / "sums_test.lua").write_text('require("test").it("holds", function() end)')
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.chdir(folder)
    return folder


def shared(folder: Path) -> list[str]:
    """What below *folder* anybody else can do anything with."""
    found = ((path, path.lstat().st_mode) for path in folder.rglob("*"))
    return [f"{path}: {stat.S_IMODE(mode):o}" for path, mode in found if mode & 0o077]


def test_nothing_that_commands_leave_can_be_read_by_others(moonq: Moonq, shop: Path) -> None:
    sources = {str(path) for path in shop.rglob("*")}
    report, log_file = shop / "reports" / "junit.xml", shop / "moonq.log"
    publish = ["publish", "orders", '{"id":1,"total":-1}']
    assert moonq(*publish).code == 0
    assert moonq("run", "--until-idle", "--log-file", log_file).code == 0
    assert moonq("dead", "drop", "orders", "--yes").code == 0
    written = ["--junit", report, "--coverage=html,lcov"]
    assert moonq("test", *written).code == 0
    explain(RuntimeError("a bug"), [], Options(project=shop))
    found = {path for path in shop.rglob("*") if str(path) not in sources}
    names = " ".join(str(path.relative_to(shop)) for path in found)
    for name in (
        "queues.db",
        "junit.xml",
        "lcov.info",
        "index.html",
        ".ndjson",
        "moonq-bug",
        ".log",
    ):
        assert name in names
    assert not [one for one in shared(shop) if one.split(":")[0] not in sources]
    assert not shared(shop.parent / "runtime")


def test_no_file_of_a_sqlite_driver_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "queues.db"
    with sqlite_file.open_writer(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        assert {one.name for one in path.parent.iterdir()} >= {"queues.db", "queues.db-wal"}
        assert not shared(tmp_path)


def test_an_older_file_that_others_can_read_is_said_once_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "queues.db"
    sqlite_file.open_writer(path).close()
    lock = Path(f"{path}.lock")
    for one in (path, lock):
        one.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            sqlite_file.open_writer(path).close()
    said = f"{path} can be read by other users (mode 0644): run chmod 600 {path} {lock}"
    assert caplog.messages == [said]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_history_of_a_console_is_for_its_user_alone(tmp_path: Path) -> None:
    History(tmp_path / "state" / "history").append_string("return 1")
    assert not shared(tmp_path)


def test_what_a_person_named_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o640)
    (tmp_path / "link").symlink_to(target)
    private.save(tmp_path / "link", b"report")
    assert target.read_bytes() == b"report"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_file_of_ours_replaces_a_link_and_never_what_it_leads_to(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "link").symlink_to(target)
    private.write(tmp_path / "link", b"report")
    assert target.read_text() == "precious"
    assert (tmp_path / "link").read_bytes() == b"report"
    assert len(list(tmp_path.iterdir())) == 2
