"""The example of several hosts: some are killed, and every message is accounted for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.drivers.conftest import DRIVERS, PLACES, place

pytestmark = pytest.mark.aside("stores")
#: Stores of several hosts that keep the order of groups; those with a server take their time.
STORES = [
    pytest.param(name, marks=pytest.mark.slow if driver.kind in PLACES else ())
    for name, driver in DRIVERS.items()
    if "none" not in (driver.capabilities.several_hosts, driver.capabilities.group)
]
#: What the entry says where queues keep groups on demand only.
ORDERED = {"amqp": {"partitions": 4}, "sqs": {"fifo": True}}


@pytest.mark.parametrize("store", STORES)
def test_a_fleet_loses_nothing_and_keeps_the_order_of_groups(
    root: Path, tmp_path: Path, store: str
) -> None:
    project = tmp_path / "fleet"
    shutil.copytree(root / "examples" / "fleet", project, ignore=shutil.ignore_patterns(".moonq"))
    # The one file that says where messages lie.
    entry = json.dumps({**place(store), **ORDERED.get(store, {})})
    (project / "driver.yaml").write_text(f"namespace: app\nentries:\n  - {entry}\n")
    keys = ["--no-keys"] if DRIVERS[store].capabilities.dedup == "none" else []
    done = subprocess.run(
        [sys.executable, project / "fleet.py", "--changes", "2", *keys],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    changes = [line.split()[2:] for line in done.stdout.split("\n\n")[0].splitlines()]
    started = {name for what, name in changes if what == "started"}
    assert started == {"ada", "bea", "cleo", "dora", "edda"}
    assert [what for what, _ in changes].count("killed") == 1
    assert done.stdout.endswith("\n0 lost, 0 out of order\n")
