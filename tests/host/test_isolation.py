"""`isolation: process` at the command line: what holds, what the system lacks, and in tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.errors import Unavailable
from moonq.sandbox.process.children import CHILDREN, Children

pytestmark = pytest.mark.aside("isolation")
Moonq = Callable[..., Any]
INDEX = """\
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: tasks, func: handler}
  - {name: handler, kind: function.lua, isolation: process, source: file://handler.lua}
"""
TEST = """
local test = require("test")

test.it("is run beside its stubs and clock", function()
  test.queue("app:tasks"):publish(1)
  test.eq(#test.queue("app:tasks"):drain().acked, 1)
end)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (tmp_path / "handler.lua").write_text("return function(n) return n end", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_doctor_says_what_a_process_is_held_to(moonq: Moonq, project: Path) -> None:
    found = json.loads(moonq("doctor", "--json").out)["isolation"]
    assert found["entries"] == ["app:worker", "app:handler"]
    assert {"address space", "cpu time", "no core dumps"} <= {*found["walls"], *found["lacks"]}


def test_doctor_says_what_the_system_refuses(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Children, "lacks", lambda _: ["no network: Operation not permitted"])
    said = moonq("doctor")
    assert said.code == 0
    assert "isolation  app:worker, app:handler: no capabilities · " in said.out
    assert "  not here: no network (Operation not permitted)\n" in said.out


def test_doctor_fails_where_no_process_can_be_started(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Children) -> list[str]:
        raise Unavailable("no process can be started for a worker: no room")

    monkeypatch.setattr(Children, "lacks", fail)
    said = moonq("doctor")
    assert said.code == 1
    assert "app:handler: no process can be started for a worker: no room" in said.out


def test_a_call_by_hand_runs_in_a_process_too(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[object] = []
    spawn = CHILDREN.spawn
    monkeypatch.setattr(CHILDREN, "spawn", lambda: spawned.append(1) or spawn())
    assert moonq("call", "handler", "5").out.startswith("returned     5\n")
    assert len(spawned) == 1


def test_tests_need_no_process(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CHILDREN, "spawn", lambda: pytest.fail("a process was started"))
    (project / "handler_test.lua").write_text(TEST, encoding="utf-8")
    assert moonq("test").code == 0


@pytest.mark.parametrize(
    ("function", "consumer", "holds"),
    [("process", "", "process"), ("process", "thread", "thread"), ("", "process", "process")],
)
def test_the_word_of_a_consumer_goes_before_that_of_its_function(
    moonq: Moonq, project: Path, function: str, consumer: str, holds: str
) -> None:
    text = INDEX.replace("isolation: process, ", f"isolation: {function}, " if function else "")
    text = text.replace(
        "func: handler", "func: handler" + f", isolation: {consumer}" * bool(consumer)
    )
    (project / "_index.yaml").write_text(text, encoding="utf-8")
    assert json.loads(moonq("show", "worker", "--json").out)["fields"]["isolation"] == holds


def test_another_word_is_refused_with_the_two_that_there_are(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(INDEX.replace("isolation: process", "isolation: proces"))
    said = moonq("check")
    assert said.code == 1
    assert "`isolation` must be `thread` or `process`" in said.out + said.err
    assert "did you mean `process`?" in said.out + said.err
