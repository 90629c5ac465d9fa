"""What people see of a database in a project: check, show, doctor, dry runs, rights, reloads."""

from __future__ import annotations

import contextlib
import importlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.kinds import inspect, load

from .conftest import Run, base

Moonq = Callable[..., Any]
SCHEMA = "CREATE TABLE log (line TEXT NOT NULL);"
SECRET = "postgresql://shop:s3cr3t@127.0.0.1:9/shop"


def entry(folder: Path, *fields: str, more: str = "") -> list[tuple[str, str]]:
    """What a check says of a database with these fields."""
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n  - name: shop\n    kind: sql.database\n"
        + "".join(f"    {field}\n" for field in fields)
        + more,
        "utf-8",
    )
    _, findings = inspect(folder)
    return [(one.code, "; ".join((one.message, *one.helps))) for one in findings]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///../shop.db", "a relative path lies below the project"),
        ("sqlite:///a/../../shop.db", "a relative path lies below the project"),
        ("sqlite://shop.db", "a file's URL names no host; write `sqlite:///shop.db`"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///shop.db?mode=memory", "`mode` is no option of a sqlite URL"),
        ("sqlite:///folder/", "must name a file"),
        ("sqlite:///$HOME/shop.db", "as it is on the disk"),
        ("postgres://h/shop", "no database that moonq knows; begin it with postgresql://"),
        ("postgresql+psycopg2://h/shop", "begin it with postgresql://"),
        ("oracle://h/shop", "begin it with one of sqlite://, postgresql://"),
        ("shop.db", "no database that moonq knows"),
        ("mysql://h", "`url` names no database; write `mysql://user@host/database`"),
        ("mysql://h/shop?local_infile=1", "`local_infile` is no option of a mysql URL"),
        ("postgresql://h/shop?sslmod=require", "did you mean `sslmode`?"),
        ("postgresql://h:port/shop", "cannot be read"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(tmp_path: Path, url: str, told: str) -> None:
    ((code, message),) = entry(tmp_path, f"url: '{url}'")
    assert code == "R207"
    assert told in message


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite:///.moonq/queues.db", "sqlite:///./.moonq/../.moonq/queues.db"),
        *("sqlite:///.moonq/queues.db-wal", "sqlite:///link.db"),
    ],
)
def test_the_file_of_a_driver_is_no_database(tmp_path: Path, url: str) -> None:
    (tmp_path / ".moonq").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / ".moonq" / "queues.db")
    driver = "  - {name: file, kind: queue.driver.sqlite}\n"
    ((code, message),) = entry(tmp_path, f"url: {url}", more=driver)
    assert (code, message.partition(";")[0]) == ("R227", "this is the file of `app:file`")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (("schema: schema.sql",), "must be `file://` and a path; write `file://schema.sql`"),
        (("schema: file://none.sql",), "schema file not found; make none.sql"),
        (("schema: file://../none.sql",), "a schema must lie inside the project"),
        (("create: true", "read_only: true"), "keep one"),
        (("pool: 0",), "must be between 1 and 1000"),
        (("max_bytes: 1G",), "must be between"),
        (("pools: 1",), "did you mean `pool`?"),
    ],
)
def test_a_field_that_makes_no_sense_is_told(
    tmp_path: Path, fields: tuple[str, ...], told: str
) -> None:
    ((_, message),) = entry(tmp_path, "url: sqlite:///shop.db", *fields)
    assert told in message


def test_only_sqlite_makes_its_database(tmp_path: Path) -> None:
    ((_, message),) = entry(tmp_path, "url: mysql://h/shop", "create: true")
    assert "make the database at its server" in message


def test_show_and_doctor_hide_the_password(tmp_path: Path, moonq: Moonq) -> None:
    assert entry(tmp_path, f"url: {SECRET}", "connect_timeout: 1s") == []
    for command in ("show app:shop", "show app:shop --json", "doctor", "doctor --json"):
        said = moonq(*command.split(), "-C", tmp_path)
        assert "s3cr3t" not in said.out + said.err
    assert said.code == 1
    (found,) = json.loads(said.out)["databases"]
    assert found["settings"]["url"] == "postgresql://shop:***@127.0.0.1:9/shop"
    assert "refused" in found["problem"]


def test_doctor_says_what_answers(tmp_path: Path, moonq: Moonq) -> None:
    assert entry(tmp_path, "url: sqlite:///shop.db", "create: true") == []
    assert "app:shop  sql.database  made when a host starts" in moonq("doctor", "-C", tmp_path).out
    sqlite3.connect(tmp_path / "shop.db").close()
    said = moonq("doctor", "-C", tmp_path)
    assert (said.code, f"SQLite {sqlite3.sqlite_version}" in said.out) == (0, True)
    (tmp_path / "shop.db").write_text("this is no database, but a text" * 100)
    said = moonq("doctor", "-C", tmp_path)
    assert (said.code, "file is not a database" in said.out) == (1, True)


def test_a_file_is_made_of_its_schema_once(tmp_path: Path, project: Any, hosts: Any) -> None:
    (tmp_path / "schema.sql").write_text(SCHEMA)
    folder = project("sqlite:///data/shop.db", "create: true", "schema: file://schema.sql")
    run: Run = hosts(folder)
    add = "return sql.execute('app:shop', 'INSERT INTO log (line) VALUES (1)').affected"
    assert run(add).values == [1]
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["shop.db"]
    again: Run = hosts(folder)
    count = "return sql.query('app:shop', 'SELECT count(*) AS n FROM log')[1].n"
    assert again(count).values == [1]


def test_a_schema_with_a_mistake_makes_no_file(tmp_path: Path, project: Any, moonq: Moonq) -> None:
    (tmp_path / "schema.sql").write_text("CREATE TABL log")
    project("sqlite:///shop.db", "create: true", "schema: file://schema.sql")
    said = moonq("call", "app:main", '"return 1"', "--send", "-C", tmp_path)
    assert said.code
    assert 'schema.sql is no schema for SQLite: near "TABL"' in said.err
    assert not list(tmp_path.glob("*.db*"))


TRIMS = """
  SELECT trim('xxaxx', 'x') || ltrim('..a', '.') || rtrim('aab', 'ba') || trim(' b ')
    || coalesce(trim(NULL, 'x'), 'n') || trim(1.0, '0') || trim(17, 7) || trim('aa', '') AS t
"""


def test_trimming_is_as_in_sqlite(project: Any, hosts: Any) -> None:
    (expected,) = sqlite3.connect(":memory:").execute(TRIMS).fetchone()
    run: Run = hosts(project("sqlite:///shop.db", "create: true"))
    assert run(f"return sql.query('app:shop', [[{TRIMS}]])[1].t").values == [expected]


def test_a_file_that_is_not_there_is_not_made(project: Any, hosts: Any) -> None:
    run: Run = hosts(project("sqlite:///shop.db"))
    fault = run("return sql.query('app:shop', 'SELECT 1 AS n')").fault
    assert fault is not None
    assert (fault.kind, fault.retryable) == ("UNAVAILABLE", True)
    assert "create: true" in fault.message


def test_a_dry_run_reads_and_ends_at_the_first_statement_that_writes(
    tmp_path: Path, project: Any, hosts: Any
) -> None:
    shop = base("sqlite", tmp_path)
    run: Run = hosts(project(shop.url))
    count = "sql.query('app:shop', 'SELECT count(*) AS n FROM log')[1].n"
    assert run(f"return {count}", send=False).values == [0]
    for text in (
        "return sql.execute('app:shop', \"INSERT INTO log (line) VALUES ('x')\")",
        """return sql.transaction("app:shop", function(tx)
             assert(#tx:query("SELECT line FROM log") == 0)
             return tx:execute("INSERT INTO log (line) VALUES ('x')")
           end)""",
    ):
        result = run(text, send=False)
        assert result.unknown == "run at app:shop: INSERT INTO log (line) VALUES ('x')"
        assert shop.admin("SELECT count(*) FROM log") == "0\n"


def test_a_dry_run_that_is_real_writes(tmp_path: Path, project: Any, hosts: Any) -> None:
    shop = base("sqlite", tmp_path)
    run: Run = hosts(project(shop.url))
    text = "return sql.execute('app:shop', \"INSERT INTO log (line) VALUES ('x')\").affected"
    assert run(text, send=False, real=True).values == [1]
    text = """return sql.transaction("app:shop", function(tx)
      return tx:execute("INSERT INTO log (line) VALUES ('x')").affected
    end)"""
    assert run(text, send=False, real=True).values == [1]
    assert shop.admin("SELECT count(*) FROM log") == "2\n"


@pytest.mark.parametrize("real", [(), ("--real",)], ids=["shut", "real"])
def test_a_test_never_touches_a_file_that_is_declared(
    project: Any, moonq: Moonq, real: tuple[str, ...]
) -> None:
    folder = project("sqlite:///shop.db")
    with contextlib.closing(sqlite3.connect(folder / "shop.db")) as declared:
        declared.execute("CREATE TABLE mine (line TEXT)")
    (folder / "own_test.lua").write_text("""
      local test = require("test")
      test.it("has a database of its own", function()
        test.eq(test.sql("app:shop"):query("SELECT name FROM sqlite_master"), {})
      end)
    """)
    said = moonq("test", "-C", folder, *real)
    assert said.code == 0, said.out


def test_a_test_that_opens_no_database_is_told_the_line_to_write(
    project: Any, moonq: Moonq
) -> None:
    folder = project("sqlite:///shop.db")
    (folder / "shut_test.lua").write_text("""
      local sql, test = require("sql"), require("test")
      test.it("asks", function() sql.query("app:shop", "SELECT 1 AS n") end)
      test.it("begins", function() sql.transaction("app:shop", print) end)
    """)
    said = moonq("test", "-C", folder)
    assert said.code
    assert "it would run at app:shop: SELECT 1 AS n" in said.out
    assert "it would begin a transaction at app:shop" in said.out
    assert said.out.count('write test.sql("app:shop"), or run with --real') >= 2


POLICY = """
  - {name: may, kind: security.policy, groups: [g],
     policy: {actions: [%s], resources: [app:shop], effect: allow}}
  - {name: tasks, kind: queue.queue, driver: memory}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: main
    lifecycle: {security: {actor: {id: worker}, groups: [g]}}
"""
READ = "return sql.query('app:shop', 'SELECT line FROM log')"
READ_TX = """return sql.transaction("app:shop", function(tx)
  return tx:query("SELECT line FROM log")
end, { read_only = true })"""
WRITE = "return sql.execute('app:shop', 'DELETE FROM log')"
WRITE_TX = "return sql.transaction('app:shop', function(tx) return 7 end)"


@pytest.mark.parametrize(
    ("actions", "allowed", "denied"),
    [
        ("sql.query", (READ, READ_TX), (WRITE, WRITE_TX)),
        ("sql.execute", (WRITE, WRITE_TX), (READ, READ_TX)),
        ("sql.*", (READ, READ_TX, WRITE, WRITE_TX), ()),
    ],
)
def test_policies_are_asked_about_each(
    tmp_path: Path,
    project: Any,
    hosts: Any,
    actions: str,
    allowed: tuple[str, ...],
    denied: tuple[str, ...],
) -> None:
    shop = base("sqlite", tmp_path)
    folder = project(shop.url)
    index = folder / "_index.yaml"
    index.write_text(index.read_text() + POLICY % actions)
    run: Run = hosts(folder)
    for text in allowed:
        assert run(text, consumer="app:worker").fault is None, text
    for text in denied:
        fault = run(text, consumer="app:worker").fault
        assert fault is not None
        assert fault.kind == "PERMISSION_DENIED"


def test_a_statement_in_a_transaction_is_asked_about_too(
    tmp_path: Path, project: Any, hosts: Any
) -> None:
    shop = base("sqlite", tmp_path)
    folder = project(shop.url)
    index = folder / "_index.yaml"
    index.write_text(index.read_text() + POLICY % "sql.execute")
    run: Run = hosts(folder)
    text = """return sql.transaction("app:shop", function(tx)
      return tx:query("SELECT line FROM log")
    end)"""
    fault = run(text, consumer="app:worker").fault
    assert fault is not None
    assert fault.kind == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("sqlite:///shop.db", "sqlalchemy", "sql"),
        (SECRET, "psycopg", "postgres"),
        ("mariadb://h/shop", "pymysql", "mysql"),
    ],
)
def test_a_missing_library_says_what_to_install(
    project: Any, moonq: Moonq, monkeypatch: pytest.MonkeyPatch, url: str, library: str, extra: str
) -> None:
    monkeypatch.setattr("moonq.text.extras.import_module", _refusing(library))
    said = moonq("call", "app:main", '"return 1"', "--send", "-C", project(url))
    assert f'pip install "moonq[{extra}]"' in said.err


def _refusing(missing: str) -> Callable[[str], Any]:
    def import_module(name: str) -> Any:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return importlib.import_module(name)

    return import_module


def test_a_reload_goes_on_with_the_new_database(tmp_path: Path, project: Any, hosts: Any) -> None:
    first, second = base("sqlite", tmp_path), base("sqlite", tmp_path)
    second.admin("INSERT INTO log (line) VALUES ('second')")
    run: Run = hosts(project(first.url))
    count = "return sql.query('app:shop', 'SELECT count(*) AS n FROM log')[1].n"
    assert run(count).values == [0]
    project(second.url)
    run.host.reload()  # type: ignore[attr-defined]
    assert run(count).values == [1]


def test_a_project_is_checked_without_the_library(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(
        f"namespace: app\nentries:\n  - {{name: shop, kind: sql.database, url: '{SECRET}'}}\n"
    )
    assert load(tmp_path).entries["app:shop"]
