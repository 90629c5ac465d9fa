"""The contract as a handler and a publisher see it: `tests/contract`, on every driver.

One run for each driver, by a profile that replaces the one driver entry of the project. What came
of it is shown behind all tests: see `pytest_terminal_summary` in `conftest`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import BESIDE, DRIVERS, TOLD, VIRTUAL, Run, place

ENTRY = "contract:driver"
#: Drivers, and other settings of one that lead to other limits.
ROWS: dict[str, dict[str, Any]] = {
    **{name: {} for name in DRIVERS},
    "amqp:partitions": {"partitions": 4},
    "sqs:fifo": {"fifo": True},
}
CONTRACT = Path(__file__).parents[1] / "contract"
#: Real seconds for one test; on a driver that is waited for it may be many.
TIMEOUT = "60s"


def project(folder: Path, short: str, fields: Mapping[str, Any]) -> Path:
    """A project with the queues of the contract, whose profile `driver` says where they lie.

    It is that of the tests' own `moonq.yaml` for the driver of that short name, at another place.
    """
    shutil.copytree(CONTRACT, folder / "contract", ignore=shutil.ignore_patterns("__pycache__"))
    ours = yaml.safe_load((CONTRACT.parent / "moonq.yaml").read_text("utf-8"))["profiles"]
    entries = ours.get(short, {}).get("entries", {})
    own = {name: value for name, value in fields.items() if name != "name"}
    settings = {"name": "tests", "profiles": {"driver": {"entries": {**entries, ENTRY: own}}}}
    (folder / "moonq.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def run(name: str, folder: Path) -> Run:
    """Run all of it as a person would, on the driver of that short name."""
    short = name.partition(":")[0]
    project(folder, short, {**place(short), **ROWS[name]})
    # Real time is waited for in several processes, virtual time is computed in one.
    jobs = "1" if short in VIRTUAL else "4"
    command = [sys.executable, "-m", "moonq", "test", "-C", str(folder), str(folder), "--json"]
    command += ["--driver", "declared", "--profile", "driver", "--timeout", TIMEOUT, "-j", jobs]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    events = [json.loads(line) for line in said.stdout.splitlines()]
    results = [one for one in events if one["event"] == "result"]
    assert results, said.stdout + said.stderr
    return Run(
        sum(one["status"] == "passed" for one in results),
        [_name(one) for one in results if one["status"] == "skipped"],
        [_failure(one) for one in results if one["status"] not in ("passed", "skipped")],
    )


def _name(one: Mapping[str, Any]) -> str:
    return ": ".join((*one["path"], one["name"]))


def _failure(one: Mapping[str, Any]) -> str:
    problem = one["problem"]
    rows = [_name(one), problem["message"], *problem["stack"][:3]]
    rows += [f"{log['level']} {log['message']}" for log in one["logs"][-5:]]
    return "\n    ".join(rows)


def marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    """Those of a row: all run beside the other tests, and other settings of one driver are slow."""
    if name in VIRTUAL:
        return (pytest.mark.aside("stores"),)
    return (*BESIDE, pytest.mark.slow) if ":" in name else BESIDE


@pytest.mark.parametrize("name", [pytest.param(one, marks=marks(one)) for one in sorted(ROWS)])
def test_a_handler_does_not_notice_where_its_messages_lie(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    found = run(name, tmp_path)
    record_property(TOLD, [name, *found])
    assert not found.failed, "\n".join(found.failed)
    assert found.passed > 140
