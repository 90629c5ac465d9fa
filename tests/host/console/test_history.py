"""What was typed comes back, to its owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from moonq.console import history


def typed(path: Path) -> list[str]:
    return list(history.History(path).load_history_strings())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moonq" / "shop.history"


def test_blocks_come_back_newest_first(path: Path) -> None:
    first = history.History(path)
    first.append_string("1 + 1")
    first.append_string("for i = 1, 3 do\n  f(i)\nend")
    assert typed(path) == ["for i = 1, 3 do\n  f(i)\nend", "1 + 1"]


def test_nobody_else_can_read_them(path: Path) -> None:
    history.History(path).append_string("1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_leading_space_keeps_a_block_out(path: Path) -> None:
    history.History(path).append_string(' token = "secret"')
    assert typed(path) == []
    assert b"secret" not in path.read_bytes()


def test_only_the_last_blocks_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BLOCKS", 10)
    full = history.History(path)
    for number in range(12):
        full.append_string(f"a({number})\n+ 1")
    assert typed(path)[-1] == "a(2)\n+ 1"
    assert len(typed(path)) == 10


def test_the_folder_is_where_the_system_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert history.folder() == Path("/state/moonq")


def test_without_a_place_to_write_the_console_still_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lost = history.History(tmp_path / "file" / "shop.history")
    lost.append_string("1")
    assert lost.get_strings() == ["1"]
