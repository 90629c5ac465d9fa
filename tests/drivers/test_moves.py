"""`moonq move` between any two drivers: what goes along, what is refused, what a kill leaves."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from moonq.clock import SystemClock
from moonq.drivers.base import Adopter, Driver, Mover, capabilities
from moonq.drivers.letters import X_MOVED, X_ORIGINAL_QUEUE
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.paging import walk
from moonq.errors import MoonqError, QueueError, Unsupported
from moonq.host import Host
from moonq.kinds import load
from moonq.model import ACK, Dead, Delivery, ErrorRecord, Message, Priority, Retry, Stored
from moonq.operations import leaving
from moonq.operations.performing import Operations

from .conftest import BESIDE, DRIVERS, place

BOOM = ErrorRecord(1.0, "INTERNAL", "boom", "stack traceback: boom")
SOON = 3600.0
Roads = Callable[..., Operations]


class Opaque(MemoryDriver):
    """Takes messages with their story, and shows none before they leave: as a broker does."""

    waiting = unserved = resting = None  # type: ignore[assignment]


class Bare(MemoryDriver):
    """Only what every driver has; it keeps no priority, group, key or story."""

    waiting = unserved = resting = adopt = None  # type: ignore[assignment]

    def capabilities(self) -> Any:
        return super().capabilities()._replace(priority="none", group="none", dedup="none")

    def publish(self, queue: str, messages: Any, timeout: float, **more: Any) -> Any:
        for one in messages:
            if one.group or one.dedup_key or one.priority != Priority.NORMAL:
                return [Unsupported("not here")] * len(messages)
        return super().publish(queue, messages, timeout, **more)


LIKE_BROKERS = {"opaque": Opaque, "bare": Bare}
#: A driver, or a type of its queues.
TYPES = [*sorted(DRIVERS), "sqs:fifo"]
KINDS = [*TYPES, *LIKE_BROKERS]
#: Those that are waited for in real time, and of the roads between them those that are tried daily.
BROKERS = [name for name in TYPES if not DRIVERS[name.partition(":")[0]].pace.is_virtual]
DAILY = {
    ("redis", "amqp"),
    ("amqp", "sqs"),
    ("sqs", "redis"),
    ("amqp", "sqlite"),
    ("sqlite", "sqs"),
    ("sqlite", "sqs:fifo"),
    ("sqs:fifo", "redis"),
}


def roads(kinds: Sequence[str], *, leases: Sequence[str] = ()) -> list[Any]:
    """All pairs; a test that waits for a lease to end is a long one."""
    found = []
    for source, target in itertools.product(kinds, kinds):
        waits = source in BROKERS or target in BROKERS
        is_long = (waits and (source, target) not in DAILY) or source in leases
        marks = (pytest.mark.slow,) if is_long else BESIDE if waits else ()
        found.append(pytest.param(source, target, marks=marks))
    return found


@pytest.fixture
def road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Roads]:
    """Makes a running host with the queues `old` and `new`, each at a driver of its own."""
    monkeypatch.setattr(leaving, "PATIENCE", 0.5)
    hosts: list[Host] = []

    def make(source: str, target: str) -> Operations:
        (tmp_path / "_index.yaml").write_text(index(source, target))
        host = Host(load(tmp_path))
        for entry, kind in (("app:here", source), ("app:there", target)):
            if kind in LIKE_BROKERS:
                host._building.drivers[entry] = LIKE_BROKERS[kind](SystemClock())
        host.start()
        hosts.append(host)
        return Operations(host, "console:tester")

    yield make
    for host in hosts:
        host.stop(timeout=1)


QUEUES = {"here": "old", "there": "new"}


def index(source: str, target: str) -> str:
    rows = ["namespace: app", "entries:"]
    for name, kind in (("here", source), ("there", target)):
        short, _, type_of = kind.partition(":")
        fields = {"kind": "queue.driver.memory"} if kind in LIKE_BROKERS else place(short)
        if kind == "sqlite":
            fields["path"] = f"{name}.db"
        queue = {"name": QUEUES[name], "kind": "queue.queue", "driver": name}
        if type_of:
            queue["options"] = {type_of: True}
        rows += [f"  - {json.dumps(one)}" for one in ({**fields, "name": name}, queue)]
    return "\n".join(rows) + "\n"


def of(here: Operations, entry: str) -> Driver:
    return here._host.drivers[entry]


def publish(driver: Driver, name: str, **fields: Any) -> bool:
    """Publish one message into `old`; False: its driver cannot."""
    body = fields.pop("body", b"body")
    message = Message(name, body, time.time(), fields.pop("headers", {}), **fields)
    (answer,) = driver.publish("app:old", [message], 5.0)
    if isinstance(answer, Unsupported):
        return False
    assert not isinstance(answer, QueueError), answer
    return True


def consume(driver: Driver, queue: str, wanted: int) -> list[Delivery]:
    """Take so many as there must be, in order, and settle them."""
    subscription, found = driver.subscribe(queue, 10, timeout=60.0), []
    give_up = time.monotonic() + 20
    while len(found) < wanted and time.monotonic() < give_up:
        for one in subscription.take(10, 0.5):
            if subscription.start(one):
                found.append(one)
                subscription.settle(one, ACK)
    subscription.stop()
    subscription.close(time.monotonic() + 10)
    return found


def fail(driver: Driver, *verdicts: Any) -> None:
    """Give the one message of `old` these ends."""
    subscription = driver.subscribe("app:old", 1, timeout=60.0)
    for verdict in verdicts:
        (one,) = subscription.take(1, 20.0)
        assert subscription.start(one)
        assert subscription.settle(one, verdict)
    subscription.stop()
    subscription.close(time.monotonic() + 10)


def one_of_each(driver: Driver) -> dict[str, Any]:
    """Leave a message of every kind that the driver knows in `old`; those that are there."""
    assert publish(driver, "dead")
    fail(driver, Dead("rejected", BOOM))
    assert publish(driver, "failed")
    fail(driver, Retry(0.0, BOOM), Retry(0.0, BOOM))
    told = {
        "plain": {"headers": {"ä": "ü✓", "n": 7, "f": 0.5, "b": True}, "body": b"\x00\xff raw"},
        "high": {"priority": Priority.HIGH},
        "keyed": {"dedup_key": "k"},
        "lasts": {"ttl": SOON},
        **{f"g{n}": {"group": "g"} for n in (1, 2, 3)},
    }
    if isinstance(driver, Mover):
        told["late"] = {"delay": SOON}
    return {name: fields for name, fields in told.items() if publish(driver, name, **fields)}


def seen(driver: Driver, queue: str) -> dict[str, Stored]:
    """What waits in a queue, by id, where its driver shows it."""
    if driver.capabilities().peek not in ("native", "emulated"):
        return {}
    return {one.message.id: one for one in walk(driver, queue)}


def all_losses(here: Operations) -> list[str]:
    return list(here.move(source="old", target="new", dry_run=True)["lost"])


@pytest.mark.parametrize(("source", "target"), roads(KINDS))
def test_all_that_a_message_is_goes_along(road: Roads, source: str, target: str) -> None:
    here = road(source, target)
    old, new = of(here, "app:here"), of(here, "app:there")
    told = one_of_each(old)
    began = time.time()
    found = here.move(source="old", target="new", drop=all_losses(here))
    assert (found["moved"], found["moved_dead"], found["refused"]) == (len(told) + 1, 1, 0)
    assert (found["left"], found["left_dead"]) == (0, 0)
    keeps = capabilities(new, "app:new")._asdict()
    is_late = "late" in told and keeps["delay"] != "none"
    waiting = seen(new, "app:new")
    ready = consume(new, "app:new", len(told) + (0 if is_late else 1))
    by_id = {one.message.id: one for one in ready}
    assert sorted(by_id) == sorted({"failed", *told} - ({"late"} if is_late else set()))
    stored = waiting or {name: leaving.shown(one, None, 0) for name, one in by_id.items()}
    # Deliveries of a driver in memory tell no errors, they need not: it shows its messages.
    tells = isinstance(new, Adopter) and source not in LIKE_BROKERS
    assert not tells or stored["failed"].errors == (BOOM, BOOM)
    if "lasts" in told and keeps["ttl"] != "none":
        assert stored["lasts"].expires == pytest.approx(began + SOON, abs=30)
    if is_late and waiting:
        assert waiting["late"].due == pytest.approx(began + SOON, abs=30)
    if isinstance(new, Adopter):
        assert by_id["failed"].attempt == 3
    if "high" in told and keeps["priority"] != "none":
        assert by_id["high"].message.priority == Priority.HIGH
    assert_as_published(by_id["plain"].message, told["plain"])
    grouped = [one.message.id for one in ready if one.message.id.startswith("g")]
    assert grouped == [name for name in ("g1", "g2", "g3") if name in told]
    assert_buried(new, tells_errors=tells)


def assert_as_published(message: Message, told: dict[str, Any]) -> None:
    assert message.body == told["body"]
    assert {k: v for k, v in message.headers.items() if k != X_MOVED} == told["headers"]


def assert_buried(new: Driver, *, tells_errors: bool) -> None:
    stored = seen(new, "app:new.dead")
    (letter,) = consume(new, "app:new.dead", 1)
    assert letter.message.id == "dead"
    assert letter.message.headers[X_ORIGINAL_QUEUE] == "app:new"
    assert letter.message.headers["x_dead_letter_reason"] == "rejected"
    errors = (stored.get("dead") or leaving.shown(letter, None, 0)).errors
    assert not tells_errors or errors == (BOOM,)


@pytest.mark.parametrize("source", ["memory", "opaque"])
def test_what_the_target_cannot_keep_is_named_with_counts_before_anything_moves(
    road: Roads, source: str
) -> None:
    here = road(source, "bare")
    driver = of(here, "app:here")
    for name, fields in {
        "a": {"priority": Priority.HIGH, "group": "g"}, "b": {"group": "h"}, "c": {},
    }.items():  # fmt: skip
        publish(driver, name, **fields)
    would = here.move(source="old", target="new", dry_run=True)
    assert (would["lost"], would["moved"]) == ({"priority": 1, "group": 2}, 0)
    with pytest.raises(Unsupported) as refused:
        here.move(source="old", target="new", drop=["priority"])
    assert "app:new, a queue of a queue.driver.memory, cannot keep: group of 2 messages" in str(
        refused.value
    )
    assert "--drop group" in refused.value.hint
    assert of(here, "app:there").info("app:new").ready == 0
    assert here.move(source="old", target="new", drop=["priority", "group"])["moved"] == 3
    arrived = [one.message.id for one in consume(of(here, "app:there"), "app:new", 3)]
    assert arrived == ["a", "b", "c"]


def test_a_field_that_is_none_is_refused_by_name(road: Roads) -> None:
    here = road("memory", "memory")
    with pytest.raises(MoonqError, match="no field 'priorty' can be dropped"):
        here.move(source="old", target="new", drop=["priorty"])


def test_what_one_message_is_refused_for_stops_no_other(road: Roads) -> None:
    """From a broker that shows none: it is handed back, and nothing of it is lost."""
    here = road("opaque", "bare")
    old, new = of(here, "app:here"), of(here, "app:there")
    for name in ("a", "b", "c"):
        publish(old, name)
    publish_there = new.publish

    def refuses(queue: str, messages: Any, *more: Any, **named: Any) -> Any:
        answers = publish_there(queue, [one for one in messages if one.id != "b"], *more, **named)
        return [answers.pop(0) if one.id != "b" else Unsupported("too odd") for one in messages]

    new.publish = refuses  # type: ignore[method-assign]
    found = here.move(source="old", target="new")
    assert (found["moved"], found["refused"], found["why"]) == (2, 1, "too odd")
    assert [one.message.id for one in consume(old, "app:old", 1)] == ["b"]


KILLED = """
import os, signal, sys
from pathlib import Path
from moonq.host import Host
from moonq.kinds import load
from moonq.operations import leaving
from moonq.operations.performing import Operations

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

leaving.Shown.let_go = leaving.Consumed.let_go = die
host = Host(load(Path(sys.argv[1])))
host.start(consumers=False)
Operations(host, "tester").move(source="app:old", target="app:new")
"""
DURABLE = [name for name in TYPES if DRIVERS[name.partition(":")[0]].capabilities.durable != "none"]


@pytest.mark.parametrize(("source", "target"), roads(DURABLE, leases=["sqs", "sqs:fifo"]))
def test_a_move_that_was_killed_loses_nothing_and_is_simply_repeated(
    tmp_path: Path, source: str, target: str
) -> None:
    """Killed between the new place and the old one; where the target knows keys, none is twice."""
    (tmp_path / "_index.yaml").write_text(index(source, target))
    names = [f"m{n}" for n in range(20)]
    host = Host(load(tmp_path))
    host.start()
    for name in names:
        publish(host.drivers["app:here"], name)
    host.stop(timeout=5)
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    host = Host(load(tmp_path))
    host.start()
    try:
        driver = host.drivers["app:there"]
        found = _moved_again(Operations(host, "tester"))
        dedup = capabilities(driver, "app:new").dedup
        knows = dedup != "none"
        # A FIFO queue stores none twice, and does not tell which it knew.
        assert found["duplicates"] == (20 if dedup in ("native", "emulated") else 0)
        arrived = [one.message.id for one in consume(driver, "app:new", 20 if knows else 40)]
        assert sorted(set(arrived)) == sorted(names)
        assert len(arrived) == (20 if knows else 40)
    finally:
        host.stop(timeout=5)


def _moved_again(here: Operations) -> dict[str, Any]:
    """Move until it is done: what a killed consumer held comes back when its lease is over."""
    give_up, total = time.monotonic() + 60, 0
    while True:
        found = here.move(source="old", target="new")
        total += found["moved"]
        if total >= 20 or time.monotonic() > give_up:
            return {**found, "moved": total}
        time.sleep(0.2)
