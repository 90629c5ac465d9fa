from __future__ import annotations

import ctypes
import json
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - name: worker
    kind: queue.consumer
    queue: jobs
    func: work
    concurrency: 2
    lifecycle: {stop_timeout: 300ms}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [logger, time]}
  - {name: publish, kind: function.lua, source: file://publish.lua, modules: [queue]}
"""

WORK = """\
local logger = require("logger")
local time = require("time")

return function(job)
  logger.info("begun", { job = job.id })
  if job.kind == "sleeps" then
    time.sleep(30)
  elseif job.kind == "spins" then
    while true do
    end
  elseif job.kind == "fails" then
    return nil, errors.new({ message = "no\\nway", retryable = false })
  end
end
"""

SPIN = """\
return function()
  print("spinning")
  while true do
  end
end
"""

PUBLISH = """\
local queue = require("queue")

local function check(job)
  if not job then
    error("nothing to publish")
  end
end

return function(job)
  check(job)
  return (assert(queue.publish("app:jobs", job)))
end
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX, encoding="utf-8")
    (tmp_path / "work.lua").write_text(WORK, encoding="utf-8")
    (tmp_path / "publish.lua").write_text(PUBLISH, encoding="utf-8")
    return tmp_path


class Running:
    """A `moonq run` and what it says."""

    def __init__(self, project: Path, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", project, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._limit = threading.Timer(20, self.process.kill)
        self._limit.start()

    def until(self, message: str) -> dict[str, Any]:
        """Read log lines up to the next one that says *message*."""
        assert self.process.stderr
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["message"] == message:
                return self.lines[-1]
        raise AssertionError(f"no {message!r} in {self.lines}")

    def ended(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code and what was still said."""
        assert self.process.stdout
        assert self.process.stderr
        # Not by `communicate`: lines that came together with the last of `until` are read already.
        err, out = self.process.stderr.read(), self.process.stdout.read()
        return self.process.wait(20), out, err

    def end(self) -> None:
        """Leave nothing running."""
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def running(project: Path) -> Iterator[Any]:
    started: list[Running] = []

    def start(*args: str) -> Running:
        started.append(Running(project, *args))
        return started[-1]

    yield start
    for run in started:
        run.end()


def publish(**job: object) -> tuple[str, str]:
    """The arguments that publish one job."""
    return "--call", f"app:publish={json.dumps(job)}"


def test_a_run_until_idle_ends_when_the_work_is_done(running: Any) -> None:
    run = running(*publish(id=1), *publish(id=2, kind="fails"), "--until-idle")
    stopped = run.until("stopped")
    assert run.ended()[0] == 0
    assert (stopped["acked"], stopped["dead"]) == (1, 1)


def test_json_puts_the_numbers_of_the_run_on_stdout(running: Any) -> None:
    run = running(*publish(id=1), "--until-idle", "--json")
    code, out, _ = run.ended()
    assert code == 0
    document = json.loads(out)
    assert (document["schema"], document["acked"]) == ("moonq.run/1", 1)


def test_a_failing_call_is_told_with_its_place_and_ends_with_1(running: Any) -> None:
    run = running("--call", "app:publish", *publish(id=1), "--until-idle", "--log", "pretty")
    code, _, err = run.ended()
    assert code == 1
    assert "nothing to publish" in err
    assert '5 │     error("nothing to publish")' in err
    assert "publish.lua:10: in function <publish.lua:9>" in err
    assert "1 acked" in err


def test_a_call_of_nothing_that_exists_stops_the_host_with_4(running: Any) -> None:
    code, _, err = running("--call", "app:pubilsh", "--log", "pretty").ended()
    assert code == 4
    assert "app:publish" in err
    assert "stopped" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_running_handlers_end(running: Any, number: signal.Signals) -> None:
    run = running(*publish(id=1, kind="sleeps"))
    run.until("begun")
    run.process.send_signal(number)
    run.until("draining")
    stopped = run.until("stopped")
    assert run.ended()[0] == 0
    assert stopped["acked"] == 1


def test_a_signal_that_another_thread_gets_is_heard(running: Any) -> None:
    run = running()
    run.until("ready")
    pid = run.process.pid
    threads = [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    other = next(thread for thread in threads if thread != pid)
    # The C library has no function for it everywhere; the number is the machine's.
    tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    assert ctypes.CDLL(None).syscall(tgkill, pid, other, signal.SIGTERM) == 0
    run.until("stopped")
    assert run.ended()[0] == 0


def test_handlers_that_do_not_end_in_time_are_named_and_end_with_8(running: Any) -> None:
    run = running(*publish(id=1, kind="spins"), "--log", "json")
    run.until("begun")
    run.process.send_signal(signal.SIGTERM)
    stopped = run.until("stopped")
    code, _, err = run.ended()
    assert code == 8
    assert "app:worker" in err
    assert stopped["handed_back"] == 1


def test_the_drain_timeout_overrules_the_consumers(running: Any) -> None:
    run = running(*publish(id=1, kind="spins"), "--drain-timeout", "10m")
    run.until("begun")
    run.process.send_signal(signal.SIGTERM)
    run.until("draining")
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.6)


def test_a_second_signal_stops_at_once_and_hands_back(running: Any) -> None:
    run = running(*publish(id=1, kind="spins"), "--drain-timeout", "10m")
    run.until("begun")
    run.process.send_signal(signal.SIGINT)
    run.until("draining")
    run.process.send_signal(signal.SIGINT)
    stopped = run.until("stopped")
    assert run.ended()[0] == 130
    assert (stopped["acked"], stopped["handed_back"]) == (0, 1)


def test_a_call_that_does_not_end_is_left_behind_by_the_second_signal(
    running: Any, project: Path
) -> None:
    (project / "publish.lua").write_text(SPIN, encoding="utf-8")
    run = running("--call", "app:publish")
    run.until("spinning")
    run.process.send_signal(signal.SIGINT)
    run.until("draining")
    run.process.send_signal(signal.SIGINT)
    code, _, err = run.ended()
    assert code == 130, err


def test_an_invalid_project_starts_nothing_and_ends_with_3(running: Any, project: Path) -> None:
    (project / "work.lua").write_text("return funktion() end", encoding="utf-8")
    code, out, err = running().ended()
    assert (code, out) == (3, "")
    assert "work.lua:1" in err
    assert "Traceback" not in err


def test_a_logger_has_its_own_level(running: Any) -> None:
    run = running(*publish(id=1), "--until-idle", "--log-level", "app:work=warn")
    run.until("stopped")
    assert "begun" not in [line["message"] for line in run.lines]


def test_quiet_says_nothing_when_all_is_well(running: Any) -> None:
    code, out, err = running(*publish(id=1), "--until-idle", "-q", "--log", "pretty").ended()
    assert (code, out, err) == (0, "", "")


def test_a_run_says_what_it_leaves_out_and_why(running: Any) -> None:
    run = running(*publish(id=1), "--skip", "worker", "--until-idle", "--json")
    left = run.until("left out")
    assert (left["service"], left["reason"]) == ("app:worker", "--skip app:worker")
    code, out, _ = run.ended()
    assert (code, json.loads(out)["acked"]) == (0, 0)
