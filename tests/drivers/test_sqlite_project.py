"""The SQLite driver as a project declares it."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.clock import SystemClock
from moonq.drivers.sqlite.entry import SqliteFields
from moonq.host import Host
from moonq.kinds import inspect, load

INDEX = """\
namespace: app
entries:
  - {{name: file, kind: queue.driver.sqlite{driver}}}
  - {{name: jobs, kind: queue.queue, driver: file{queue}}}
  - {{name: publish, kind: function.lua, modules: [queue], source: "{source}"}}
"""
PUBLISH = "return function() return require('queue').publish('app:jobs', 1) end"


def write(folder: Path, driver: str = "", queue: str = "") -> Path:
    text = INDEX.format(driver=driver, queue=queue, source=PUBLISH)
    (folder / "_index.yaml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_word_the_file_is_durable_and_below_the_project(tmp_path: Path) -> None:
    fields = load(write(tmp_path)).resolve("file").fields(SqliteFields)
    assert (fields.path, fields.durability) == (".moonq/queues.db", "full")
    assert (fields.ballast_mb, fields.min_free_mb) == (16, 0)


def test_the_path_is_that_of_the_project_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(tmp_path)
    host = Host(load(write(project, ", path: data/q.db, ballast_mb: 0")), SystemClock())
    host.start()
    assert host.call("app:publish").fault is None
    host.stop()
    assert (project / "data/q.db").exists()
    again = Host(load(project), SystemClock())
    again.start()
    assert again.queues.info("app:jobs").ready == 1
    again.stop()


@pytest.mark.parametrize(
    ("driver", "queue", "words"),
    [
        (', path: ":memory:"', "", "must name a file"),
        (", path: data/", "", "must name a file"),
        (", path: ''", "", "path"),
        (", durability: none", "", "durability"),
        (", ballast_mb: -1", "", "between 0 and 10000"),
        (", baltast_mb: 1", "", "ballast_mb"),
        (", url: sqlite://", "", "url"),
        ("", ", options: {durable: false}", "durable"),
        ("", ", options: {visibility: 30}", "visibility"),
    ],
)
def test_what_makes_no_sense_is_found_before_anything_starts(
    tmp_path: Path, driver: str, queue: str, words: str
) -> None:
    _, findings = inspect(write(tmp_path, driver, queue))
    assert [finding.severity for finding in findings] == ["error"]
    said = findings[0].message + " ".join(findings[0].helps)
    assert words in said


def test_a_queue_may_say_that_it_is_durable(tmp_path: Path) -> None:
    options = ", options: {durable: true, max_length: 5, overflow: block}"
    _, findings = inspect(write(tmp_path, "", options))
    assert list(findings) == []
