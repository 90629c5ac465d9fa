"""Where the addresses of a process are limited it works, or ends with a sentence."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.errors import Hopeless
from moonq.host import Host
from moonq.kinds import load
from moonq.run import room

MIB = 2**20
INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: mem}
  - {name: work, kind: function.lua, source: "return function() end", limits: {memory: 64MiB}}
  - {name: worker, kind: queue.consumer, queue: tasks, func: work, concurrency: 8}
"""
REFUSAL = "app:worker: 8 workers of 81M do not fit into the "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX)
    return tmp_path


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let so many bytes of addresses be allowed to a process that has 100 MiB of them."""
    allowed = [8192 * MIB]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed[0], resource.RLIM_INFINITY))
    monkeypatch.setattr(room, "_base", [100 * MIB])
    monkeypatch.setattr(room, "_taken", {})
    yield allowed
    assert room._taken == {}


def test_a_host_whose_workers_do_not_fit_does_not_start(project: Path, limit: list[int]) -> None:
    limit[0] = (100 + 128 + 8 * 81 - 1) * MIB
    host = Host(load(project))
    with pytest.raises(Hopeless, match=f"{REFUSAL}875M of addresses"):
        host.start()
    host.stop()


def test_a_host_whose_workers_just_fit_starts_and_gives_all_back(
    project: Path, limit: list[int]
) -> None:
    limit[0] = (100 + 128 + 8 * 81) * MIB
    host = Host(load(project))
    host.start()
    assert len(room._taken) == 1
    host.stop()


def test_a_reload_to_more_workers_than_fit_changes_nothing(project: Path, limit: list[int]) -> None:
    limit[0] = 2000 * MIB
    host = Host(load(project))
    host.start()
    (project / "_index.yaml").write_text(INDEX.replace("concurrency: 8", "concurrency: 20"))
    with pytest.raises(Hopeless, match="20 workers of 81M do not fit"):
        host.reload()
    assert host.consumers["app:worker"].settings.concurrency == 8
    host.stop()


def ended(project: Path, kilobytes: int) -> tuple[int, str]:
    run = f"ulimit -v {kilobytes}; exec {sys.executable} -m moonq run"
    done = subprocess.run(
        ["sh", "-c", run], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


def test_a_process_with_few_addresses_ends_with_a_sentence(project: Path) -> None:
    code, said = ended(project, 400_000)
    assert f"moonq: {REFUSAL}390.6M of addresses" in said
    assert "hint: raise the limit (`ulimit -v`), or lower `concurrency` or `limits.memory`" in said
    assert code == 5


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [*range(40_000, 140_000, 4_000), 200_000, 700_000])
def test_a_process_of_any_size_ends_with_a_sentence(project: Path, kilobytes: int) -> None:
    code, said = ended(project, kilobytes)
    assert code == 5
    assert "moonq: " in said
    assert "Traceback" not in said
