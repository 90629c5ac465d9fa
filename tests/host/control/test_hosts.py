"""Several hosts of one project: which of them a command is about, and what they say together."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from moonq.client import Client as Program
from moonq.control import hosts
from moonq.control.client import Client, Subscription, connect
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.control.together import together
from moonq.errors import AlreadyRunning, NoHost, SeveralHosts, StopTimeout
from moonq.host import Host
from moonq.kinds import load

from ..conftest import until

INDEX = """\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite, ballast_mb: 0, durability: normal}
  - {name: memory, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: file}
  - {name: notes, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, concurrency: 2}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [time]}
"""
#: What a new version has besides.
MORE = """\
  - {name: more, kind: queue.queue, driver: file}
  - {name: helper, kind: queue.consumer, queue: more, func: work}
"""
WORK = "return function(job) require('time').sleep(job.seconds or 0) end"
Moonq = Callable[..., Any]


class Fleet:
    """Hosts of one project in this process, each with its socket."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.running: dict[str, tuple[Host, Server]] = {}

    def start(self, name: str, root: Path | None = None) -> Host:
        root = root or self.root
        place = place_of(root, name=name)
        host = Host(load(root), name=place.name)
        server = Server(host, place, lambda _: self._end_soon(name))
        server.claim()
        host.start()
        server.listen()
        self.running[name] = (host, server)
        return host

    def end(self, name: str) -> None:
        host, server = self.running.pop(name)
        with suppress(StopTimeout):
            host.stop(timeout=2)
        server.stop()

    def _end_soon(self, name: str) -> None:
        threading.Thread(target=self.end, args=(name,)).start()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "_index.yaml").write_text(INDEX)
    (root / "work.lua").write_text(WORK)
    fleet = Fleet(root)
    yield fleet
    for name in list(fleet.running):
        fleet.end(name)


@pytest.fixture
def two(fleet: Fleet) -> Fleet:
    """A fleet of blue and green."""
    fleet.start("blue")
    fleet.start("green")
    return fleet


@pytest.fixture
def shop(fleet: Fleet, moonq: Moonq) -> Moonq:
    """Run a command on the project."""

    def run(command: str, *args: object) -> Any:
        return moonq(*command.split(), "-C", fleet.root, *args)

    return run


# Names ----------------------------------------------------------------------------------------


def test_a_host_without_a_name_is_where_it_has_always_been(fleet: Fleet) -> None:
    place = place_of(fleet.root)
    assert place.socket == fleet.root / ".moonq" / "run" / "host.sock"
    assert place_of(fleet.root, name="host") == place
    assert place.name == "host"


def test_a_name_that_is_taken_is_refused_with_what_to_type(two: Fleet) -> None:
    with pytest.raises(AlreadyRunning) as raised:
        two.start("blue")
    assert f"a host of shop is called 'blue' already (pid {os.getpid()})" in raised.value.message
    assert "moonq stop --host blue" in raised.value.hint
    assert [one.name for one in hosts.running(two.root)] == ["blue", "green"]


@pytest.mark.parametrize("name", ["", "a b", "../up", "-x", "x" * 41, "ä"])
def test_a_name_is_refused_that_would_be_no_file(shop: Moonq, name: str) -> None:
    said = shop("run", "--name", name)
    assert said.code == 2
    assert "a name begins with a letter or digit" in said.err


def test_a_name_is_refused_that_would_be_taken_for_a_pid(shop: Moonq) -> None:
    said = shop("run", "--name", "41877")
    assert said.code == 2
    assert "a name has a letter, for --host takes a number for a pid" in said.err


def test_what_a_killed_host_leaves_is_no_host(fleet: Fleet, shop: Moonq) -> None:
    place = place_of(fleet.root, name="blue")
    with place.claim():
        place.write_record({"pid": 1, "project": "shop"})
        record = place.record_file.read_text()
    place.record_file.write_text(record)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket))
    assert hosts.running(fleet.root) == []
    fleet.start("green")
    assert shop("reload").code == 0, "green is the only one"
    fleet.start("blue")
    assert [one.name for one in hosts.running(fleet.root)] == ["blue", "green"]


# Which one is meant -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["stop", "reload", "pause worker", "resume app:worker"])
def test_what_is_about_one_host_wants_to_know_which(two: Fleet, shop: Moonq, command: str) -> None:
    said = shop(command)
    assert said.code == 4
    assert "2 hosts of shop are running: blue (pid " in said.err
    assert "--host green, or --all [A804]" not in said.err
    assert "say which one is meant, as in --host green, or --all" in said.err
    assert list(two.running) == ["blue", "green"]


def test_a_host_is_meant_by_its_name(two: Fleet, shop: Moonq) -> None:
    assert shop("pause worker --host green").code == 0
    paused = {name: host.consumers["app:worker"].status().paused
              for name, (host, _) in two.running.items()}  # fmt: skip
    assert paused == {"blue": False, "green": True}
    assert "/4 (1 paused)" in shop("queues").out
    said = shop("stop --host green --json")
    assert json.loads(said.out) == {
        "schema": "moonq.stop/1", "project": "shop", "pid": os.getpid(), "name": "green",
    }  # fmt: skip
    assert list(two.running) == ["blue"]
    assert shop("stop").code == 0, "blue is the only one now"


def test_all_means_every_host(two: Fleet, shop: Moonq) -> None:
    assert shop("pause worker --all").code == 0
    assert all(host.consumers["app:worker"].status().paused for host, _ in two.running.values())
    said = shop("resume worker --all --json")
    assert json.loads(said.out) == {
        "schema": "moonq.resume/1",
        "hosts": [
            {"name": name, "pid": os.getpid(), "resumed": "app:worker"}
            for name in ("blue", "green")
        ],
    }
    (two.root / "work.lua").write_text(f"{WORK} -- new")
    lines = shop("reload --all").out.splitlines()
    assert [line.split()[0] for line in lines if "reloaded in" in line] == ["blue", "green"]
    said = shop("stop --all")
    assert (said.code, two.running) == (0, {})
    assert [line.split()[0] for line in said.out.splitlines()] == ["blue", "green"]


def test_an_edit_that_is_refused_by_all_is_told_of_each(two: Fleet, shop: Moonq) -> None:
    (two.root / "_index.yaml").write_text("namespace: app\nentries: 7\n")
    said = shop("reload --all --json")
    assert said.code == 3
    rows = json.loads(said.out)["hosts"]
    assert [(row["name"], "error" in row["problem"]) for row in rows] == [
        ("blue", True), ("green", True),
    ]  # fmt: skip


def test_a_name_that_no_host_has_is_answered_with_those_there_are(two: Fleet, shop: Moonq) -> None:
    said = shop("queues --host blew")
    assert said.code == 4
    assert "no host of shop is called 'blew': there are blue (pid" in said.err
    assert "did you mean `blue`?" in said.err
    two.end("blue")
    two.end("green")
    assert "moonq run --name blew" in shop("peek jobs --host blew").err


def test_all_and_one_are_not_asked_together(two: Fleet, shop: Moonq) -> None:
    said = shop("stop --all --host blue")
    assert said.code == 2
    assert "keep one" in said.err
    assert len(two.running) == 2


@pytest.mark.parametrize("command", ["peek jobs", "dead", "dead ls jobs", "purge jobs --yes", "ls"])
def test_what_is_true_of_a_queue_any_host_says(two: Fleet, shop: Moonq, command: str) -> None:
    assert shop(command).code == 0


def test_a_queue_in_the_memory_of_each_wants_to_know_which(two: Fleet, shop: Moonq) -> None:
    for command in (
        "publish notes 1",
        "peek app:notes",
        "dead ls notes",
        "move notes jobs --dry-run",
    ):
        said = shop(command)
        assert said.code == 4
        assert "each has its own app:notes" in said.err
        assert shop(f"{command} --host blue").code == 0
    with Program(two.root) as program, pytest.raises(SeveralHosts) as raised:
        program.publish("notes", 1)
    assert "Client(..., host=NAME)" in raised.value.hint
    with Program(two.root, host="green") as program:
        program.publish("notes", 2)
    lying = {name: host.queues.info("app:notes").ready for name, (host, _) in two.running.items()}
    assert lying == {"blue": 1, "green": 1}


def test_a_program_goes_on_with_another_host(two: Fleet) -> None:
    with Program(two.root) as program:
        program.publish("jobs", {})
        two.end("blue")
        until(lambda: program._reached is None or program._reached.client.is_gone)
        program.publish("jobs", {})
    until(lambda: two.running["green"][0].report().acked >= 1)


def test_a_program_that_names_a_host_takes_no_other(two: Fleet) -> None:
    with Program(two.root, host="blue") as program:
        program.publish("jobs", {})
        two.end("blue")
        until(lambda: program._reached is None or program._reached.client.is_gone)
        with pytest.raises(Exception, match="no host of shop is called 'blue'"):
            program.publish("jobs", {})


def test_a_host_that_does_not_answer_is_passed_over(fleet: Fleet) -> None:
    fleet.start("green")
    with place_of(fleet.root, name="blue").claim(), connect(fleet.root, patience=0.05) as client:
        assert client.place.name == "green"


def test_completion_offers_the_hosts_that_run(
    two: Fleet,
    moonq: Moonq,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COMP_WORDS", f"moonq stop -C {two.root} --host ")
    monkeypatch.setenv("COMP_CWORD", "5")
    monkeypatch.setenv("_MOONQ_COMPLETE", "bash_complete")
    with pytest.raises(SystemExit):
        moonq()
    assert capsys.readouterr().out.split() == ["plain,blue", "plain,green"]


# Together -----------------------------------------------------------------------------------------


def test_queues_show_the_workers_of_all_hosts(two: Fleet, shop: Moonq) -> None:
    for _ in range(4):
        assert shop("publish jobs", '{"seconds":60}').code == 0
    until(lambda: two.running["blue"][0].queues.info("app:jobs").running == 4)
    found = json.loads(shop("queues --json").out)["queues"]
    jobs = next(row for row in found if row["id"] == "app:jobs")
    assert (jobs["running"], jobs["consumer_count"], jobs["consumers"]) == (4, 2, ["app:worker"])
    assert not jobs.get("elsewhere")
    shown = next(line for line in shop("queues").out.splitlines() if line.startswith("app:jobs "))
    assert shown.endswith("app:worker 4/4")
    alone = shop("queues --host blue").out
    assert "app:worker 2/2, +1 elsewhere" in alone
    for host, _ in two.running.values():
        host.stop_now()


def test_queues_in_memory_are_added_up(two: Fleet, shop: Moonq) -> None:
    assert shop("publish notes 1 --host blue").code == 0
    assert shop("publish notes 2 --host green").code == 0
    found = json.loads(shop("queues --json").out)["queues"]
    assert next(row["ready"] for row in found if row["id"] == "app:notes") == 2


def test_top_shows_all_hosts_as_one_and_notices_those_that_come_and_go(two: Fleet) -> None:
    with together(two.root) as asked:
        assert len(asked.request("status")["pids"]) == 2
        assert asked.request("consumers")["consumers"][0]["concurrency"] == 4
        two.start("red")
        assert len(asked.request("status")["pids"]) == 3
        two.end("red")
        two.end("blue")
        until(lambda: "pids" not in asked.request("status"))
        assert asked.request("consumers")["consumers"][0]["concurrency"] == 2


def test_top_says_how_many_hosts_it_shows(two: Fleet, shop: Moonq) -> None:
    assert "2 hosts" in shop("top --once").out
    assert "hosts" not in shop("top --once --host blue").out.splitlines()[0]
    assert len(json.loads(shop("top --once --json").out)["host"]["pids"]) == 2


def test_events_of_all_hosts_are_told_with_the_host(two: Fleet) -> None:
    with together(two.root) as asked, asked.tail(events=["publish"]) as events:
        names = []
        for name, (host, _) in two.running.items():
            host.queues.publish(b"app:jobs", b"{}")
            event = events.next(5)
            assert event is not None
            names.append((name, event["host"]))
        assert names == [("blue", "blue"), ("green", "green")]
        host = two.start("red")
        # It joins within a second or so; what it publishes from then on is told.
        assert _heard(lambda: host.queues.publish(b"app:jobs", b"{}"), events)["host"] == "red"
        for name in list(two.running):
            two.end(name)
        until(lambda: events.next(0.01) is None and events.ended)


def test_an_event_names_its_host_that_comes_while_another_is_asked(
    two: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe = Client.subscribe

    def busy(client: Client, topic: str, **filters: Any) -> Subscription:
        if client.place.name == "green":
            two.running["blue"][0].queues.publish(b"app:jobs", b"{}")
            with connect(two.root, host="blue") as blue:
                blue.request("status")
        return subscribe(client, topic, **filters)

    monkeypatch.setattr(Client, "subscribe", busy)
    with together(two.root) as asked, asked.tail(events=["publish"]) as events:
        event = events.next(5)
        assert event is not None
        assert event["host"] == "blue"


def test_tail_prints_what_all_hosts_do(two: Fleet, shop: Moonq) -> None:
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.02):
            for host, _ in tuple(two.running.values()):
                host.queues.publish(b"app:notes", b"{}")

    publishing = threading.Thread(target=publish)
    publishing.start()
    said = shop("tail notes --event publish --limit 10")
    ended.set()
    publishing.join()
    assert said.code == 0
    assert {line.rpartition("at ")[2] for line in said.out.splitlines()} == {"blue", "green"}
    assert len(said.out.splitlines()) == 10


def _heard(say: Callable[[], object], events: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def hears() -> bool:
        say()
        found.extend(filter(None, [events.next(0.05)]))
        return bool(found)

    until(hears)
    return found[0]


def test_a_publish_is_awaited_whichever_host_handles_it(two: Fleet, shop: Moonq) -> None:
    two.running["blue"][0].consumers["app:worker"].pause()
    said = shop("publish jobs", "{}", "--wait", "--json")
    assert said.code == 0, said.err
    assert [one["host"] for one in json.loads(said.out)["outcomes"]] == ["green"]


def test_a_publish_is_awaited_that_a_host_elsewhere_handles(
    fleet: Fleet, shop: Moonq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another project here, on another machine as a rule: nobody tells of it."""
    monkeypatch.setattr("moonq.cli.awaiting.LOOK", 0.1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = fleet.root / ".moonq" / "queues.db"
    there = INDEX.replace("durability:", f"path: {path}, durability:")
    there = there.replace("{name: jobs, ", "{name: jobs, retry: {max_attempts: 1}, ")
    (elsewhere / "_index.yaml").write_text(there)
    (elsewhere / "work.lua").write_text("return function(job) return job.fine, 'not fine' end")
    fleet.start("blue").consumers["app:worker"].pause()
    fleet.start("far", elsewhere)
    assert "+1 consumer elsewhere" in shop("top --once").out
    done = shop("publish jobs", '{"fine":true}', "--wait")
    assert (done.code, "acked by a host elsewhere within" in done.out) == (0, True), done.err
    died = json.loads(shop("publish jobs", "{}", "--wait", "--json").out)["outcomes"][0]
    assert (died["event"], died["reason"]) == ("dead", "max_attempts")
    assert died["error"]["message"] == "not fine"


# Who shares a driver ------------------------------------------------------------------------------


def test_status_names_the_hosts(two: Fleet, shop: Moonq) -> None:
    found = json.loads(shop("status --json").out)["hosts"]
    assert [one["name"] for one in found] == ["blue", "green"]
    assert shop("status --host green").out.startswith("shop · green · pid ")
    assert len(shop("status --host green").out.splitlines()) == 1


def test_status_of_all_asks_the_drivers_who_shares_them(two: Fleet, shop: Moonq) -> None:
    found = {one["id"]: one for one in json.loads(shop("status --all --json").out)["drivers"]}
    rows = found["app:file"]["hosts"]
    assert [(one["name"], one["pid"], one["busy"]) for one in rows] == [
        ("blue", os.getpid(), 0), ("green", os.getpid(), 0),
    ]  # fmt: skip
    assert {"machine", "since"} < rows[0].keys()
    assert "hosts" not in found["app:memory"]
    shown = shop("status --all").out
    assert "app:file · queue.driver.sqlite · 2 hosts" in shown
    assert "shared by nobody: each host has its own messages" in shown


def test_status_of_all_sees_hosts_of_other_projects_and_no_private_one(
    fleet: Fleet, shop: Moonq, tmp_path: Path
) -> None:
    said = shop("status --all")
    assert said.code == 4
    assert "0 hosts" in said.out
    assert "no host has a driver of shop open" in said.err
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = fleet.root / ".moonq" / "queues.db"
    (elsewhere / "_index.yaml").write_text(
        INDEX.replace("durability:", f"path: {path}, durability:")
    )
    (elsewhere / "work.lua").write_text(WORK)
    fleet.start("far", elsewhere)
    assert [one["name"] for one in _hosts(shop)] == ["far"]
    shown = next(line for line in shop("queues").out.splitlines() if line.startswith("app:jobs "))
    assert shown.endswith("1 elsewhere")


def _hosts(shop: Moonq) -> list[dict[str, Any]]:
    drivers = json.loads(shop("status --all --json").out)["drivers"]
    return next(one["hosts"] for one in drivers if one["id"] == "app:file")


def test_a_driver_that_cannot_tell_says_so(
    two: Fleet, shop: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.drivers.sqlite.driver.SqliteDriver.peers", lambda _: None)
    said = shop("status --all")
    assert said.code == 0
    assert "its broker cannot tell who shares it" in said.out


def test_a_driver_that_is_away_says_why(
    two: Fleet, shop: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise NoHost("the broker is away")

    monkeypatch.setattr("moonq.drivers.sqlite.driver.SqliteDriver.peers", away)
    said = shop("status --all")
    assert said.code == 5
    assert "the broker is away" in said.out


# Versions side by side ----------------------------------------------------------------------------


def test_an_old_and_a_new_version_work_side_by_side(fleet: Fleet, shop: Moonq) -> None:
    """A deploy: the new version comes up, the old one is stopped, and no message is lost."""
    old = fleet.start("old")
    _publish(old, "jobs", 40)
    (fleet.root / "_index.yaml").write_text(f"{INDEX}{MORE}")
    (fleet.root / "work.lua").write_text("return function(job) return job.id or 'new' end")
    new = fleet.start("new")
    _publish(new, "jobs", 40)
    assert shop("publish more", '{"new":true}', "--host", "new").code == 0
    refused = shop("publish more", '{"new":true}', "--host", "old")
    assert (refused.code, "more" in refused.err) == (4, True), "it is not there in the old version"
    assert shop("stop --host old").code == 0
    _publish(new, "jobs", 40)
    until(lambda: old.report().acked + new.report().acked == 121)
    assert new.queues.info("app:jobs").message_count == 0
    assert old.report().acked > 0
    assert new.report().acked > 40


def _publish(host: Host, queue: str, count: int) -> None:
    for _ in range(count):
        host.queues.publish(f"app:{queue}".encode(), b"{}")


def test_workers_are_scaled_at_the_host_that_is_named_or_at_all(two: Fleet, shop: Moonq) -> None:
    said = shop("scale worker 3")
    assert said.code == 4
    assert "each has its own" in said.err
    assert "app:worker: 2 to 3 workers" in shop("scale worker 3 --host blue").out
    assert len(shop("scale worker 3 --all").out.splitlines()) == 2
