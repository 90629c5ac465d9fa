"""SECURITY.md: every promise names the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_promise_names_tests_that_are_there(root: Path) -> None:
    text = (root / "SECURITY.md").read_text("utf-8")
    promises = text.partition("## What is promised\n")[2].partition("\n## ")[0]
    points = re.split(r"^- ", promises, flags=re.MULTILINE)[1:]
    assert len(points) >= 9
    for point in points:
        named = " ".join(re.findall(r"<!--(.*?)-->", point, re.DOTALL)).split()
        assert named, point
        assert [name for name in named if not (root / name).is_file()] == []


def test_the_readme_leads_there(root: Path) -> None:
    assert "(SECURITY.md)" in (root / "README.md").read_text("utf-8")
