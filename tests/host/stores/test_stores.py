"""What stores keep, each kind by the same claims, and what becomes of them when hosts die."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.servers import redis as servers

from moonq import kinds
from moonq.clock import ManualClock
from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.settings import RedisSettings
from moonq.errors import Conflict, Held, Unavailable
from moonq.host import Host
from moonq.run.stores.redis import RedisStore
from moonq.run.stores.sqlite import SqliteStore

from ..conftest import until

CLAIMS = Path(__file__).parent / "claims.lua"
KINDS = ["memory", "sqlite", "redis"]
ENTRIES = """
namespace: app
entries:
  - {name: all, kind: store.KIND PLACE}
  - {name: small, kind: store.KIND, max_bytes: 4KiB PLACE}
  - name: claims
    kind: function.lua
    source: file://claims.lua
    modules: [errors, json, store, time]
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem, retry: {initial_delay: 100ms}}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work, concurrency: 8}
  - name: work
    kind: function.lua
    modules: [store, time]
    limits: {timeout: 5s}
    source: |
      local store, time = require("store"), require("time")
      return function(job)
        local all = store.open("all")
        local answer, err = all:once(job.key, "1h", function()
          all:incr("runs")
          if job.hangs and not all:has("was here") then
            all:set("was here", true)
            while true do end
          end
          time.sleep(0.05)
          return { by = job.id }
        end)
        if err then
          return nil, err
        end
        all:incr("answered by " .. answer.by)
      end
"""


def place(kind: str, folder: Path) -> str:
    """The fields that put a store into a place of the test's own."""
    if kind != "redis":
        return ""
    return f", url: '{servers.shared().url}', prefix: 't{uuid4().hex}'"


@pytest.fixture(params=KINDS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with stores of one kind."""
    text = ENTRIES.replace("KIND", request.param).replace(" PLACE", place(request.param, tmp_path))
    (tmp_path / "_index.yaml").write_text(text)
    (tmp_path / "claims.lua").write_text(CLAIMS.read_text())
    return tmp_path


@pytest.fixture
def host(project: Path) -> Any:
    host = Host(kinds.load(project), name="host")
    host.start()
    yield host
    host.stop(timeout=5)


def test_every_store_keeps_the_claims(moonq: Callable[..., Any], project: Path) -> None:
    said = moonq("call", "app:claims", "--send", "--json", "-C", project)
    answer = json.loads(said.out)
    assert answer["error"] is None, answer
    assert answer["values"] == [[]], answer["values"]


def test_of_many_who_come_at_once_one_runs_and_all_get_its_answer(host: Host) -> None:
    for number in range(20):
        host.queues.publish(b"app:jobs", json.dumps({"key": "k", "id": number}).encode())
    until(lambda: host.queues.info("app:jobs").message_count == 0)
    store = host.services.stores["app:all"]
    assert store.get("runs") == b"1"
    (answered,) = store.keys("answered by ")
    assert store.get(answered) == b"20"


def test_nothing_is_lost_when_many_add_and_compare_at_once(host: Host) -> None:
    store = host.services.stores["app:all"]

    def work() -> None:
        for _ in range(25):
            store.incr("sum", 1, None)
            while True:
                before = store.get("list")
                after = json.dumps([*json.loads(before or b"[]"), 1]).encode()
                if store.cas("list", before, after, None):
                    break

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert store.get("sum") == b"100"
    assert len(json.loads(store.get("list") or b"")) == 100


def test_what_is_in_a_file_or_at_a_server_outlasts_the_host(project: Path) -> None:
    lasts = "memory" not in (project / "_index.yaml").read_text().partition("claims")[0]
    for expected in (None, b"1" if lasts else None):
        host = Host(kinds.load(project), name="host")
        host.start()
        store = host.services.stores["app:all"]
        assert store.get("k") == expected
        store.set("k", b"1", None)
        host.stop(timeout=5)


def test_a_reload_that_changes_a_store_opens_it_anew_and_keeps_what_it_holds(
    host: Host, project: Path
) -> None:
    host.services.stores["app:small"].set("k", b"1", None)
    index = project / "_index.yaml"
    index.write_text(index.read_text().replace("4KiB", "8KiB"))
    assert "app:small" in host.reload().changed
    store = host.services.stores["app:small"]
    assert store.get("k") == b"1"
    store.set("large", b"x" * 5000, None)


def open_file(path: Path) -> SqliteStore:
    return SqliteStore("app:s", ManualClock(), path, None)


def test_a_file_is_for_its_user_alone(tmp_path: Path) -> None:
    store = open_file(tmp_path / "deep" / "s.db")
    store.set("k", b"1", None)
    files = list((tmp_path / "deep").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    store.close()


def test_two_hosts_share_a_file(tmp_path: Path) -> None:
    one, other = open_file(tmp_path / "s.db"), open_file(tmp_path / "s.db")
    assert one.cas("k", None, b"1", None)
    assert not other.cas("k", None, b"2", None)
    assert other.get("k") == b"1"
    for store in (one, other):
        store.close()


def test_two_hosts_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "s.db", ManualClock()
    stores = [SqliteStore("app:s", clock, path, None, "normal") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for store in stores:
            pool.submit(lambda store=store: [store.incr("sum", 1, None) for _ in range(500)])
    assert stores[0].get("sum") == b"1000"
    for store in stores:
        store.close()


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s.db") as theirs:
        theirs.execute("CREATE TABLE item(theirs)")
    with pytest.raises(Conflict, match="another program's database"):
        open_file(tmp_path / "s.db")


def test_a_file_that_another_transaction_holds_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.run.stores.sqlite.PATIENCE", 0.05)
    store = open_file(tmp_path / "s.db")
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Held):
        store.set("k", b"1", None)
    other.execute("ROLLBACK")
    store.set("k", b"1", None)
    other.close()
    store.close()


def test_a_store_may_not_be_in_the_file_of_a_driver(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text("""
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite}
  - {name: s, kind: store.sqlite, path: .moonq/queues.db}
""")
    _, findings = kinds.inspect(tmp_path)
    (found,) = [one for one in findings if one.severity == "error"]
    assert (found.code, found.message) == ("R227", "this is the file of `app:file`")


def test_a_server_that_is_killed_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path)
    link = Link(RedisSettings(url=server.url), tmp_path)
    store = RedisStore("app:s", ManualClock(), link, "p", None)
    store.set("k", b"1", None)
    server.kill()
    for _ in range(2):
        with pytest.raises(Unavailable):
            store.get("k")
    server.start()
    store.set("k", b"2", None)
    assert store.get("k") == b"2"
    store.close()
