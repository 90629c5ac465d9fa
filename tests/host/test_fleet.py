"""The example of several hosts: some are killed, and every message is accounted for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def test_a_fleet_loses_nothing_and_keeps_the_order_of_groups(root: Path, tmp_path: Path) -> None:
    project = tmp_path / "fleet"
    shutil.copytree(root / "examples" / "fleet", project, ignore=shutil.ignore_patterns(".moonq"))
    done = subprocess.run(
        [sys.executable, project / "fleet.py", "--changes", "2"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    changes = [line.split()[2:] for line in done.stdout.split("\n\n")[0].splitlines()]
    assert [what for what, _ in changes].count("killed") == 1
    assert {name for what, name in changes if what == "started"} == {
        "ada", "bea", "cleo", "dora", "edda",
    }  # fmt: skip
    assert done.stdout.endswith("\n0 lost, 0 out of order\n")
