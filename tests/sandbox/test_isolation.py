"""Workers in processes of their own: killed for real, and nothing is lost with them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from isolated import new_host, processes, publish, remote, spiteful_children, until

from moonq.errors import MoonqError, StopTimeout, Unavailable
from moonq.host import Host
from moonq.sandbox import watchdog
from moonq.sandbox.lend import own
from moonq.sandbox.process import losses
from moonq.sandbox.process.children import CHILDREN, Children
from moonq.sandbox.process.frames import DONE, LENT, RESULT, pack
from moonq.sandbox.process.remote import RemoteState
from moonq.sandbox.state import Limits, LuaSource, Outcome, Progress

pytestmark = [
    pytest.mark.aside("isolation"),
    pytest.mark.skipif(sys.platform != "linux", reason="children are looked for in /proc"),
]
MakeHost = Callable[..., Host]
#: Something, so that a script may declare all modules.
LENDS = own({"none": lambda: None})


@pytest.fixture(scope="module", autouse=True)
def spite() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, spiteful_children(patch):
        patch.setattr(losses, "FREE_LOSSES", 1000)
        yield


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[MakeHost]:
    made: list[Host] = []

    def make(entries: str, **files: str) -> Host:
        host = new_host(tmp_path, entries, **files)
        made.append(host)
        host.start()
        return host

    yield make
    for host in made:
        with suppress(StopTimeout):
            host.stop(timeout=1)


def bodies(host: Host, queue: str) -> list[bytes]:
    items = host.queues.route(queue).driver.peek(queue, 100).items
    return [one.message.body for one in items]


ENTRIES = """
  - {name: memory, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: memory, retry: {max_interruptions: 1}}
  - {name: seen, kind: store.memory}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    concurrency: 2
    prefetch: 20
    timeout: 200ms
    isolation: process
    lifecycle: {stop_timeout: 200ms}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [funcs, queue, store, time, uuid]
"""
# What a handler may do to its process; the last is one rehash of a table whose keys all fall on one
# place of the new size: seconds of Lua's own C.
SPITE = """
local uuid, queue, store = require("uuid"), require("queue"), require("store")
local spite = { spin = uuid.spin, eat = uuid.eat, crash = uuid.crash }

function spite.collide()
  local t, size = {}, 1 << 18
  for index = 1, size // 2 + 1 do
    t[index * (size - 1)] = true
  end
end

return function(body)
  if spite[body] then
    spite[body]()
  end
  local msg = queue.message()
  store.open("app:seen"):set(tostring(body), { msg:attempt(), msg:interruptions() })
end
"""
NEIGHBOUR = """
  - {name: others, kind: queue.queue, driver: memory}
  - {name: thread, kind: queue.consumer, queue: others, func: plain}
  - {name: plain, kind: function.lua, source: "return function() end"}
"""


@pytest.mark.parametrize("kills", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_every_kill_ends_with_a_full_account(make_host: MakeHost, kills: int) -> None:
    host = make_host(ENTRIES + NEIGHBOUR, handler=SPITE)
    ways = ("eat", "crash", "spin", "eat", "crash", "collide")
    for number in range(kills):
        publish(host, 3 * number, 3 * number + 1, ways[number % len(ways)], 3 * number + 2)
        publish(host, *range(5), queue="app:others")
    fine, neighbours = host.consumers["app:worker"], host.consumers["app:thread"]
    dead = lambda: host.queues.info("app:tasks").dead  # noqa: E731
    until(lambda: dead() == kills and fine.acked() == 3 * kills, 12 + 2 * kills)
    assert neighbours.acked() == 5 * kills
    assert host.report().killed == kills
    info = host.queues.info("app:tasks")
    assert (info.ready, info.delayed, info.running, info.leased) == (0, 0, 0, 0)
    letters = host.queues.route("app:tasks.dead").driver.peek("app:tasks.dead", 1000).items
    assert {letter.message.headers["x_dead_letter_reason"] for letter in letters} == {"interrupted"}
    # None that only was beside it has paid for it; on a busy machine one may have taken too long.
    values = host.services.store("app:seen")
    seen = [json.loads(values.get(str(one)) or b"[]") for one in range(3 * kills)]
    assert [interruptions for _, interruptions in seen] == [0] * 3 * kills
    assert fine.status().abandoned == 0
    assert fine.status().healthy


def test_a_message_learns_how_its_process_has_ended(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, handler=SPITE)
    publish(host, "spin")
    until(lambda: host.queues.info("app:tasks").dead == 1)
    [letter] = host.queues.route("app:tasks.dead").driver.peek("app:tasks.dead", 9).items
    said = "its process was killed: it did not stop within 0.2 s (timeout)"
    assert letter.errors[0].message == said


# One child alone ----------------------------------------------------------------------------------


def spiteful(source: str) -> Any:
    return remote(f"local uuid = require('uuid') {source}", LENDS)


def test_of_a_batch_only_the_message_that_ran_is_interrupted() -> None:
    handler = "return function(b) if b == 'crash' then uuid.crash() end return b ~= 'fail' end"
    state = spiteful(handler)
    progress = state.deliver(5.0, [b"1", b"2", b'"crash"', b"4"])
    assert (progress.done, progress.outcomes) == (2, ())
    assert progress.stopped is not None
    assert progress.stopped.reason == "killed"
    assert state.spent
    state.close()


@pytest.mark.parametrize("way", ["eat", "crash"])
def test_a_process_that_ends_by_itself_says_by_what(way: str) -> None:
    state = spiteful(f"return function() uuid.{way}() end")
    progress = state.deliver(60.0, [b"1"])
    assert progress.stopped is not None
    assert progress.stopped.words.startswith("its process was ended by the signal SIGSEGV")
    state.close()


def test_what_a_lost_process_did_not_tell_any_more_runs_again() -> None:
    handler = "return function(b) if b == 'crash' then uuid.crash() end return b ~= 'fail' end"
    state = spiteful(handler)
    progress = state.deliver(5.0, [b"1", b'"fail"', b"3", b'"crash"'])
    assert progress.done == 3
    assert progress.outcomes == (Outcome(2, "lost"),)
    state.close()


# Of the running call: the fourth that is asked, after MAKE, DEFINE and OPEN.
ENDED = (RESULT, 4, False, 1, DONE)
FAULT = (1, b"UNKNOWN", b"", None, b"")


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\xff\xff\xff\xff", id="longer than any may be"),
        pytest.param(bytes(4), id="empty"),
        pytest.param(b"\x01\x00\x00\x00Z", id="an unknown kind of value"),
        pytest.param(b"\x05\x00\x00\x00B\xff\x00\x00\x00", id="a text longer than its frame"),
        pytest.param(b"\x03\x00\x00\x00I\x01\x00", id="half a number"),
        pytest.param(pack((99, 4)), id="what there is not"),
        pytest.param(pack((LENT, 9, 0, 0)), id="for another state"),
        pytest.param(pack((LENT, 1, 0, 99)), id="what is not lent"),
        pytest.param(pack((LENT, 1, 0, None)), id="nothing of what is lent"),
        pytest.param(pack((LENT, 1, b"", 0)), id="memory that is no number"),
        pytest.param(pack((LENT,)), id="no function"),
        pytest.param(pack((RESULT, 3, False, 1, DONE)), id="the end of another call"),
        pytest.param(pack((RESULT, 4)), id="an end without anything"),
        pytest.param(pack((*ENDED, None, None, b"")), id="nothing done"),
        pytest.param(pack((*ENDED, 99, None, b"")), id="more done than there were"),
        pytest.param(pack((*ENDED, -1, None, b"")), id="less than nothing done"),
        pytest.param(pack((*ENDED, 1, b"timeout", b"")), id="all done and one cut off"),
        pytest.param(pack((*ENDED, 1, None, b"", 7, *FAULT)), id="the failure of no message"),
        pytest.param(pack((*ENDED, 1, None, b"", 1, 9, *FAULT[1:])), id="an unknown outcome"),
        pytest.param(pack((*ENDED, 1, None, b"", 1)), id="half an outcome"),
    ],
)
def test_a_child_that_breaks_the_protocol_is_killed(frame: bytes) -> None:
    escaped = "".join(f"\\x{byte:02x}" for byte in frame)
    state = spiteful(f"return function() uuid.forge('{escaped}') while true do end end")
    progress = state.deliver(20.0, [b"1"])
    assert progress.stopped is not None
    assert progress.stopped.words.startswith("its process was killed: it broke the protocol")
    state.close()


def test_lua_that_can_be_stopped_is_stopped_and_not_killed() -> None:
    state = spiteful("return function() while true do end end")
    progress = state.deliver(0.1, [b"1"])
    assert progress.stopped is not None
    assert progress.stopped.reason == "timeout"
    state.close()


def test_memory_that_lua_counts_is_a_failure_and_not_a_kill() -> None:
    state = spiteful("return function() local t = {} while true do t[#t + 1] = {} end end")
    progress = state.deliver(20.0, [b"1"])
    assert [outcome.kind for outcome in progress.outcomes] == ["memory"]
    state.close()


def test_two_children_draw_different_numbers() -> None:
    states = [remote("return function() return math.random(1 << 40) end") for _ in range(2)]
    drawn = [state.call(b"[]") for state in states]
    assert drawn[0] != drawn[1]
    for state in states:
        state.close()


def test_a_process_that_ends_while_it_is_idle_costs_no_message_anything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = spiteful("return function() end")
    state.deliver(5.0, [b"1"])
    state._child._server.kill(state._child._number)
    until(state._child.has_ended)
    assert state.deliver(5.0, [b"1"]) == Progress(0)
    assert state.spent
    assert "has ended while it had nothing to do: it was ended by the signal SIGKILL" in caplog.text
    state.close()


@pytest.mark.slow
def test_the_system_ends_what_uses_more_cpu_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moonq.sandbox.process.remote.KILL_AFTER", 60)
    state = spiteful("return function() uuid.spin() end")
    progress = state.deliver(0.1, [b"1"])
    assert progress.stopped is not None
    assert "SIGXCPU" in progress.stopped.words
    state.close()


# With a host --------------------------------------------------------------------------------------

CALLING = """
  - {name: memory, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: memory}
  - {name: out, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: tasks, func: handler, timeout: 5s}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    isolation: process
    modules: [funcs, queue, time, uuid]
  - {name: crash, kind: function.lua, modules: [uuid], source: file://crash.lua}
  - {name: own, kind: function.lua, modules: [uuid], isolation: process, source: file://crash.lua}
"""
CRASH = "local uuid = require('uuid') return function(it) if it then uuid.crash() end return 7 end"


def test_a_called_function_runs_in_its_callers_process(make_host: MakeHost) -> None:
    handler = """
    local funcs, queue = require("funcs"), require("queue")
    return function()
      for _, callee in ipairs({ "app:crash", "app:own" }) do
        queue.publish("app:out", funcs.call(callee))
      end
    end
    """
    host = make_host(CALLING, handler=handler, crash=CRASH)
    assert len(processes()) == 1
    publish(host, 1, 2)
    until(lambda: host.consumers["app:worker"].acked() == 2)
    assert host.queues.info("app:out").ready == 4
    assert len(processes()) == 1


def test_a_called_function_that_crashes_takes_only_its_caller_along(make_host: MakeHost) -> None:
    handler = "local funcs = require('funcs') return function() return funcs.call('app:own', 1) end"
    host = make_host(CALLING, handler=handler, crash=CRASH)
    publish(host, 1)
    until(lambda: host.metrics.get("killed", "app:worker") == 1)
    result = host.call("app:own", "true")
    assert result.fault is not None
    assert "SIGSEGV" in result.fault.message
    assert host.call("app:own").values == [7]


def test_a_function_that_is_called_from_a_thread_has_a_process_of_its_own(
    make_host: MakeHost,
) -> None:
    entries = CALLING.replace("    isolation: process\n", "")
    handler = """
    local funcs, queue = require("funcs"), require("queue")
    return function(b)
      local _, err = funcs.call("app:own", b == "crash" or nil)
      queue.publish("app:out", err and err:message() or "fine")
    end
    """
    host = make_host(entries, handler=handler, crash=CRASH)
    publish(host, "crash", "fine")
    until(lambda: host.consumers["app:worker"].acked() == 2)
    said = bodies(host, "app:out")
    assert said[0].startswith(b'"app:own: its process was ended by the signal SIGSEGV')
    assert said[1] == b'"fine"'


def test_what_was_settled_before_a_crash_stays_settled(make_host: MakeHost) -> None:
    handler = """
    local queue, uuid = require("queue"), require("uuid")
    return function()
      queue.message():ack()
      uuid.crash()
    end
    """
    host = make_host(CALLING, handler=handler, crash=CRASH)
    publish(host, 1)
    until(lambda: host.metrics.get("killed", "app:worker") == 1)
    until(lambda: host.consumers["app:worker"].acked() == 1)
    assert host.queues.info("app:tasks").message_count == 0
    assert host.report().retried == 0


def test_a_stop_hands_back_what_sits_in_c(make_host: MakeHost) -> None:
    host = make_host(ENTRIES.replace("timeout: 200ms\n", "timeout: 1m\n"), handler=SPITE)
    publish(host, "spin")
    until(lambda: bool(host.consumers["app:worker"].running()))
    with pytest.raises(StopTimeout):
        host.stop(timeout=0.05)
    report = host.report()
    assert (report.handed_back, report.retried, report.dead) == (1, 0, 0)
    until(lambda: not processes())


def test_a_stop_wakes_what_sleeps(make_host: MakeHost) -> None:
    handler = """
    local time, queue = require("time"), require("queue")
    return function()
      local _, err = time.sleep("1h")
      return nil, err
    end
    """
    host = make_host(CALLING, handler=handler, crash=CRASH)
    publish(host, 1)
    until(lambda: bool(host.consumers["app:worker"].running()))
    host.stop(timeout=20)
    assert host.report().handed_back == 1


def test_a_dry_run_shows_what_it_would_do_and_does_not(make_host: MakeHost) -> None:
    handler = "local queue = require('queue') return function(b) queue.publish('app:out', b) end"
    host = make_host(CALLING, handler=handler, crash=CRASH)
    result = host.call("app:handler", "5", as_message=True, send=False)
    assert result.judged()["verdict"] == "ack"
    assert [one.body for one in result.published] == [b"5"]
    assert host.queues.info("app:out").ready == 0


def test_a_reload_replaces_processes(make_host: MakeHost, tmp_path: Path) -> None:
    handler = "local queue = require('queue') return function() queue.publish('app:out', %d) end"
    host = make_host(CALLING, handler=handler % 1, crash=CRASH)
    publish(host, 1)
    until(lambda: host.queues.info("app:out").ready == 1)
    (tmp_path / "handler.lua").write_text(handler % 2)
    host.reload()
    publish(host, 1)
    until(lambda: host.queues.info("app:out").ready == 2)
    said = bodies(host, "app:out")
    assert said == [b"1", b"2"]
    until(lambda: len(processes()) == 1)


def test_a_file_that_crashes_does_not_load_and_says_so(make_host: MakeHost) -> None:
    with pytest.raises(MoonqError, match=r"app:handler.*SIGSEGV"):
        make_host(CALLING, handler="require('uuid').crash() return print", crash=CRASH)


def test_children_end_with_their_host(tmp_path: Path) -> None:
    script = f"""
import sys, pytest
sys.path.insert(0, {str(Path(__file__).parent)!r})
from isolated import remote, spiteful_children
from moonq.sandbox.lend import own
with pytest.MonkeyPatch.context() as patch, spiteful_children(patch):
    source = "local uuid = require('uuid') return function() uuid.spin() end"
    state = remote(source, own({{"none": print}}))
    print("up", flush=True)
    state.deliver(None, [b"1"])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"up\n"
        [child] = processes(host.pid)
        # So long that it can only be in the loop, in which it hears of nothing.
        until(lambda: int((child / "stat").read_text().split()[13]) > 30)
        host.send_signal(signal.SIGKILL)
    until(lambda: not child.exists())


def test_a_child_has_no_file_of_its_host_and_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "hunter2")
    CHILDREN.close()
    first, state = (spiteful("return function() end") for _ in range(2))
    children = processes()
    assert len(children) == 2
    for one in children:
        files = sorted(str(file.readlink()).split(":")[0] for file in (one / "fd").iterdir())
        assert files == ["/dev/null"] * 3 + ["/memfd"] * 2 + ["socket"] * 2
        assert b"hunter2" not in (one / "environ").read_bytes()
    first.close()
    state.close()


def test_a_storm_of_lost_processes_is_slowed_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(losses, "FREE_LOSSES", 3)
    lost = losses.Losses()
    for _ in range(3):
        assert lost.pause("app:bad") == 0
        lost.note("app:bad")
    pauses = [lost.pause("app:bad") for _ in range(3)]
    assert [round(pause) for pause in pauses] == [1, 2, 3]
    assert lost.pause("app:good") == 0
    assert "app:bad: 3 of its processes were lost" in caplog.text


def test_a_server_that_does_not_begin_is_told_of() -> None:
    children = Children()
    children.command = [sys.executable, "-c", "raise SystemExit('no such thing here')"]
    with pytest.raises(Unavailable, match="no such thing here"):
        children.spawn()


def test_what_the_system_refuses_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        "moonq.sandbox.process.children.Child.hello", lambda _: ["no network: not permitted"]
    )
    for _ in range(2):
        CHILDREN.spawn().close()
    assert [record.getMessage() for record in caplog.records] == [
        "`isolation: process` works here without a part of it: no network: not permitted"
    ]


def test_a_host_that_sits_in_a_lent_function_gives_the_worker_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog, "ABANDON_AFTER", 0.1)
    given_up, free = threading.Event(), threading.Event()
    lends = own({"random_bytes": lambda _: free.wait(30) and None})
    state = RemoteState(lends, Limits(0.1), child=CHILDREN.spawn(), on_abandoned=given_up.set)
    handler = b"local uuid = require('uuid') return function() uuid.v4() end"
    state.define(LuaSource("app:handler", "handler.lua", handler, ("uuid",)))
    state.open("app:handler", timeout=5.0)
    thread = threading.Thread(target=state.deliver, args=(0.1, [b"1"]))
    thread.start()
    assert given_up.wait(20)
    free.set()
    thread.join(20)
    assert state.spent
    state.close()


def test_what_waits_in_the_host_for_a_process_ends_with_it(make_host: MakeHost) -> None:
    entries = """
  - {name: memory, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: memory, retry: {max_interruptions: 1}}
  - {name: db, kind: sql.database, url: "sqlite:///data.db"}
  - {name: worker, kind: queue.consumer, queue: tasks, func: handler, timeout: 1h}
  - name: handler
    kind: function.lua
    isolation: process
    source: file://handler.lua
    modules: [sql, time]
"""
    handler = """
    local sql, time = require("sql"), require("time")
    return function()
      sql.transaction("app:db", function(tx)
        tx:execute("create table t (a)")
        time.sleep(3000)
      end)
    end
    """
    host = make_host(entries, handler=handler)
    database = host.project.root / "data.db"
    database.touch()
    publish(host, 1)
    until(lambda: _is_locked(database))
    [child] = processes()
    os.kill(int(child.name), signal.SIGKILL)
    until(lambda: host.queues.info("app:tasks").dead == 1, 5)
    assert not _is_locked(database)
    assert host.metrics.get("killed", "app:worker") == 1


def _is_locked(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0)) as mine:
        try:
            mine.execute("begin immediate")
        except sqlite3.OperationalError:
            return True
        return False


def test_what_a_call_in_a_process_may_use_is_what_its_callers_leave(make_host: MakeHost) -> None:
    entries = CALLING + "  - {name: fills, kind: function.lua, source: file://fills.lua}\n"
    entries = entries.replace(
        "    isolation: process\n", "    isolation: process\n    limits: {memory: 8MiB}\n", 1
    )
    handler = """
    local funcs, queue = require("funcs"), require("queue")
    return function(count)
      local mine = ("x"):rep(4 << 20)
      local value, err = funcs.call("app:fills", count)
      queue.publish("app:out", value or err:message())
      return #mine
    end
    """
    fills = "return function(count) return #(('y'):rep(count << 20)) end"
    host = make_host(entries, handler=handler, crash=CRASH, fills=fills)
    publish(host, 1, 6, 1)
    until(lambda: host.consumers["app:worker"].acked() == 3)
    small, large, again = bodies(host, "app:out")
    assert small == again == b"1048576"
    assert b"app:handler and all that it calls share 8" in large
