"""A running host that is given other files: cases 13, 14 and 22 to 24 of a queue's hard life."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from moonq.errors import MoonqError, ProjectInvalid, QueueFull, ScriptError
from moonq.host import Host, ReloadReport
from moonq.sandbox.watchdog import WATCHDOG

from .conftest import MakeHost, until

ENTRIES = """
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: done, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - name: work
    kind: function.lua
    source: file://work.lua
    modules: [queue, store, time, funcs]
  - {name: gate, kind: store.memory}
"""
#: Says which version handled a message, once the gate is open for it.
WORK = """
local queue, store, time = require("queue"), require("store"), require("time")
return function(job)
  local gate = store.open("app:gate")
  gate:incr("begun")
  while job.waits and not gate:get("open") do
    time.sleep(0.005)
  end
  queue.publish("app:done", { id = job.id, version = VERSION })
end
"""


def work(version: int) -> str:
    return WORK.replace("VERSION", str(version))


def write(host: Host, entries: str = "", **files: str) -> None:
    """Edit the files of a host."""
    root = host.project.root
    if entries:
        head, _, _ = (root / "_index.yaml").read_text().partition("  - {name: jobs")
        (root / "_index.yaml").write_text(head + entries.lstrip("\n"))
    for name, text in files.items():
        (root / f"{name}.lua").write_text(text)


def publish(host: Host, **job: Any) -> str:
    import json

    return host.queues.publish(b"app:jobs", json.dumps(job).encode())


def done(host: Host) -> list[tuple[Any, Any]]:
    """What was handled, and by which version."""
    import json

    driver = host.queues.route("app:done").driver
    bodies = [json.loads(one.message.body) for one in driver.peek("app:done", 100_000).items]
    return [(body["id"], body["version"]) for body in bodies]


def open_gate(host: Host) -> None:
    host.services.stores["app:gate"].set("open", b"true", None)


def begun(host: Host) -> int:
    return int(host.services.stores["app:gate"].get("begun") or 0)


def test_new_messages_get_the_new_code_and_those_in_flight_finish_on_the_old(
    make_host: MakeHost,
) -> None:
    host = make_host(ENTRIES, work=work(1))
    publish(host, id=1, waits=True)
    until(lambda: begun(host) == 1)
    publish(host, id=2)
    write(host, work=work(2))
    report = host.reload()
    assert (report.changed, report.replaced) == (("app:work",), ("app:worker",))
    assert report.finishing == 1
    until(lambda: done(host) == [(2, 2)])
    open_gate(host)
    until(lambda: sorted(done(host)) == [(1, 1), (2, 2)])
    until(lambda: host.queues.info("app:jobs").message_count == 0)
    until(lambda: host.report().acked == 2)


def test_a_faulty_edit_changes_nothing_and_says_why(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    write(host, work="return function( end")
    with pytest.raises(ProjectInvalid) as invalid:
        host.reload()
    assert invalid.value.findings[0].place[:2] == ("work.lua", 1)
    publish(host, id=1)
    until(lambda: done(host) == [(1, 1)])


def test_a_handler_that_does_not_load_changes_nothing(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    before = host.consumers["app:worker"]
    write(
        host,
        ENTRIES.replace(
            "name: done", "name: extra, kind: queue.queue, driver: memory}\n  - {name: done"
        ),
        work='error("not today")',
    )
    with pytest.raises(ScriptError) as broken:
        host.reload()
    assert "not today" in broken.value.message
    assert host.consumers["app:worker"] is before
    assert "app:extra" not in host.queues.ids()
    publish(host, id=1)
    until(lambda: done(host) == [(1, 1)])


def test_a_declaration_that_the_driver_refuses_leaves_the_old_one_in_force(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host(ENTRIES, work=work(1))
    driver = host.queues.route("app:jobs").driver
    real = type(driver).declare

    def declare(self: Any, spec: Any) -> None:
        real(self, spec)
        if spec.max_length == 2:
            raise MoonqError("the broker says no")

    monkeypatch.setattr(type(driver), "declare", declare)
    write(
        host,
        ENTRIES.replace(
            "jobs, kind: queue.queue, driver: memory}",
            "jobs, kind: queue.queue, driver: memory, options: {max_length: 2}}",
        ),
    )
    with pytest.raises(MoonqError, match="the broker says no"):
        host.reload()
    host.consumers["app:worker"].pause()
    for number in range(5):
        publish(host, id=number)
    assert host.queues.info("app:jobs").ready == 5


def test_more_concurrency_takes_effect_and_nothing_is_lost_or_run_twice(
    make_host: MakeHost,
) -> None:
    host = make_host(ENTRIES.replace("func: work}", "func: work, concurrency: 2}"), work=work(1))
    for number in range(12):
        publish(host, id=number, waits=True)
    until(lambda: begun(host) == 2)
    write(host, ENTRIES.replace("func: work}", "func: work, concurrency: 5}"))
    host.reload()
    until(lambda: begun(host) == 7, limit=2)
    assert host.consumers["app:worker"].status().workers == 5
    open_gate(host)
    until(lambda: len(done(host)) == 12)
    assert sorted(done(host)) == [(number, 1) for number in range(12)]
    until(lambda: host.queues.info("app:jobs").consumer_count == 1)


def test_an_option_that_changed_is_in_force_and_a_wrong_one_is_named(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    host.consumers["app:worker"].pause()
    tight = ENTRIES.replace(
        "jobs, kind: queue.queue, driver: memory}",
        "jobs, kind: queue.queue, driver: memory, options: {max_length: 2}}",
    )
    write(host, tight)
    host.reload()
    publish(host, id=1)
    publish(host, id=2)
    with pytest.raises(MoonqError, match="full"):
        publish(host, id=3)
    write(host, tight.replace("max_length", "max_lenght"))
    with pytest.raises(ProjectInvalid) as invalid:
        host.reload()
    assert "max_lenght" in invalid.value.findings[0].message


def test_a_paused_consumer_stays_paused(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    host.consumers["app:worker"].pause()
    publish(host, id=1)
    write(host, work=work(2))
    host.reload()
    assert host.consumers["app:worker"].status().paused
    assert done(host) == []
    host.consumers["app:worker"].resume()
    until(lambda: done(host) == [(1, 2)])


def test_new_entries_start_and_those_that_are_gone_stop(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    more = """
  - {name: mails, kind: queue.queue, driver: memory}
  - {name: mailer, kind: queue.consumer, queue: mails, func: work}
"""
    write(host, ENTRIES + more)
    report = host.reload()
    assert report.added == ("app:mails", "app:mailer")
    host.queues.publish(b"app:mails", b'{"id":7}')
    until(lambda: done(host) == [(7, 1)])
    host.queues.publish(b"app:mails", b'{"id":8,"waits":true}')
    until(lambda: begun(host) == 2)
    write(host, ENTRIES)
    assert host.reload().removed == ("app:mails", "app:mailer")
    assert "app:mailer" not in host.consumers
    assert "app:mails" not in host.queues.ids()
    assert "app:mails.dead" not in host.queues.ids()
    open_gate(host)
    until(lambda: done(host) == [(7, 1), (8, 1)])


def test_messages_of_a_removed_queue_are_there_when_it_comes_back(make_host: MakeHost) -> None:
    more = "  - {name: later, kind: queue.queue, driver: memory}\n"
    host = make_host(ENTRIES + more, work=work(1))
    host.queues.publish(b"app:later", b'{"id":9}')
    write(host, ENTRIES)
    host.reload()
    write(host, ENTRIES + more)
    host.reload()
    assert host.queues.info("app:later").ready == 1


def test_a_hundred_reloads_under_load_fail_no_publish_and_lose_nothing(
    make_host: MakeHost,
) -> None:
    host = make_host(ENTRIES.replace("func: work}", "func: work, concurrency: 4}"), work=work(0))
    published: list[int] = []
    problems: list[Exception] = []
    over = threading.Event()

    def keep_publishing() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                publish(host, id=number)
                published.append(number)
            except MoonqError as problem:
                problems.append(problem)
            over.wait(0.001)

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    for version in range(1, 101):
        options = f"options: {{max_length: {10_000 + version}}}"
        write(
            host,
            ENTRIES.replace("func: work}", "func: work, concurrency: 4}").replace(
                "jobs, kind: queue.queue, driver: memory}",
                f"jobs, kind: queue.queue, driver: memory, {options}}}",
            ),
            work=work(version),
        )
        host.reload()
    over.set()
    publisher.join()
    assert problems == []
    until(lambda: len(done(host)) >= len(published))
    assert sorted(number for number, _ in done(host)) == published


def test_a_called_function_is_the_new_one_though_its_caller_stayed(make_host: MakeHost) -> None:
    caller = """
local queue, funcs = require("queue"), require("funcs")
return function(job)
  queue.publish("app:done", { id = job.id, version = funcs.call("app:rate") })
end
"""
    entries = ENTRIES + "  - {name: rate, kind: function.lua, source: file://rate.lua}\n"
    host = make_host(entries, work=caller, rate="return function() return 1 end")
    publish(host, id=1)
    until(lambda: done(host) == [(1, 1)])
    write(host, rate="return function() return 2 end")
    assert host.reload().replaced == ()
    publish(host, id=2)
    until(lambda: done(host) == [(1, 1), (2, 2)])


def test_a_stop_waits_for_what_runs_on_the_old_code(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    publish(host, id=1, waits=True)
    until(lambda: begun(host) == 1)
    write(host, work=work(2))
    host.reload()
    stopper = threading.Thread(target=host.stop, kwargs={"timeout": 10})
    stopper.start()
    open_gate(host)
    stopper.join(10)
    assert done(host) == [(1, 1)]
    assert host.report().acked == 1


def test_nothing_is_replaced_when_nothing_has_changed(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    before = host.consumers["app:worker"]
    report = host.reload()
    assert report.object() | {"took_ms": 0} == ReloadReport().object()
    assert host.consumers["app:worker"] is before


def test_a_single_file_is_read_again_as_a_single_file(tmp_path: Path) -> None:
    from moonq.kinds import load

    head = "namespace: app\nentries:\n  - {name: memory, kind: queue.driver.memory}\n"
    (tmp_path / "one.yaml").write_text(head + "  - {name: q, kind: queue.queue, driver: memory}\n")
    (tmp_path / "two.yaml").write_text(re.sub("app", "other", head))
    host = Host(load(tmp_path / "one.yaml"))
    host.start()
    assert not host.reload().added
    host.stop()


def test_a_trial_that_fails_leaves_no_state_behind(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    before = len(WATCHDOG._guards)
    more = """
  - {name: other, kind: queue.consumer, queue: done, func: broken}
  - {name: broken, kind: function.lua, source: file://broken.lua}
"""
    write(host, ENTRIES + more, work=work(2), broken='error("not today")')
    with pytest.raises(ScriptError):
        host.reload()
    assert len(WATCHDOG._guards) == before


def test_an_entry_that_becomes_another_kind_is_replaced_by_it(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    other = re.sub(r"name: worker.*", "name: worker, kind: store.memory}", ENTRIES)
    write(host, other)
    assert host.reload().changed == ("app:worker",)
    assert "app:worker" not in host.consumers
    assert "app:worker" in host.services.stores
    publish(host, id=1)
    write(host, ENTRIES)
    host.reload()
    assert "app:worker" not in host.services.stores
    until(lambda: done(host) == [(1, 1)])


def test_a_store_keeps_what_it_holds_when_its_bound_changes(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    gate = host.services.stores["app:gate"]
    gate.set("a", b"1" * 2000, None)
    write(host, ENTRIES.replace("kind: store.memory}", "kind: store.memory, max_bytes: 1KiB}"))
    assert host.reload().changed == ("app:gate",)
    assert gate.get("a") == b"1" * 2000
    with pytest.raises(QueueFull, match="of at most 1024"):
        gate.set("b", b"1", None)
    write(host, ENTRIES)
    host.reload()
    gate.set("b", b"1", None)


def test_a_queue_waits_for_a_driver_that_is_started_later(make_host: MakeHost) -> None:
    file = """
  - {name: file, kind: queue.driver.sqlite, lifecycle: {auto_start: false}}
  - {name: kept, kind: queue.queue, driver: file}
"""
    host = make_host(ENTRIES + file, work=work(1))
    states = {managed.id: managed.state for managed in host.supervisor.all()}
    assert (states["app:kept"], "app:file" in states) == ("waiting", False)
    write(host, ENTRIES + file.replace("auto_start: false", "auto_start: true"))
    host.reload()
    host.queues.publish(b"app:kept", b"1")
    assert host.queues.info("app:kept").message_count == 1


def test_settings_that_are_others_are_told_and_in_force(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, work=work(1))
    settings = host.project.root / "moonq.yaml"
    settings.write_text("log: {level: debug}\nsecurity: {strict_mode: true}\n")
    report = host.reload()
    assert report.settings == ("log", "security")
    assert report.needs_restart == ("moonq.yaml: log",)
    assert not host.reload().settings
    publish(host, id="a", waits=False)
    until(lambda: host.queues.info("app:jobs").message_count == 0)
    assert host.queues.info("app:done").ready == 0
