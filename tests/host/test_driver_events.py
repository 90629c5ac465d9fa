"""What a driver does by itself, as a host counts and tells it; what is wrong with one."""

from __future__ import annotations

import logging
from typing import Any, get_args

import pytest

from moonq.drivers.base import Event, Happening
from moonq.drivers.memory.driver import MemoryDriver
from moonq.errors import Refused
from moonq.host import Host
from moonq.operations import overview

from .conftest import MakeHost, until


class Watch:
    """An observer that writes down what was lost."""

    def __init__(self) -> None:
        self.losses: list[tuple[str, str, int]] = []

    def lost(self, kind: str, queue: str, count: int, detail: str) -> None:
        self.losses.append((kind, queue, count))


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    return make_host("  - {name: jobs, kind: queue.queue, driver: memory}\n", start=False)


def told(host: Host, event: Event) -> list[tuple[str, str, int]]:
    """What an observer hears when the driver of *host* tells of *event*."""
    watch: Any = Watch()
    host.metrics.observer = watch
    driver = host.drivers["app:memory"]
    open_ = driver.open
    listeners = []
    driver.open = lambda told, **_: listeners.append(told)  # type: ignore[method-assign]
    host.start()
    driver.open = open_  # type: ignore[method-assign]
    listeners[0](event)
    return list(watch.losses)


@pytest.mark.parametrize("kind", get_args(Happening))
def test_only_what_is_gone_is_a_loss(host: Host, kind: Happening) -> None:
    host.announce()
    losses = told(host, Event(kind, "app:jobs", 3))
    assert losses == ([(kind, "app:jobs", 3)] if kind in {"expired", "dropped"} else [])
    assert host.metrics.get(kind, "app:jobs") == 3


def test_what_concerns_no_queue_is_told_of_its_driver(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    host.announce()
    with caplog.at_level(logging.INFO, "moonq"):
        told(host, Event("blocked", None, detail="(memory alarm)"))
    said = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert said == ["app:memory: the broker takes no messages for now (memory alarm)"]
    assert host.metrics.get("blocked", "app:memory") == 1


def test_the_status_says_what_is_wrong_with_a_driver(make_host: MakeHost) -> None:
    host = make_host("  - {name: file, kind: queue.driver.sqlite, min_free_mb: 1000000000}\n")

    def problem(name: str) -> str:
        services = {one["id"]: one for one in overview.status(host, None)["services"]}
        assert services[name]["state"] == "running"
        return str(services[name]["problem"])

    until(lambda: "is full" in problem("app:file"))
    assert problem("app:memory") == ""


CONSUMER = """\
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: work, kind: function.lua, source: "return function() end"}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, lease: 90s, timeout: 7s}
"""


def test_a_driver_hears_the_terms_of_a_consumer(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    inner = MemoryDriver.subscribe

    def subscribe(self: MemoryDriver, *place: Any, **terms: Any) -> Any:
        heard.append((place, terms))
        return inner(self, *place, **terms)

    monkeypatch.setattr(MemoryDriver, "subscribe", subscribe)
    make_host(CONSUMER)
    assert heard == [(("app:jobs", 10), {"lease": 90.0, "timeout": 7.0, "name": "app:worker"})]


FORWARD = """\
  - {name: other, kind: queue.driver.memory}
  - {name: far, kind: queue.queue, driver: other}
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: work, kind: function.lua, modules: [queue], source: file://work.lua}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
"""


def test_a_broker_that_turns_a_handler_away_costs_no_message(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials rotate; dead letters would have to be given back by hand."""
    # What has a time to live takes the way that every driver has.
    work = "return function() return require('queue').publish('app:far', 1, nil, {ttl = 60}) end"
    host = make_host(FORWARD, work=work)
    refused = Refused("wrong password", hint="see to `password`")
    monkeypatch.setattr(host.drivers["app:other"], "publish", lambda *_, **__: [refused])
    host.queues.publish(b"app:jobs", b"1")
    until(lambda: host.queues.info("app:jobs").delayed == 1)
    assert host.queues.info("app:jobs").dead == 0


def test_a_driver_that_could_not_store_every_verdict_is_named(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host.start()
    monkeypatch.setattr(host.drivers["app:memory"], "close", lambda deadline: False)
    with caplog.at_level(logging.INFO, "moonq"):
        host.stop()
    said = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert said == ["app:memory: not every verdict could be stored, those messages run again"]
