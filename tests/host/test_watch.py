"""When the files of a project count as changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest

from moonq.registry.watching import Watching, concerns


@contextmanager
def watched(folder: Path) -> Iterator[Queue[tuple[str, ...]]]:
    """Every change of *folder*, from a moment when the watch is surely in place."""
    changes: Queue[tuple[str, ...]] = Queue()
    ready = threading.Event()
    with Watching(folder, changes.put, ready.set):
        assert ready.wait(20)
        yield changes


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("_index.yaml", True),
        ("src/deep/work.lua", True),
        ("moonq.yml", True),
        (".moonq/types/queue.lua", False),
        ("src/.work.lua", False),
        ("work.lua~", False),
        ("4913", False),
        (".moonq/queues.db-wal", False),
    ],
)
def test_only_files_of_the_project_count(tmp_path: Path, path: str, counts: bool) -> None:
    folder = tmp_path / ".hidden" / "shop"
    assert concerns(folder, str(folder / path)) is counts, "where the project lies does not matter"


def test_files_that_are_saved_together_are_one_change(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with watched(tmp_path) as changes:
        (tmp_path / "work.lua~").write_text("")
        (tmp_path / "_index.yaml").write_text("")
        (tmp_path / "src" / "work.lua").write_text("")
        assert changes.get(timeout=20) == ("_index.yaml", "src/work.lua")


def test_an_editor_that_replaces_a_file_is_heard(tmp_path: Path) -> None:
    (tmp_path / "work.lua").write_text("return 1")
    with watched(tmp_path) as changes:
        (tmp_path / "work.lua.new").write_text("return 2")
        (tmp_path / "work.lua.new").rename(tmp_path / "work.lua")
        assert changes.get(timeout=20) == ("work.lua",)


def test_the_end_is_the_end(tmp_path: Path) -> None:
    with watched(tmp_path) as changes:
        pass
    (tmp_path / "work.lua").write_text("")
    with pytest.raises(Empty):
        changes.get(timeout=0.3)


def test_a_folder_that_cannot_be_watched_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch(*_: object, **__: object) -> None:
        raise OSError("too many watches")

    monkeypatch.setattr("watchfiles.watch", watch)
    with Watching(tmp_path, lambda _: None):
        pass
    assert f"{tmp_path.name} cannot be watched: too many watches" in caplog.text
