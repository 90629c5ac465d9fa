"""`moonq doctor --driver`: the conformance suite in a user's hands."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moonq import drivers
from moonq.cli import resting, surroundings
from moonq.clock import ManualClock
from moonq.conformance import CASES
from moonq.conformance.holding import Finding, hold
from moonq.control.locating import place_of
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.memory.subscription import MemorySubscription
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.errors import Refused, Unavailable
from moonq.model import Message, QueueSpec
from moonq.text.secrets import masked

pytestmark = pytest.mark.aside("tree")
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
    assert ["messages", "outlive", "the", "process", "no"] in [
        row.split() for row in out.splitlines()
    ]
    assert "✓ settling" in out


def test_a_case_that_was_kept_at_a_second_try_only_is_said(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [Finding(case, 0.1) for case in CASES[:3]]
    first[1] = replace(first[1], first="it took too long")
    monkeypatch.setattr("moonq.conformance.holding.hold", lambda *_: iter(first))
    code, out, err = moonq("doctor", "--driver", "mem", "-C", project)
    assert code == 0
    assert f"! {CASES[1]}: kept at the second try, alone" in out
    assert "it took too long" in out
    assert "keeps 3 of 3 cases" in err
    assert "; 1 tried twice" in err
    code, out, _ = moonq("doctor", "--driver", "mem", "-C", project, "--json")
    assert json.loads(out)["tried_twice"] == [
        {"case": str(CASES[1]), "problem": "it took too long"}
    ]


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
    assert "app:file, app:mem" in err


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


def test_a_broker_that_turns_us_away_is_asked_once(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knocks: list[int] = []

    def turned_away(*_: object) -> None:
        knocks.append(1)
        raise Refused("wrong password", hint="see to `password`")

    monkeypatch.setattr(MemoryDriver, "open", turned_away)
    said = moonq("doctor", "--driver", "mem", "-C", project)
    assert (said.code, said.err.splitlines()[0]) == (6, "moonq: wrong password")
    assert len(knocks) == 1


def test_why_a_case_failed_is_told_without_secrets(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("redis://ada:s3cret@host:6379/0 does not answer")

    monkeypatch.setattr(MemoryDriver, "open", away)
    for words in ((), ("--json",)):
        said = moonq("doctor", "--driver", "mem", "-C", project, *words)
        assert (said.code, "redis://ada:***@host:6379/0 does not answer" in said.out) == (1, True)


def test_without_assertions_nothing_is_proved(project: Path) -> None:
    command = [sys.executable, "-O", "-m", "moonq", "doctor", "--driver", "mem", "-C", project]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "assertions are off" in done.stderr


# What lies on the disk


def filled(project: Path, *, shrinks: bool = True) -> SqliteDriver:
    """The file of the project with 300 large messages, and room for as many."""
    path = project / "data/jobs.db"
    path.parent.mkdir()
    if not shrinks:
        plain = sqlite3.connect(path)
        plain.execute("PRAGMA auto_vacuum = NONE")
        plain.execute("CREATE TABLE gone(x)")
        plain.execute("DROP TABLE gone")
        plain.close()
    driver = SqliteDriver(ManualClock(), path, durability="normal", ballast_mb=0)
    driver.open(lambda event: None)
    for queue in ("app:jobs", "app:gone"):
        driver.declare(QueueSpec(queue))
        driver.publish(queue, [Message(str(n), b"x" * 20_000, 0.0) for n in range(300)], 5.0)
    driver.purge("app:gone")
    return driver


def test_a_look_says_how_large_a_file_is_and_why(moonq: Callable[..., Any], project: Path) -> None:
    driver = filled(project)
    said = moonq("doctor", "-C", project)
    assert said.code == 0
    assert "app:mem  queue.driver.memory  nothing on this disk" in said.out
    assert "bodies in app:jobs" in said.out
    assert "free pages" in said.out
    assert "given back to the disk while nobody publishes" in said.out
    driver.close()
    found = json.loads(moonq("doctor", "-C", project, "--json").out)
    (_, file) = found["drivers"]
    assert file["parts"]["bodies in app:jobs"] == 300 * 20_000
    assert sum(file["parts"].values()) <= file["size_bytes"]
    assert file["parts"]["free pages"] > 4_000_000


def test_a_look_says_what_the_project_stands_on(moonq: Callable[..., Any], project: Path) -> None:
    said = moonq("doctor", "-C", project)
    assert said.code == 0
    first, socket, disk, *_ = said.out.splitlines()
    assert first.startswith("moonq ")
    assert f"SQLite {sqlite3.sqlite_version}" in first
    assert socket == f"socket  {place_of(project).socket}  no host runs"
    assert disk.endswith(" free")
    assert "path data/jobs.db · durability normal" in said.out
    assert "not durable: it keeps messages in this process only" in said.out


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("url", "redis://ada:s3cr:t@p/0@host:6379/0", "s3cr"),
        ("url", "redis://ada:1:t@s3cret/0@host:6379/0", "s3cret"),
        ("url", "redis://ada:s3cret/a@host:6379/0", "s3cret"),
        ("url", "amqps://ada:s3cret@host/%2f?heartbeat=5", "s3cret"),
        ("url", "https://host/q?access_token=s3cret&region=x", "s3cret"),
        ("password", "s3cret", "s3cret"),
        (
            "tls",
            {"cert": "a.pem", "key_password": "s3cret", "more": [{"aws_secret": "s3cret"}]},
            "s3cret",
        ),
        ("token", 53, "53"),
    ],
)
def test_what_is_secret_in_a_setting_is_masked(name: str, value: Any, shown: str) -> None:
    told = json.dumps(masked(value, name))
    assert shown not in told
    assert "***" in told


def test_what_is_no_secret_is_shown_as_it_is() -> None:
    plain = {
        "url": "redis://127.0.0.1:6379/0",
        "keys": 3,
        "monkey": "x",
        "verify": True,
        "no": None,
    }
    assert masked(plain) == plain


def test_a_look_names_the_host_that_runs_and_a_socket_that_cannot_be_made(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(project)
    with place.claim():
        place.write_record({"pid": 4711, "project": "shop"})
        said = moonq("doctor", "-C", project).out.splitlines()
        assert f"socket  {place.socket}  running: pid 4711" in said
    aside = place_of(project, project / "aside.sock")
    with aside.claim():
        aside.write_record({"pid": 4712, "project": "shop"})
        said = moonq("doctor", "-C", project).out.splitlines()
        assert f"socket  {place.socket}  running: pid 4712 at {aside.socket}" in said
    locked = SimpleNamespace(access=lambda path, mode: False, W_OK=2, X_OK=1)
    monkeypatch.setattr(surroundings, "os", locked)
    said = moonq("doctor", "-C", project)
    assert (said.code, "no socket can be made: " in said.out) == (1, True)


def test_a_file_in_the_place_of_the_folder_of_the_socket_is_named(
    moonq: Callable[..., Any], project: Path
) -> None:
    (project / ".moonq").touch()
    said = moonq("doctor", "-C", project)
    assert (said.code, f"{project / '.moonq'} is no folder" in said.out) == (1, True)


def test_two_of_them_do_not_try_the_drivers_of_one_project_at_once(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.open(project, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    monkeypatch.chdir(project)
    said = moonq("doctor", "--driver", "mem")
    os.close(other)
    assert said.code == 5
    assert f"another `moonq doctor` tries out a driver of {project.name}\n" in said.err


def test_a_broker_that_does_not_answer_is_said_and_ends_with_1(
    moonq: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(fields: Any, root: Path) -> str:
        raise Unavailable("redis://ada:s3cret@host does not answer", hint="start it")

    memory = drivers.descriptor("queue.driver.memory")
    inner = drivers.descriptor

    def with_reach(reach: Any) -> Any:
        return lambda kind: replace(memory, reach=reach) if kind == memory.kind else inner(kind)

    monkeypatch.setattr(resting, "descriptor", with_reach(away))
    said = moonq("doctor", "-C", project)
    assert said.code == 1
    assert "app:mem  queue.driver.memory  redis://ada:***@host does not answer" in said.out
    assert "hint: start it" in said.out
    monkeypatch.setattr(resting, "descriptor", with_reach(lambda fields, root: "Redis 7.0, AOF"))
    assert "app:mem  queue.driver.memory  Redis 7.0, AOF" in moonq("doctor", "-C", project).out


def test_an_old_file_is_made_anew_and_can_shrink_then(
    moonq: Callable[..., Any], project: Path
) -> None:
    driver = filled(project, shrinks=False)
    said = moonq("doctor", "--driver", "file", "--compact", "-C", project)
    assert (said.code, "in use by a host" in said.err) == (1, True)
    driver.close()
    assert "keeps its size" in moonq("doctor", "-C", project).out
    found = json.loads(
        moonq("doctor", "--driver", "file", "--compact", "--json", "-C", project).out
    )
    assert found["after_bytes"] < found["before_bytes"] * 2 / 3
    assert "keeps its size" not in moonq("doctor", "-C", project).out
    assert json.loads(moonq("peek", "jobs", "--json", "-C", project).out)["info"]["ready"] == 300


def test_a_place_that_cannot_be_looked_at_is_named_and_the_rest_is_told(
    moonq: Callable[..., Any], project: Path
) -> None:
    text = INDEX.replace("data/jobs.db", "long" * 100)
    (project / "_index.yaml").write_text(text, encoding="utf-8")
    said = moonq("doctor", "-C", project)
    assert (said.code, "File name too long" in said.out) == (1, True)
    assert "app:mem  queue.driver.memory" in said.out
    assert moonq("check", "-C", project).code == 0


@pytest.mark.parametrize("what", ["a folder", "damaged", "database of another program"])
def test_a_file_that_cannot_be_read_is_said_to_be(
    moonq: Callable[..., Any], project: Path, what: str
) -> None:
    path = project / "data/jobs.db"
    path.parent.mkdir()
    if what == "a folder":
        path.mkdir()
    elif what == "damaged":
        path.write_bytes(b"no database at all, but long enough " * 100)
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs(x)")
        other.close()
    said = moonq("doctor", "-C", project)
    assert (said.code, what in said.out) == (1, True)
    assert moonq("check", "-C", project).code == 0
