"""Paths of files: no shell reads them, so what only a shell fills in is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.kinds import inspect

INDEX = """\
namespace: app
entries:
  - {{name: file, kind: queue.driver.sqlite, path: "{path}"}}
  - {{name: work, kind: function.lua, source: "file://{source}"}}
"""


def complaints(folder: Path, path: str, source: str = "work.lua") -> list[tuple[str, str]]:
    (folder / "work.lua").write_text("return function() end", encoding="utf-8")
    text = INDEX.format(path=path, source=source)
    (folder / "_index.yaml").write_text(text, encoding="utf-8")
    _, findings = inspect(folder, env={"DATA": "/data"})
    return [(one.message, one.helps[0]) for one in findings if one.severity == "error"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${DATA_DIR}/q.db", "write `${env:DATA_DIR}/q.db`"),
        ("$DATA_DIR/q.db", "write `${env:DATA_DIR}/q.db`"),
        ("data/$USER.db", "write `data/${env:USER}.db`"),
        ("~/q.db", "write `${env:HOME}/q.db`"),
        ("~/$X/q.db", "write `${env:HOME}/${env:X}/q.db`"),
        ("~bob/q.db", "write the folder's full path"),
        ("data$/q.db", "write `data${env:NAME}/q.db`"),
        ("${env:DATA}/$X.db", "write `${env:DATA}/${env:X}.db`"),
    ],
)
def test_what_only_a_shell_fills_in_is_an_error_with_the_right_spelling(
    tmp_path: Path, written: str, meant: str
) -> None:
    ((message, help_),) = complaints(tmp_path, written)
    assert "that nothing fills in" in message
    assert help_ == meant


@pytest.mark.parametrize("path", ["q.db", "${env:DATA}/q.db", "${env:NONE:-data}/q.db", "a~b.db"])
def test_a_path_without_is_none(tmp_path: Path, path: str) -> None:
    assert complaints(tmp_path, path) == []


def test_a_source_is_spelt_for_the_person_as_well(tmp_path: Path) -> None:
    ((message, help_),) = complaints(tmp_path, "q.db", "$SRC/work.lua")
    assert message == "source file not found"
    assert help_ == "write `file://${env:SRC}/work.lua`"
