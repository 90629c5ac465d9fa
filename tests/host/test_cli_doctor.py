"""`moonq doctor --driver`: the conformance suite in a user's hands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.conformance import CASES
from moonq.conformance.holding import hold
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.memory.subscription import MemorySubscription

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: file, kind: queue.driver.sqlite, path: data/jobs.db, durability: normal}
  - {name: jobs, kind: queue.queue, driver: file}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX, encoding="utf-8")
    return tmp_path


def test_a_good_driver_keeps_every_case(moonq: Callable[..., Any], project: Path) -> None:
    code, out, err = moonq("doctor", "--driver", "mem", "-C", project)
    assert code == 0
    assert f"keeps {len(CASES)} of {len(CASES)} cases" in err
    assert "messages outlive the process   no\n" in out
    assert "✓ settling" in out


def test_the_suite_runs_beside_the_file_and_leaves_nothing(
    moonq: Callable[..., Any], project: Path
) -> None:
    code, out, _ = moonq("doctor", "--driver", "app:file", "-C", project, "--json")
    answer = json.loads(out)
    assert (code, answer["failed"], answer["cases"]) == (0, [], len(CASES))
    assert answer["schema"] == "moonq.doctor/1"
    assert answer["capabilities"]["durable"] == "native"
    assert [path.name for path in (project / "data").iterdir()] == []


def test_what_is_no_driver_is_refused_with_those_there_are(
    moonq: Callable[..., Any], project: Path
) -> None:
    code, _, err = moonq("doctor", "--driver", "jobs", "-C", project)
    assert code == 4
    assert "app:mem, app:file" in err


def test_a_driver_that_breaks_the_contract_is_told_which_clause(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemorySubscription, "start", lambda self, delivery: True)
    code, out, _ = moonq("doctor", "--driver", "mem", "-C", project, "--json")
    failed = {one["case"]: one for one in json.loads(out)["failed"]}
    assert code == 1
    problem = failed["settling.a_delivery_starts_once"]
    assert problem["clause"].startswith("§1 I5")
    assert "assert not consumer.subscription.start(delivery)" in problem["problem"]
    assert len(failed) < len(CASES)


def test_a_driver_that_cannot_even_begin_fails_every_case_and_ends() -> None:
    def broken(clock: Any) -> MemoryDriver:
        raise OSError("no such device")

    findings = list(hold(lambda number: broken))
    assert all("no such device" in finding.problem for finding in findings)


def test_without_assertions_nothing_is_proved(project: Path) -> None:
    command = [sys.executable, "-O", "-m", "moonq", "doctor", "--driver", "mem", "-C", project]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "assertions are off" in done.stderr
