"""Databases as they really are: servers that stall, die and lock, statements that never end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers import sql
from tests.servers.process import until

from .conftest import Base, Run, base, lua_suites

pytestmark = pytest.mark.aside("sql")

MAKES = ["sqlite", "postgres", "maria"]
#: A statement that never ends by itself.
ENDLESS = {
    "sqlite": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
    " SELECT count(*) FROM r",
    "postgres": "SELECT pg_sleep(1000)",
    "maria": "SELECT SLEEP(1000)",
}
BUSY = {
    **ENDLESS,
    "postgres": "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM r)"
    " SELECT count(*) FROM r",
    "maria": "SELECT BENCHMARK(1000000000000, MD5('x'))",
}
#: How many statements of ours a server is at work on.
AT_WORK = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop' AND state = 'active'",
    "maria": "SELECT count(*) FROM information_schema.processlist"
    " WHERE user = 'shop' AND command = 'Query'",
}
ADD = "INSERT INTO log (line) VALUES ('lost')"


@pytest.fixture(params=MAKES)
def make(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(make: str, tmp_path: Path) -> Base:
    return base(make, tmp_path)


Start = Callable[..., Run]


def lines(shop: Base) -> int:
    return int(shop.admin("SELECT count(*) FROM log"))


def failed(result: Any) -> tuple[str, str, bool | None]:
    assert result.fault is not None, result.values
    return result.fault.kind, result.fault.message, result.fault.retryable


def test_the_suites_in_lua_hold(make: str, tmp_path: Path, shop: Base) -> None:
    lua_suites(tmp_path / "sql")
    env = {**os.environ, "MOONQ_TEST_SQL": shop.url, "MOONQ_TEST_MAKE": make}
    files = [tmp_path / "sql" / f"{name}_test.lua" for name in ("statements", "transactions")]
    files.append(tmp_path / "sql" / "hostile_test.lua")
    command = [sys.executable, "-m", "moonq", "test", "-C", tmp_path / "sql", "--real", "-j", "1"]
    said = subprocess.run(
        [*map(str, [*command, *files])], env=env, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("statements", [ENDLESS, BUSY], ids=["waiting", "computing"])
def test_a_statement_ends_with_the_time_of_its_handler(
    make: str, shop: Base, project: Start, hosts: Start, statements: dict[str, str]
) -> None:
    run = hosts(project(shop.url, timeout="500ms"))
    began = time.monotonic()
    assert failed(run(f'return sql.query("app:shop", [[{statements[make]}]])'))[0] == "TIMEOUT"
    assert time.monotonic() - began < 3.0
    if make != "sqlite":
        until(lambda: shop.admin(AT_WORK[make]) == "0\n", "the server stops, too", 3.0)
    assert run('return sql.query("app:shop", "SELECT 1 AS n")[1].n').values == [1]


def test_a_statement_ends_with_the_time_of_its_entry(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "timeout: 300ms"))
    began = time.monotonic()
    kind, _, retryable = failed(run(f'return sql.query("app:shop", [[{ENDLESS[make]}]])'))
    if make == "maria":
        # An interrupted SLEEP is no error there, and says nothing.
        assert kind in ("TIMEOUT", "")
    else:
        assert (kind, retryable) == ("TIMEOUT", True)
    assert time.monotonic() - began < 3.0


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_transaction_is_rolled_back_when_its_handler_is_stopped(
    make: str, shop: Base, project: Start, hosts: Start, isolation: str
) -> None:
    run = hosts(project(shop.url, "pool: 1", timeout="500ms", isolation=isolation))
    for rest in ("while true do end", f"return tx:query([[{ENDLESS[make]}]])"):
        text = f'return sql.transaction("app:shop", function(tx) tx:execute("{ADD}") {rest} end)'
        assert failed(run(text))[0] == "TIMEOUT"
        assert lines(shop) == 0
    # Neither the only connection nor a lock is held any more.
    assert run(f'return sql.execute("app:shop", "{ADD}").affected').values == [1]


def test_a_transaction_is_rolled_back_when_memory_is_used_up(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "pool: 1"))
    grow = 'local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end'
    text = f'return sql.transaction("app:shop", function(tx) tx:execute("{ADD}") {grow} end)'
    assert "memory" in failed(run(text))[1]
    assert lines(shop) == 0
    assert run(f'return sql.execute("app:shop", "{ADD}").affected').values == [1]


def test_a_transaction_nobody_ends_is_rolled_back_with_its_call(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "pool: 1"))
    text = f"""
      local co = coroutine.create(function()
        sql.transaction("app:shop", function(tx) tx:execute("{ADD}") coroutine.yield() end)
      end)
      coroutine.resume(co)
      return coroutine.status(co)
    """
    assert run(text).values == ["suspended"]
    assert lines(shop) == 0
    assert run('return sql.query("app:shop", "SELECT 1 AS n")[1].n').values == [1]


def test_of_two_that_wait_for_each_other_one_is_told_to_try_again(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    shop.admin("INSERT INTO orders (id, customer) VALUES (1, 'a'), (2, 'b')")
    run = hosts(project(shop.url))
    results: list[Any] = []

    def change(first: int, second: int) -> None:
        results.append(
            run(f"""
              return sql.transaction("app:shop", function(tx)
                tx:execute("UPDATE orders SET total = 1 WHERE id = {first}")
                time.sleep("500ms")
                local _, err = tx:execute("UPDATE orders SET total = 2 WHERE id = {second}")
                return err == nil or nil, err
              end)
            """)
        )

    threads = [threading.Thread(target=change, args=ids) for ids in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [failed(one) for one in results if one.fault is not None]
    if make == "sqlite":  # where one writes at a time
        assert told == []
    else:
        ((kind, message, retryable),) = told
        assert (kind, retryable) == ("CONFLICT", True)
        assert "deadlock" in message.lower()


CONNECTIONS = {
    "postgres": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'",
    "maria": "KILL USER shop@'127.0.0.1'",
}


@pytest.mark.parametrize("make", ["postgres", "maria"])
def test_a_connection_that_is_lost_in_a_transaction_is_told_and_replaced(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "pool: 1"))
    text = f"""
      return sql.transaction("app:shop", function(tx)
        tx:execute("{ADD}")
        time.sleep("500ms")
        return tx:execute("{ADD}")
      end)
    """
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(run(text)))
    thread.start()
    time.sleep(0.25)
    shop.admin(CONNECTIONS[make])
    thread.join()
    assert failed(results[0])[::2] == ("UNAVAILABLE", True)
    assert lines(shop) == 0
    # One that was lost while it lay idle is not even noticed.
    assert run(f'return sql.execute("app:shop", "{ADD}").affected').values == [1]
    shop.admin(CONNECTIONS[make])
    time.sleep(0.1)
    assert run(f'return sql.execute("app:shop", "{ADD}").affected').values == [1]


def test_a_server_that_is_killed_in_a_transaction_is_found_again(
    project: Start, hosts: Start, tmp_path: Path
) -> None:
    server = sql.Postgres().start()
    server.run(f"CREATE ROLE shop LOGIN PASSWORD '{sql.PASSWORD}'")
    shop = base("postgres", tmp_path, server)
    run = hosts(project(shop.url, timeout="5s"))
    text = f"""
      return sql.transaction("app:shop", function(tx)
        tx:execute("{ADD}")
        time.sleep("800ms")
        return tx:execute("{ADD}")
      end)
    """
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(run(text)))
    thread.start()
    time.sleep(0.4)
    server.process.kill()
    thread.join()
    assert failed(results[0])[::2] == ("UNAVAILABLE", True)
    kind, message, retryable = failed(run('return sql.query("app:shop", "SELECT 1 AS n")'))
    assert (kind, retryable) == ("UNAVAILABLE", True)
    assert "refused" in message
    assert "w@rd" not in message
    server.start()
    assert run('return sql.query("app:shop", "SELECT 1 AS n")[1].n').values == [1]
    assert lines(shop) == 0
    server.process.kill()


@pytest.mark.parametrize("make", ["postgres", "maria"])
def test_a_server_that_stands_still_holds_no_handler(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "pool: 1", timeout="700ms"))
    mine = "SELECT pg_backend_pid() AS pid" if make == "postgres" else "SELECT 1 AS pid"
    (pid,) = run(f'return sql.query("app:shop", "{mine}")[1].pid').values
    pid = pid if make == "postgres" else shop.server.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert failed(run('return sql.query("app:shop", "SELECT 1 AS n")'))[0] == "TIMEOUT"
        assert time.monotonic() - began < 4.0
    finally:
        os.kill(pid, signal.SIGCONT)
    assert run('return sql.query("app:shop", "SELECT 1 AS n")[1].n').values == [1]


@pytest.mark.parametrize(("scheme", "most"), [("postgresql", 3.5), ("mariadb", 1.5)])
def test_a_server_that_accepts_and_says_nothing_holds_no_handler(
    scheme: str, most: float, project: Start, hosts: Start
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://shop@127.0.0.1:{silent.getsockname()[1]}/shop"
        run = hosts(project(url, timeout="300ms"))
        began = time.monotonic()
        assert failed(run('return sql.query("app:shop", "SELECT 1 AS n")'))[0] == "TIMEOUT"
        assert time.monotonic() - began < most


def test_all_connections_in_use_are_told(
    make: str, shop: Base, project: Start, hosts: Start
) -> None:
    run = hosts(project(shop.url, "pool: 1", "timeout: 300ms"))
    done = threading.Event()
    text = 'return sql.transaction("app:shop", function() time.sleep("2s") end)'

    def hold() -> None:
        run(text)
        done.set()

    threading.Thread(target=hold).start()
    found: list[tuple[str, str, bool | None]] = []

    def is_told() -> bool:
        result = run('return sql.transaction("app:shop", function() return 1 end)')
        if result.fault is not None:
            found.append(failed(result))
        return bool(found)

    until(is_told, "the second one is refused", 5.0)
    kind, message, retryable = found[0]
    assert (kind, retryable) == ("UNAVAILABLE", True)
    assert "all 1 connections of app:shop are in use" in message
    until(done.is_set, "the first one ends", 10.0)
