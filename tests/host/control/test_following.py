"""What the dashboard hears of log lines and failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moonq.control.client import Client
from moonq.control.together import Together
from moonq.dashboard.following import Following
from moonq.errors import NoHost
from moonq.host import Host

from ..conftest import MakeHost, until
from .conftest import ENTRIES, FILES


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    """A host whose messages fail more than once."""
    return make_host(ENTRIES.replace("max_attempts: 1", "max_attempts: 5"), **FILES)


@pytest.mark.parametrize("asks_all", [False, True])
def test_failures_and_log_lines_are_kept_from_the_beginning_on(
    host: Host, clients: Callable[[], Client], asks_all: bool
) -> None:
    following = Following((lambda: Together(host.project.root)) if asks_all else clients)
    following.start()
    try:
        until(lambda: following.is_listening)
        host.queues.publish(b"app:jobs", b'{"id": 1, "total": -1}')
        until(lambda: bool(following.failures and following.lines))
    finally:
        following.stop()
    assert following.failures[0]["queue"] == "app:jobs"
    assert "negative total" in following.failures[0]["error"]["message"]
    assert "negative total" in following.lines[-1]["message"]


def test_a_host_that_has_gone_is_looked_for_again(
    host: Host, clients: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.dashboard.following.AGAIN", 0.01)
    answers = [NoHost("gone"), NoHost("gone"), None]

    def reach() -> Client:
        problem = answers.pop(0) if answers else None
        if problem:
            raise problem
        return clients()

    following = Following(reach)
    following.start()
    try:
        until(lambda: following.is_listening)
    finally:
        following.stop()
    assert answers == []
