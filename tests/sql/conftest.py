"""What the tests of databases share: a project on one of the servers."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.servers import sql

from moonq.host import CallResult, Host
from moonq.kinds import load

FOLDER = Path(__file__).parent
_BASES = itertools.count(1)
#: A function that runs what it is told, as Lua text.
PROJECT = """
namespace: app
entries:
  - name: shop
    kind: sql.database
    url: "{url}"
    {more}
  - {{name: memory, kind: queue.driver.memory}}
  - name: main
    kind: function.lua
    source: file://main.lua
    modules: [sql, time]
    isolation: {isolation}
    limits: {{timeout: {timeout}}}
"""
MAIN = """
local sql, time = require("sql"), require("time")
return function(text)
  local env = setmetatable({ sql = sql, time = time }, { __index = _G })
  return assert(load(text, "=text", "t", env))()
end
"""


class Base(NamedTuple):
    """A database with the tables of the tests, owned by a user without other rights."""

    url: str
    admin: Callable[[str], str]
    """Runs statements past moonq, and returns what they print."""
    server: Any = None


def base(make: str, folder: Path, server: Any = None) -> Base:
    """Return a new one, on the server that all tests share or on another."""
    name = f"shop{next(_BASES)}"
    if make == "sqlite":
        file = folder / f"{name}.db"
        with sqlite3.connect(file) as connection:
            connection.executescript((FOLDER / "schema.sql").read_text("utf-8"))
        connection.close()
        return Base(f"sqlite:///{file}", lambda text: _on_file(file, text))
    if make == "postgres":
        server = server or sql.postgres()
        server.run(f"CREATE DATABASE {name} OWNER shop")
        tables = (FOLDER / "schema.postgres.sql").read_text("utf-8")
        server.run(f"SET ROLE shop;\n{tables}", name)
    else:
        server = server or sql.maria()
        server.run(f"CREATE DATABASE {name}; GRANT ALL ON {name}.* TO shop@'127.0.0.1'")
        server.run((FOLDER / "schema.maria.sql").read_text("utf-8"), name)
    return Base(server.url(name), lambda text: str(server.run(text, name)), server)


def _on_file(file: Path, text: str) -> str:
    connection = sqlite3.connect(file, timeout=5.0)
    try:
        rows = connection.execute(text).fetchall()
        connection.commit()
        return "".join("\t".join(map(str, row)) + "\n" for row in rows)
    finally:
        connection.close()


Run = Callable[..., CallResult]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Write a project around a database."""

    def write(url: str, *more: str, timeout: str = "10s", isolation: str = "thread") -> Path:
        fields = "\n    ".join(more)
        text = PROJECT.format(url=url, more=fields, timeout=timeout, isolation=isolation)
        (tmp_path / "_index.yaml").write_text(text, encoding="utf-8")
        (tmp_path / "main.lua").write_text(MAIN, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def hosts() -> Any:
    """Start hosts, and stop them behind the test."""
    started: list[Host] = []

    def start(folder: Path) -> Run:
        host = Host(load(folder))
        host.start()
        started.append(host)

        def run(text: str, **how: Any) -> CallResult:
            return host.call("app:main", json.dumps(text), **how)

        run.host = host  # type: ignore[attr-defined]
        return run

    yield start
    for host in started:
        host.stop()


def lua_suites(target: Path) -> None:
    """Copy the tests in Lua, as a project of their own."""
    shutil.copytree(FOLDER, target, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
