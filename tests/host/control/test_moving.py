"""Messages whose queue is gone: they are named wherever one looks, and brought over."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.clock import SystemClock
from moonq.control import asking
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.errors import QueueFull, Unavailable
from moonq.host import Host
from moonq.model import UNCOUNTED, Message, QueueSpec
from moonq.operations import choosing, leaving
from moonq.operations.performing import Operations

from ..conftest import MakeHost, until

Moonq = Callable[..., Any]

FILES = """
  - {name: file, kind: queue.driver.sqlite, path: jobs.db, durability: normal, ballast_mb: 0}
  - {name: other, kind: queue.driver.sqlite, path: other.db, durability: normal, ballast_mb: 0}
"""
BEFORE = FILES + "  - {name: orders, kind: queue.queue, driver: file}\n"
RENAMED = FILES + "  - {name: sales, kind: queue.queue, driver: file}\n"
MOVED = FILES + "  - {name: orders, kind: queue.queue, driver: other}\n"
IN_MEMORY = FILES + "  - {name: orders, kind: queue.queue, driver: memory}\n"
HEAD = "namespace: app\nentries:\n  - {name: memory, kind: queue.driver.memory}\n"


@pytest.fixture(autouse=True)
def server() -> None:
    """Where a host is needed the tests make it themselves."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def leave(project: Path, *names: str, queue: str = "app:orders", **fields: Any) -> None:
    """Leave messages in `jobs.db`, as a host did that has ended."""
    driver = SqliteDriver(SystemClock(), project / "jobs.db", durability="normal", ballast_mb=0)
    driver.open(lambda event: None)
    driver.declare(QueueSpec(queue, dead_letter=f"{queue}.dead"))
    driver.publish(queue, [Message(name, b"1", 0.0, **fields) for name in names], 5.0)
    driver.close()


def bury(project: Path, name: str) -> None:
    """Leave a dead letter of `app:orders`."""
    leave(project, name)
    driver = SqliteDriver(SystemClock(), project / "jobs.db", durability="normal", ballast_mb=0)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("app:orders", dead_letter="app:orders.dead", ttl=0.0))
    stored = driver.waiting("app:orders", 1)
    header = {"x_original_queue": "app:orders", "x_dead_letter_reason": "rejected"}
    letter = stored[0]._replace(message=stored[0].message._replace(headers=header))
    driver.adopt("app:orders.dead", [letter], "app:orders")
    driver.close()


def test_messages_of_a_renamed_queue_are_named_wherever_one_looks(
    moonq: Moonq, project: Path
) -> None:
    leave(project, "a", "b", "c")
    (project / "_index.yaml").write_text(HEAD + RENAMED)
    sentence = "3 messages lie in app:orders at app:file, which no queue declares"
    hint = "moonq move app:orders"
    checked = moonq("check", "-C", project)
    assert (checked.code, sentence in checked.out, hint in checked.out) == (0, True, True)
    assert moonq("check", "--strict", "-C", project).code == 1
    ran = moonq("run", "-C", project, "--until-idle", "--log", "pretty")
    assert (ran.code, sentence in ran.err, hint in ran.err) == (0, True, True)
    listed = moonq("queues", "-C", project)
    assert "3 messages in app:orders at app:file, which no queue declares" in listed.err
    told = json.loads(moonq("queues", "--json", "-C", project).out)
    assert told["orphans"] == [{"queue": "app:orders", "driver": "app:file", "messages": 3}]
    looked = moonq("doctor", "-C", project)
    assert (sentence in looked.out, hint in looked.out) == (True, True)


def test_a_project_whose_queues_are_all_declared_is_told_nothing(
    moonq: Moonq, project: Path
) -> None:
    leave(project, "a")
    bury(project, "b")
    (project / "_index.yaml").write_text(HEAD + BEFORE)
    assert "declares" not in moonq("check", "-C", project).out
    assert "orphans" not in json.loads(moonq("queues", "--json", "-C", project).out)


def test_a_look_changes_nothing_on_the_disk(moonq: Moonq, project: Path) -> None:
    leave(project, "a")
    (project / "_index.yaml").write_text(HEAD + RENAMED)
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    moonq("check", "-C", project)
    moonq("doctor", "-C", project)
    # What a check writes for editors lies below `.moonq`.
    after = {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}
    assert after == before


def test_a_renamed_queue_gets_its_messages_back(moonq: Moonq, project: Path) -> None:
    leave(project, "a", "b")
    leave(project, "late", delay=3600.0)
    (project / "_index.yaml").write_text(HEAD + RENAMED)
    would = moonq("move", "orders", "sales", "--dry-run", "-C", project)
    assert (would.code, would.out) == (0, "would move 3 messages from app:orders to app:sales\n")
    asked = moonq("move", "orders", "sales", "-C", project)
    assert (asked.code, "--yes" in asked.err) == (7, True)
    moved = moonq("move", "orders", "sales", "--yes", "-C", project)
    assert (moved.code, moved.out) == (0, "moved 3 messages from app:orders to app:sales\n")
    shown = json.loads(moonq("peek", "sales", "--json", "-C", project).out)["messages"]
    assert [(one["id"], one["state"]) for one in shown] == [
        ("a", "ready"), ("b", "ready"), ("late", "delayed"),
    ]  # fmt: skip
    assert "orphans" not in json.loads(moonq("queues", "--json", "-C", project).out)


def test_a_queue_that_went_to_another_driver_gets_its_messages_back(
    moonq: Moonq, project: Path
) -> None:
    """The name is declared: what is meant is what lies at the other driver."""
    leave(project, "a", "b")
    (project / "_index.yaml").write_text(HEAD + MOVED)
    checked = moonq("check", "-C", project)
    assert "moonq move app:orders app:orders --driver app:file" in checked.out
    args = ("move", "app:orders", "app:orders", "--driver", "app:file", "--yes", "-C", project)
    assert moonq(*args).code == 0
    assert [one["id"] for one in peeked(moonq, project)] == ["a", "b"]
    again = moonq(*args)
    assert (again.code, "no messages of app:orders lie at app:file" in again.err) == (4, True)


def peeked(moonq: Moonq, project: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(moonq("peek", "orders", "--json", "-C", project).out)[
        "messages"
    ]
    return found


def test_dead_letters_of_a_queue_that_is_gone_live_again_in_the_new_one(
    moonq: Moonq, project: Path
) -> None:
    bury(project, "a")
    (project / "_index.yaml").write_text(HEAD + RENAMED)
    args = ("move", "app:orders.dead", "app:sales.dead", "--yes", "-C", project)
    assert moonq(*args).code == 0
    assert moonq("dead", "retry", "sales", "--yes", "-C", project).code == 0
    shown = json.loads(moonq("peek", "sales", "--json", "-C", project).out)["messages"]
    assert [one["id"] for one in shown] == ["a"]


def test_dead_letters_go_along_and_belong_to_the_new_queue_then(
    moonq: Moonq, project: Path
) -> None:
    """Also where both queues are at one driver: another life of theirs is in the new one."""
    bury(project, "a")
    leave(project, "b")
    (project / "_index.yaml").write_text(
        HEAD + BEFORE + "  - {name: sales, kind: queue.queue, driver: file}\n"
    )
    moved = moonq("move", "orders", "sales", "--yes", "-C", project)
    assert moved.out == "moved 1 message and 1 dead letter from app:orders to app:sales\n"
    assert moonq("dead", "retry", "sales", "--yes", "-C", project).code == 0
    shown = json.loads(moonq("peek", "sales", "--json", "-C", project).out)["messages"]
    assert sorted(one["id"] for one in shown) == ["a", "b"]


def test_what_is_misspelt_is_answered_with_what_was_meant(moonq: Moonq, project: Path) -> None:
    leave(project, "a")
    (project / "_index.yaml").write_text(HEAD + RENAMED)
    said = moonq("move", "ordres", "sales", "--yes", "-C", project)
    assert (said.code, "did you mean 'orders'?" in said.err) == (4, True)
    said = moonq("move", "orders", "slaes", "--yes", "-C", project)
    assert (said.code, "sales" in said.err.partition("hint")[2]) == (4, True)
    said = moonq("move", "sales", "sales", "--yes", "-C", project)
    assert (said.code, "no messages of sales lie outside of app:sales" in said.err) == (4, True)
    said = moonq("move", "sales", "sales.dead", "--driver", "other", "--yes", "-C", project)
    assert (said.code, "no messages of sales lie at other" in said.err) == (4, True)


# On a running host


@pytest.fixture
def operations(make_host: MakeHost, project: Path) -> Callable[[str], Operations]:
    def make(entries: str) -> Operations:
        host: Host = make_host(entries)
        return Operations(host, "console:tester")

    return make


def ids(operations: Operations, queue: str) -> list[str]:
    return [one["id"] for one in operations.peek(queue=queue, limit=1000)["messages"]]


BOTH = (
    BEFORE
    + """
  - {name: quick, kind: queue.queue, driver: memory}
  - {name: far, kind: queue.queue, driver: other}
  - {name: small, kind: queue.queue, driver: other, options: {max_length: 2}}
"""
)


@pytest.mark.parametrize(
    "road", [("orders", "quick"), ("quick", "orders"), ("orders", "far"), ("far", "orders")]
)
def test_a_move_goes_between_any_two_drivers(
    operations: Callable[[str], Operations], road: tuple[str, str]
) -> None:
    source, target = road
    here = operations(BOTH)
    options = [{"id": "low", "priority": "low"}, {"id": "g1", "group": "g"}, {"id": "g2"},
               {"id": "late", "delay": 3600}, {"id": "keyed", "dedup_key": "k"}]  # fmt: skip
    here.publish(queue=source, messages=[{"json": "1", "options": one} for one in options])
    before = {one["id"]: one for one in here.peek(queue=source)["messages"]}
    assert here.move(source=source, target=target)["moved"] == 5
    assert ids(here, source) == []
    after = {one["id"]: one for one in here.peek(queue=target)["messages"]}
    assert set(after) == set(before)
    for name, one in after.items():
        for key in ("state", "attempt", "priority", "headers", "published_at", "group"):
            assert one.get(key) == before[name].get(key)
    assert after["late"]["due"] == pytest.approx(before["late"]["due"], abs=1)
    assert not here.queues()["queues"][0]["paused"]


def test_a_driver_that_counts_nothing_is_moved_whole(
    operations: Callable[[str], Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = operations(BOTH)
    monkeypatch.setattr(leaving, "STEP", 2)
    here.publish(queue="orders", messages=[{"json": "1"}] * 5)
    monkeypatch.setattr(SqliteDriver, "info", lambda self, queue: UNCOUNTED)
    would = here.move(source="orders", target="far", dry_run=True)
    assert (would["left"], would["at_work"]) == (5, None)
    assert here.move(source="orders", target="far")["moved"] == 5


def test_what_breaks_off_in_the_middle_is_there_twice_until_the_move_is_repeated(
    operations: Callable[[str], Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two drivers: each part is stored in the new place before it leaves the old one."""
    here = operations(BOTH)
    names = [f"m{n}" for n in range(10)]
    here.publish(
        queue="orders", messages=[{"json": "1", "options": {"id": name}} for name in names]
    )
    monkeypatch.setattr(leaving, "STEP", 4)
    purge, calls = SqliteDriver.purge, []

    def breaks(driver: SqliteDriver, queue: str, which: Any = None) -> int:
        calls.append(queue)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return purge(driver, queue, which)

    monkeypatch.setattr(SqliteDriver, "purge", breaks)
    with pytest.raises(KeyboardInterrupt):
        here.move(source="orders", target="far")
    monkeypatch.setattr(SqliteDriver, "purge", purge)
    assert ids(here, "orders") == names[4:]
    assert ids(here, "far") == names[:8]
    assert not here.peek(queue="orders")["info"]["paused"]
    again = here.move(source="orders", target="far")
    assert (again["moved"], again["duplicates"]) == (6, 4)
    assert ids(here, "far") == names


KILLED = """
import os, signal, sys
from pathlib import Path
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.host import Host
from moonq.kinds import load
from moonq.operations.performing import Operations

SqliteDriver.purge = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
host = Host(load(Path(sys.argv[1])))
host.start(consumers=False)
Operations(host, "tester").move(source="app:orders", target="app:sales")
"""
BOTH_FILES = (
    FILES
    + """
  - {name: orders, kind: queue.queue, driver: file}
  - {name: sales, kind: queue.queue, driver: other}
"""
)


def test_a_move_that_was_killed_leaves_no_queue_paused(moonq: Moonq, project: Path) -> None:
    (project / "_index.yaml").write_text(HEAD + BOTH_FILES)
    leave(project, "a", "b")
    command = [sys.executable, "-c", KILLED, str(project)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL

    def queue(name: str) -> tuple[int, bool]:
        told = json.loads(moonq("queues", "--json", "-C", project).out)["queues"]
        [found] = [one for one in told if one["id"] == name]
        return found["ready"], found["paused"]

    until(lambda: queue("app:orders") == (2, False))
    assert queue("app:sales") == (2, False)


def test_a_full_queue_takes_what_it_has_room_for(
    operations: Callable[[str], Operations],
) -> None:
    here = operations(BOTH)
    messages = [{"json": "1", "options": {"id": name}} for name in "abc"]
    here.publish(queue="orders", messages=messages)
    found = here.move(source="orders", target="small")
    assert (found["moved"], found["left"]) == (2, 1)
    with pytest.raises(QueueFull):
        here.move(source="orders", target="small")
    assert (ids(here, "orders"), ids(here, "small")) == (["c"], ["a", "b"])


SMALL = BEFORE + "  - {name: small, kind: queue.queue, driver: other, options: {max_length: 2}}\n"


def test_a_move_that_the_target_ends_says_what_was_done(moonq: Moonq, project: Path) -> None:
    """Whether it ends in the first request, or in a later one."""
    (project / "_index.yaml").write_text(HEAD + SMALL)
    leave(project, "a", "b", "c")
    found = moonq("move", "orders", "small", "--yes", "-C", project)
    assert (found.code, found.out.splitlines()[0]) == (
        1, "moved 2 messages from app:orders to app:small",
    )  # fmt: skip
    assert "1 is left: queue 'app:small' is full" in found.out
    again = moonq("move", "orders", "small", "--yes", "-C", project)
    assert (again.code, "queue 'app:small' is full" in again.err) == (1, True)


def test_a_move_that_breaks_off_says_how_far_it_came(
    moonq: Moonq, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "_index.yaml").write_text(HEAD + BOTH_FILES)
    leave(project, "a", "b", "c")
    monkeypatch.setattr(asking, "BIT", 1)
    adopt, calls = SqliteDriver.adopt, []

    def breaks(driver: SqliteDriver, queue: str, stored: Any, *more: Any, **named: Any) -> Any:
        calls.append(queue)
        if len(calls) == 3:
            raise Unavailable("the disk is away")
        return adopt(driver, queue, stored, *more, **named)

    monkeypatch.setattr(SqliteDriver, "adopt", breaks)
    found = moonq("move", "orders", "sales", "--yes", "-C", project)
    assert found.code == Unavailable.exit_code
    assert "moved at least 2 of 3 before it broke off" in found.err
    assert "the disk is away" in found.err


def test_messages_that_went_are_told_though_their_dead_letters_did_not(
    operations: Callable[[str], Operations], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = operations(BOTH_FILES)
    bury(project / "0", "dead")
    here.publish(queue="orders", messages=[{"json": "1"}] * 2)
    adopt = SqliteDriver.adopt

    def breaks(driver: SqliteDriver, queue: str, *more: Any, **named: Any) -> Any:
        if queue.endswith(".dead"):
            raise Unavailable("the disk is away")
        return adopt(driver, queue, *more, **named)

    monkeypatch.setattr(SqliteDriver, "adopt", breaks)
    found = here.move(source="orders", target="sales")
    assert (found["moved"], found["moved_dead"], found["left_dead"]) == (2, 0, 1)
    assert (found["why"], found["broke_off"]) == ("the disk is away", True)


def test_a_queue_that_a_reload_has_removed_is_known_still(
    make_host: MakeHost, tmp_path: Path
) -> None:
    """Its messages lie in the memory of the host that goes on."""
    host = make_host("  - {name: old, kind: queue.queue, driver: memory}\n")
    here = Operations(host, "console:tester")
    here.publish(queue="old", messages=[{"json": "1", "options": {"id": "a"}}])
    index = host.project.root / "_index.yaml"
    index.write_text(HEAD + "  - {name: new, kind: queue.queue, driver: memory}\n")
    host.reload()
    assert here.queues()["orphans"] == [{"queue": "app:old", "driver": "app:memory", "messages": 1}]
    assert here.move(source="old", target="new")["moved"] == 1
    assert ids(here, "new") == ["a"]


def test_a_snapshot_is_taken_bit_by_bit_into_one_backup(
    operations: Callable[[str], Operations],
) -> None:
    here = operations(BOTH)
    names = [f"m{n}" for n in range(7)]
    here.publish(
        queue="orders", messages=[{"json": "1", "options": {"id": name}} for name in names]
    )
    taken = here.snapshot(queue="orders")["snapshot"]
    asked = {"snapshot": taken, "confirm": "app:orders", "most": 3}
    found = [here.purge(**asked) for _ in range(3)]
    assert [(one["dropped"], one["left"]) for one in found] == [(3, 4), (3, 1), (1, 0)]
    assert len({one["backup"] for one in found}) == 1
    lines = Path(found[0]["backup"]).read_text().splitlines()
    assert [json.loads(line)["options"]["id"] for line in lines] == names


def test_a_purge_costs_what_it_drops_and_no_more(
    operations: Callable[[str], Operations], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as many messages are twice as much work, not four times."""
    here = operations(BOTH)
    rows: list[int] = []
    waiting = SqliteDriver.waiting

    def counted(driver: SqliteDriver, queue: str, limit: int, after: int = 0) -> Any:
        found = waiting(driver, queue, limit, after)
        rows.append(len(found))
        return found

    monkeypatch.setattr(SqliteDriver, "waiting", counted)
    monkeypatch.setattr(choosing, "STEP", 50)
    for count in (200, 400):
        rows.clear()
        here.publish(queue="orders", messages=[{"json": "1"}] * count)
        taken = here.snapshot(queue="orders")["snapshot"]
        asked = {"snapshot": taken, "confirm": "app:orders", "most": 50}
        while here.purge(**asked)["left"]:
            pass
        assert sum(rows) == count


# Dead letters

GRAVES = (
    FILES
    + """
  - {name: jobs, kind: queue.queue, driver: file}
  - {name: jobs.dead, kind: queue.queue, driver: file, dead_letter: none}
  - {name: mails, kind: queue.queue, driver: file, dead_letter: {queue: graveyard}}
  - {name: bills, kind: queue.queue, driver: file, dead_letter: {queue: graveyard}}
  - {name: graveyard, kind: queue.queue, driver: file}
  - {name: c1, kind: queue.consumer, queue: jobs, func: bad}
  - {name: c2, kind: queue.consumer, queue: mails, func: bad}
  - {name: c3, kind: queue.consumer, queue: bills, func: bad}
  - name: bad
    kind: function.lua
    source: 'return function() return nil, errors.new({message = "no", retryable = false}) end'
"""
)


@pytest.fixture
def graves(moonq: Moonq, make_host: MakeHost) -> Path:
    host = make_host(GRAVES)
    here = Operations(host, "console:tester")
    for queue in ("jobs", "mails", "mails", "bills"):
        here.publish(queue=queue, messages=[{"json": "1"}])
    until(lambda: sum(one["count"] for one in here.dead_queues()["queues"]) == 4)
    host.stop()
    return host.project.root


def test_dead_letters_in_a_queue_of_their_own_are_listed_without_a_host(
    moonq: Moonq, graves: Path
) -> None:
    assert "1 dead letter in app:jobs.dead" in moonq("dead", "ls", "jobs", "-C", graves).out
    assert "1 dead letter in app:jobs.dead" in moonq("dead", "ls", "jobs.dead", "-C", graves).out


def test_a_shared_queue_of_dead_letters_shows_all_of_them(moonq: Moonq, graves: Path) -> None:
    assert "3 dead letters in app:graveyard" in moonq("dead", "ls", "graveyard", "-C", graves).out
    assert "2 dead letters in app:graveyard" in moonq("dead", "ls", "mails", "-C", graves).out


def test_a_retry_says_where_to_and_what_stays_dead(moonq: Moonq, graves: Path) -> None:
    index = graves / "_index.yaml"
    index.write_text(index.read_text().replace("bills", "invoices"))
    said = moonq("dead", "retry", "graveyard", "--yes", "-C", graves)
    assert "back to where each came from" in said.err
    assert said.out.splitlines()[1].startswith("1 still dead: a queue that is full or gone")
    assert said.code == 0


def test_dead_alone_says_which_queues_have_any(moonq: Moonq, graves: Path) -> None:
    said = moonq("dead", "-C", graves)
    assert [line.split() for line in said.out.splitlines()] == [
        ["queue", "dead", "in"],
        ["app:mails", "2", "app:graveyard"],
        ["app:bills", "1", "app:graveyard"],
        ["app:jobs", "1", "app:jobs.dead"],
    ]
    assert moonq("dead", "nosuch", "-C", graves).code == 2


# What cannot be opened


@pytest.mark.parametrize("command", ["peek jobs", "publish jobs 1", "dead ls jobs", "dead"])
def test_a_file_that_cannot_be_opened_is_named_at_once(
    moonq: Moonq, project: Path, command: str
) -> None:
    (project / "_index.yaml").write_text(HEAD + GRAVES)
    (project / "jobs.db").mkdir()
    head, *more = command.split()
    said = moonq(head, *more, "-C", project)
    assert said.code == 5
    assert "jobs.db is a folder, where the driver's file should be" in said.err
    assert "does not exist" not in said.err


def test_a_publish_into_a_driver_that_is_down_says_why_and_works_once_it_is_up(
    make_host: MakeHost, tmp_path: Path
) -> None:
    """Its queue is known from the start: what was asked for is no mistake of the name."""
    place = tmp_path / "place"
    place.mkdir()
    host = make_host(
        f"  - {{name: file, kind: queue.driver.sqlite, path: {place}, ballast_mb: 0,\n"
        "     lifecycle: {restart: {initial_delay: 10ms, max_delay: 10ms}}}\n"
        "  - {name: jobs, kind: queue.queue, driver: file, publish_timeout: 0s}\n"
    )
    with pytest.raises(Unavailable, match="is a folder, where the driver's file should be"):
        host.queues.publish(b"app:jobs", b"1")
    with pytest.raises(Unavailable, match="is a folder"):
        host.queues.info("app:jobs")
    place.rmdir()
    until(lambda: _is_up(host, "app:jobs"))
    assert host.queues.publish(b"app:jobs", b"1")


def _is_up(host: Host, name: str) -> bool:
    managed = host.supervisor.get(name)
    return managed is not None and managed.state == "running"
