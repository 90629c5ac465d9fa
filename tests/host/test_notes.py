"""What is said of handlers that return nothing, or false without a reason."""

from __future__ import annotations

import logging

import pytest

from moonq.host import Host
from moonq.run import notes

from .conftest import MakeHost, until

ENTRIES = """
  - {name: jobs, kind: queue.queue, driver: memory, retry: {max_attempts: 1}}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: file://work.lua}
"""
WORK = """
return function(job)
  if job.no then return false end
  if job.why then return nil, "for a reason" end
  return job.value
end
"""


@pytest.fixture
def host(make_host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(notes, "_told", set())
    return make_host(ENTRIES, work=WORK)


def said(host: Host, caplog: pytest.LogCaptureFixture, *bodies: bytes) -> list[str]:
    """Publish *bodies* one by one, and return what the notes say."""

    def done() -> int:
        return host.consumers["app:worker"].acked() + host.metrics.get("dead", "app:worker")

    for number, body in enumerate(bodies, 1):
        host.queues.publish(b"app:jobs", body)
        until(lambda: done() >= number)  # noqa: B023 - it is called at once
    return [line.getMessage() for line in caplog.records if line.name == "moonq.handlers"]


def test_a_handler_that_returns_false_is_told_once_what_that_lacks(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "moonq.handlers"):
        [line] = said(host, caplog, b'{"no": true}', b'{"no": true}')
    assert line.startswith("app:work returned false, which does not say why: `return nil, errors")


def test_a_reason_and_a_value_need_no_note(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "moonq.handlers"):
        assert said(host, caplog, b'{"why": true}', b'{"value": 0}') == []


def test_that_nothing_was_returned_is_no_news_unless_somebody_asks(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "moonq.handlers"):
        assert said(host, caplog, b"{}") == []


def test_whoever_asks_hears_of_a_handler_that_returns_nothing(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notes, "_told", set())
    with caplog.at_level(logging.DEBUG, "moonq.handlers"):
        [line] = said(make_host(ENTRIES, work=WORK), caplog, b"{}", b"{}")
    assert (
        line == "app:work returned nothing, and the message was acked; `return true` silences this"
    )
