from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Moonq = Callable[..., Any]

GOOD = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - {name: work, kind: function.lua, source: return function() end}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
"""
WRONG = GOOD.replace("driver: mem}", "driver: mme}")
UNUSED = (
    GOOD + "  - {name: f, kind: function.lua, source: return function() end, modules: [json]}\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "_index.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_sound_project_is_said_to_be_so(moonq: Moonq, project: Callable[[str], Path]) -> None:
    said = moonq("check", project(GOOD))
    assert said.code == 0
    assert said.out.startswith("checked 4 entries in ")
    assert said.out.endswith(": no errors\n")


def test_an_error_is_shown_with_its_frame_and_ends_with_1(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    said = moonq("check", "--project", project(WRONG))
    assert said.code == 1
    assert "error[R202]" in said.out
    assert "_index.yaml:4:45" in said.out
    assert "did you mean `mem`" in said.out
    assert said.out.endswith("1 error\n")


def test_json_carries_every_finding(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(WRONG)
    said = moonq("check", folder, "--json")
    document = json.loads(said.out)
    assert said.code == 1
    assert (document["schema"], document["errors"]) == ("moonq.check/1", 1)
    assert (document["findings"][0]["line"], document["findings"][0]["code"]) == (4, "R202")
    assert moonq("check", folder, "--format", "json").out == said.out


def test_a_warning_counts_only_when_strict(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(UNUSED)
    assert moonq("check", folder).code == 0
    strict = moonq("check", folder, "--strict")
    assert strict.code == 1
    assert "1 warning" in strict.out


def test_colour_is_there_when_asked_for(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(WRONG)
    assert "\x1b[" not in moonq("check", folder).out
    assert "\x1b[" in moonq("check", folder, "--color", "always").out


def test_a_folder_without_a_project_is_said_so(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("check", tmp_path)
    assert said.code == 1
    assert "moonq new" in said.out + said.err


def test_a_path_that_does_not_exist_is_said_so(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("check", tmp_path / "nowhere")
    assert said.code == 1
    assert "nowhere" in said.out + said.err
