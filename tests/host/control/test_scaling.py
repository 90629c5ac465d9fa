"""More workers, or fewer, for a consumer that runs."""

from __future__ import annotations

import pytest

from moonq.control.client import Client
from moonq.errors import Invalid, NotFound, ReadOnly
from moonq.host import Host
from moonq.operations.performing import Operations

from ..conftest import until


@pytest.fixture
def operations(host: Host) -> Operations:
    return Operations(host, "console:tester")


def concurrency(operations: Operations) -> int:
    return int(operations.consumers()["consumers"][0]["concurrency"])


def test_a_scaled_consumer_handles_so_many_messages_at_once(
    host: Host, operations: Operations
) -> None:
    before = host.consumers["app:worker"]
    found = operations.perform("scale", {"consumer": "worker", "workers": 16})
    assert (found["from"], found["to"], found["prefetch"]) == (1, 16, 16)
    assert concurrency(operations) == 16
    assert host.consumers["app:worker"] is not before
    assert operations.perform("scale", {"consumer": "worker", "workers": 2})["prefetch"] == 10


def test_it_goes_on_with_what_is_published(host: Host, operations: Operations) -> None:
    operations.scale(consumer="worker", workers=3)
    operations.publish(queue="jobs", messages=[{"json": '{"id": 1, "total": 2}'}])
    until(lambda: host.consumers["app:worker"].acked() == 1)


def test_a_reload_takes_what_the_entry_says(host: Host, operations: Operations) -> None:
    operations.scale(consumer="worker", workers=3)
    operations.reload(ids=["idle"])
    assert concurrency(operations) == 3, "others are left as they are"
    assert operations.reload()["replaced"] == ("app:worker",)
    assert concurrency(operations) == 1


def test_a_paused_consumer_stays_paused(operations: Operations) -> None:
    operations.pause(target="worker")
    operations.scale(consumer="worker", workers=3)
    assert operations.consumers()["consumers"][0]["paused"]


def test_the_same_number_changes_nothing(host: Host, operations: Operations) -> None:
    before = host.consumers["app:worker"]
    operations.scale(consumer="worker", workers=1)
    assert host.consumers["app:worker"] is before


@pytest.mark.parametrize("workers", [0, 1001])
def test_no_consumer_has_so_many(operations: Operations, workers: int) -> None:
    with pytest.raises(Invalid, match="scale: field 'workers'"):
        operations.perform("scale", {"consumer": "worker", "workers": workers})
    assert concurrency(operations) == 1


def test_only_what_runs_is_scaled(host: Host, operations: Operations) -> None:
    with pytest.raises(NotFound, match="app:jobs is of kind"):
        operations.scale(consumer="jobs", workers=2)
    with pytest.raises(ReadOnly):
        operations.perform("scale", {"consumer": "worker", "workers": 2}, read_only=True)


def test_scripts_of_a_session_scale_as_well(client: Client) -> None:
    found = client.request("eval", src='mq.scale("worker", 5).to')
    assert found["texts"] == ["5"]
