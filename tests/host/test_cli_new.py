from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Moonq = Callable[..., Any]

FILES = {
    ".editorconfig",
    ".gitignore",
    ".luacheckrc",
    ".luarc.json",
    "moonq.yaml",
    "src/_index.yaml",
    "src/process_order.lua",
    "stylua.toml",
    "test/process_order_test.lua",
}


def files_in(folder: Path) -> set[str]:
    """Every file below *folder*."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def test_a_new_project_has_its_files_and_passes_the_check(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop")
    assert said.code == 0
    assert "created" in said.err
    assert files_in(tmp_path / "shop") == FILES
    checked = moonq("check", tmp_path / "shop")
    assert checked.code == 0, checked.out
    assert "no errors" in checked.out


def test_what_a_new_project_says_to_do_next_works(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop")
    [line] = [line for line in said.err.splitlines() if "moonq call" in line]
    _, *args = shlex.split(line)
    called = moonq(*args, "-C", tmp_path / "shop")
    assert called.code == 0, called.err
    assert "would ack" in called.out
    assert "order=42" in called.out
    assert moonq("run", tmp_path / "shop", "--until-idle").code == 0


@pytest.mark.parametrize("name", ["no", "123", "a: b", "käse laden", 'a"b'])
def test_a_project_may_be_called_anything(moonq: Moonq, tmp_path: Path, name: str) -> None:
    moonq("new", tmp_path / name)
    assert moonq("check", tmp_path / name).code == 0


def test_a_project_inside_another_leaves_that_one_alone(moonq: Moonq, tmp_path: Path) -> None:
    outer, inner = tmp_path / "shop", tmp_path / "shop" / "plugins" / "mail"
    moonq("new", outer)
    before = moonq("check", outer, "--json").out
    said = moonq("new", inner)
    assert said.code == 0
    assert "it lies in shop, and is a project of its own" in said.err
    assert moonq("check", outer, "--json").out == before
    assert moonq("check", inner).code == 0
    tests = json.loads(moonq("test", "-C", outer, outer, "--json").out.splitlines()[-1])
    assert tests["passed"] == 2 * 2
    assert moonq("run", outer, "--until-idle").code == 0


def test_a_folder_with_other_files_needs_yes(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    refused = moonq("new", tmp_path)
    assert refused.code == 7
    assert "--yes" in refused.err
    assert files_in(tmp_path) == {"notes.txt"}
    assert moonq("new", tmp_path, "--yes").code == 0
    assert files_in(tmp_path) == FILES | {"notes.txt"}


def test_nothing_is_overwritten_even_with_yes(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "_index.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "stylua.toml").write_text("mine", encoding="utf-8")
    refused = moonq("new", tmp_path, "--yes")
    assert refused.code == 7
    assert "src/_index.yaml, stylua.toml" in refused.err
    assert files_in(tmp_path) == {"src/_index.yaml", "stylua.toml"}


def test_a_file_is_no_folder(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("mine", encoding="utf-8")
    assert moonq("new", tmp_path / "shop").code == 7


def test_json_names_the_files(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop", "--json")
    document = json.loads(said.out)
    assert document["schema"] == "moonq.new/1"
    assert set(document["files"]) == FILES
    assert said.err == ""
