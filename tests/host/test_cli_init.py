"""`moonq init`, and what `moonq new` can do beside the templates of `test_cli_new`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Moonq = Callable[..., Any]
INDEX = "namespace: shop\nentries:\n  - {name: mem, kind: queue.driver.memory}\n"


def test_a_folder_with_other_things_becomes_a_project(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "stylua.toml").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    said = moonq("init", tmp_path)
    assert said.code == 0
    assert "src/_index.yaml" in said.err
    assert "left alone: stylua.toml\n" in said.err
    assert f"next:\n  cd {tmp_path}\n  moonq check\n" in said.err
    assert (tmp_path / "stylua.toml").read_text() == "mine"
    assert moonq("check", tmp_path, "--strict").code == 0
    assert moonq("types", tmp_path, "--check").code == 0


def test_it_can_be_run_again_and_changes_nothing(moonq: Moonq, tmp_path: Path) -> None:
    moonq("init", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = moonq("init", tmp_path)
    assert said.code == 0
    assert "lacks nothing" in said.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_with_entries_gets_no_others(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "queues").mkdir()
    (tmp_path / "queues" / "all.yaml").write_text(INDEX)
    moonq("init", tmp_path, "--template", "basic")
    assert not (tmp_path / "src").exists()
    assert (tmp_path / "moonq.yaml").is_file()
    assert '"shop:mem"' in (tmp_path / ".moonq" / "types" / "registry.lua").read_text()


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("dist/", "dist/\n.moonq/\n"),
        ("\udcff\n", "\udcff\n.moonq/\n"),
        ("dist/\n", "dist/\n.moonq/\n"),
        ("", ".moonq/\n"),
        ("/.moonq/\n", "/.moonq/\n"),
        (".moonq\n", ".moonq\n"),
    ],
)
def test_git_ignores_what_moonq_makes(
    moonq: Moonq, tmp_path: Path, before: str, behind: str
) -> None:
    (tmp_path / ".gitignore").write_text(before, errors="surrogateescape")
    assert moonq("init", tmp_path).code == 0
    assert (tmp_path / ".gitignore").read_text(errors="surrogateescape") == behind


def test_a_folder_that_is_not_there_is_for_new(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("init", tmp_path / "shop")
    assert said.code == 4
    assert "moonq new" in said.err
    assert not (tmp_path / "shop").exists()


def test_settings_that_cannot_be_read_are_named(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / ".luarc.json").write_text("{ broken")
    said = moonq("init", tmp_path)
    assert said.code == 0
    assert ".luarc.json is left alone: line 1 is no JSON" in said.err
    assert (tmp_path / ".luarc.json").read_text() == "{ broken"


def test_an_empty_project_is_sound_and_runs(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop", "--template", "empty")
    assert "(template empty, 8 files)" in said.err
    assert moonq("check", tmp_path / "shop", "--strict").code == 0
    assert moonq("run", tmp_path / "shop", "--until-idle").code == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_repository_is_made_when_it_is_asked_for(
    moonq: Moonq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert moonq("new", tmp_path / "plain", "--no-git").code == 0
    assert not (tmp_path / "plain" / ".git").exists()
    assert moonq("new", tmp_path / "shop", "--git").code == 0
    assert (tmp_path / "shop" / ".git" / "HEAD").is_file()
    monkeypatch.setenv("PATH", "")
    said = moonq("init", tmp_path / "plain", "--git")
    assert said.code == 1
    assert "there is no git on this machine" in said.err
