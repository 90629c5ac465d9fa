"""What CONTRIBUTING.md says about adding something is done, in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """\
namespace: app
entries:
  - {name: hello, kind: registry.note, text: read me}
  - {name: other, kind: note, text: read me too}
  - {name: third, kind: registry.note, txt: what}
"""


def diffs(heading: str) -> str:
    """The diffs below *heading* in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```diff\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what moonq consists of."""
    hidden = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("host", "lua", "stdlib"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=hidden)
    return tmp_path


def apply(copy: Path, diff: str) -> None:
    assert diff
    patching = ["git", "apply", "--unsafe-paths", f"--directory={copy}", "-"]
    subprocess.run(patching, input=diff, text=True, check=True, cwd=copy)


def moonq(copy: Path, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "moonq", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(copy / "host")},
        cwd=copy,
    )
    return done.stdout + done.stderr


def test_a_kind_of_entry_is_one_file_and_one_line(copy: Path) -> None:
    (copy / "shop").mkdir()
    (copy / "shop" / "_index.yaml").write_text(PROJECT)
    assert "unknown entry kind `registry.note`" in moonq(copy, "check", "shop")
    diff = diffs("Adding a kind of entry")
    assert len(re.findall(r"^\+\+\+ ", diff, re.MULTILINE)) == 2
    apply(copy, diff)
    said = moonq(copy, "check", "shop")
    assert "unknown entry kind `registry.note`" not in said
    assert "A remark is `registry.note`" in said
    assert "a registry.note has no field `txt`" in said
