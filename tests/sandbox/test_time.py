"""How a script's time ends: from outside where that can be, else by its own hook."""

from __future__ import annotations

import threading
import time

import pytest
from states import opened

from moonq.sandbox import state as state_module
from moonq.sandbox import watchdog

ENDLESS = "return function(body) while body == 'loop' do end end"


def test_the_watchdog_stops_from_outside_where_the_wheel_shows_the_api() -> None:
    state = opened(ENDLESS)
    assert state.watched_from_outside
    progress = state.deliver(0.05, [b'"loop"'])
    assert progress.stopped is not None
    assert progress.stopped.reason == "timeout"
    assert progress.stopped.stack == "handler.lua:1: in function <handler.lua:1>"
    assert state.spent
    state.close()


def test_where_it_does_not_a_hook_inside_stops_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchdog, "api", lambda: None)
    state_module._tell_of_fallback.cache_clear()
    for _ in range(2):
        state = opened(ENDLESS)
        assert not state.watched_from_outside
        progress = state.deliver(0.05, [b'"loop"'])
        assert progress.stopped is not None
        assert progress.stopped.reason == "timeout"
        state.close()
    assert caplog.text.count("scripts carry their own time hook") == 1


@pytest.mark.parametrize("permanent_hook", [False, True])
def test_messages_before_the_one_that_was_stopped_are_done(permanent_hook: bool) -> None:
    state = opened(ENDLESS, permanent_hook=permanent_hook)
    bodies, stopped = [b"1", b"2", b'"loop"', b"4"], None
    while stopped is None:  # a slow machine cuts the batch before
        done, _, stopped = state.deliver(0.05, bodies)
        bodies = bodies[done:]
    assert bodies == [b'"loop"', b"4"]
    assert stopped.stack == "handler.lua:1: in function <handler.lua:1>"
    state.close()


@pytest.mark.parametrize("permanent_hook", [False, True])
def test_a_running_call_can_be_stopped_at_once(permanent_hook: bool) -> None:
    state = opened(ENDLESS, permanent_hook=permanent_hook)
    results = []
    thread = threading.Thread(target=lambda: results.append(state.deliver(None, [b'"loop"'])))
    thread.start()
    deadline = time.monotonic() + 5
    while not state.guard.fire("stop") and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    thread.join(5)
    assert results[0].stopped is not None
    assert results[0].stopped.reason == "stop"
    assert not state.guard.fire("stop"), "nothing runs any more"
    state.close()


def test_a_call_that_was_not_stopped_leaves_no_hook_behind() -> None:
    state = opened("return function(n) local s = 0 for i = 1, n do s = s + i end return s end")
    for _ in range(200):
        assert state.deliver(5.0, [b"1000"]).done == 1
        assert not state.guard.fire("stop")
    assert state.call(b"[10]") == b"[55]"
    state.close()
