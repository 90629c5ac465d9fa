"""Which services a host starts: `--only`, `--skip` and `--no-consumers`."""

from __future__ import annotations

import pytest

from moonq.errors import Invalid, NotFound
from moonq.host import Host
from moonq.run.starting import Starting

from .conftest import MakeHost

ENTRIES = """
  - {name: other, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: memory}
  - {name: mail, kind: queue.queue, driver: other}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: mail.consumer, kind: queue.consumer, queue: mail, func: work}
  - name: rare.consumer
    kind: queue.consumer
    queue: mail
    func: work
    lifecycle: {auto_start: false}
  - {name: work, kind: function.lua, source: "return function() return true end"}
  - {name: cache, kind: store.memory}
"""
MORE = "  - {name: more.consumer, kind: queue.consumer, queue: orders, func: work}\n"
#: All that is no consumer.
STANDING = {"app:memory", "app:other", "app:orders", "app:mail", "app:cache"}


def started(host: Host, *only: str, skip: tuple[str, ...] = (), consumers: bool = True) -> set[str]:
    host.start(starting=Starting(only, skip, consumers).checked(host.project))
    return {one.id for one in host.supervisor.all() if one.state == "running"}


@pytest.mark.parametrize("only", ["app:mail.consumer", "mail.consumer", "mail", "app:mail.c*"])
def test_only_the_consumers_that_are_named_start(make_host: MakeHost, only: str) -> None:
    assert started(make_host(ENTRIES, start=False), only) == {*STANDING, "app:mail.consumer"}


def test_a_consumer_that_is_named_starts_although_it_would_not_by_itself(
    make_host: MakeHost,
) -> None:
    host = make_host(ENTRIES, start=False)
    assert started(host, "rare.consumer") == {*STANDING, "app:rare.consumer"}


def test_what_needs_a_skipped_service_does_not_start_either(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, start=False)
    assert started(host, skip=("other",)) == {
        *("app:memory", "app:orders", "app:orders.consumer", "app:cache"),
    }
    assert host.left_out() == dict.fromkeys(
        ("app:other", "app:mail", "app:mail.consumer", "app:rare.consumer"), "--skip app:other"
    )


def test_without_consumers_all_the_rest_is_up(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, start=False)
    assert started(host, consumers=False) == STANDING
    assert host.queues.publish(b"app:orders", b"1")


def test_a_service_that_was_left_out_can_be_started(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, start=False)
    started(host, skip=("other",))
    host.start_service("app:mail.consumer")
    assert "app:mail.consumer" in host.consumers


def test_a_reload_starts_nothing_that_was_left_out(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, start=False)
    started(host, "mail")
    index = host.project.root / "_index.yaml"
    index.write_text(index.read_text() + MORE)
    assert host.reload().added == ("app:more.consumer",)
    assert {*host.consumers} == {"app:mail.consumer"}


@pytest.mark.parametrize(
    ("starting", "error", "message"),
    [
        (Starting(only=("nix",)), NotFound, "no entry 'nix'"),
        (Starting(skip=("nix",)), NotFound, "no entry 'nix'"),
        (Starting(only=("cache",)), Invalid, "--only app:cache is about no consumer"),
        (Starting(only=("app:x*",)), Invalid, "--only app:x* is about no consumer"),
        (Starting(skip=("work",)), Invalid, "--skip app:work is about nothing that is started"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    make_host: MakeHost, starting: Starting, error: type[Exception], message: str
) -> None:
    host = make_host(ENTRIES, start=False)
    with pytest.raises(error, match=message.replace("*", r"\*")):
        starting.checked(host.project)
