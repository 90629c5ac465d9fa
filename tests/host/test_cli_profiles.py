"""`--profile` and MOONQ_PROFILE, as a person meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moonq.client import Client
from moonq.control.client import connect
from moonq.errors import NoHost
from moonq.host import Host
from moonq.kinds import load

from .conftest import until

Moonq = Callable[..., Any]

INDEX = """\
namespace: app
entries:
  - {name: driver, kind: queue.driver.memory}
  - name: orders
    kind: queue.queue
    driver: driver
    retry: {max_attempts: 5}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [registry]}
  - {name: limit, kind: registry.entry, most: 3}
"""
SETTINGS = """\
name: shop
profiles:
  prod:
    production: true
    entries:
      app:driver: {kind: queue.driver.sqlite, path: "${env:SHOP_DB:-shop.db}"}
      app:orders: {retry: {max_attempts: 3}}
      app:limit: {most: 9}
  staging: {entries: {app:driver: {kind: queue.driver.sqlite}}}
"""
WORK = "return function() return require('registry').get('app:limit').data.most end\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "moonq.yaml").write_text(SETTINGS)
    (tmp_path / "work.lua").write_text(WORK)
    monkeypatch.chdir(tmp_path)
    # Hosts of others on this machine are none of these tests' business.
    (tmp_path / ".runtime").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ".runtime"))
    return tmp_path


@pytest.fixture
def running(shop: Path) -> Iterator[Path]:
    """The shop with a host that runs it in production."""
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "run", "--profile", "prod"], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: _answers(shop))
        yield shop
    finally:
        process.terminate()
        process.wait()


def _answers(folder: Path) -> bool:
    try:
        connect(folder).close()
    except NoHost:
        return False
    return True


# Choosing -------------------------------------------------------------------------------------


def test_a_function_sees_the_entries_of_the_profile(moonq: Moonq, shop: Path) -> None:
    assert "returned     3" in moonq("call", "app:work").out
    assert "returned     9" in moonq("call", "app:work", "--profile", "prod").out
    assert "returned     9" in moonq("--profile", "prod", "call", "app:work").out


def test_the_variable_chooses_and_the_option_overrules_it(
    moonq: Moonq, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_PROFILE", "prod")
    show = ("show", "app:limit", "--field", "most")
    assert moonq(*show).out == "9\n"
    assert moonq(*show, "--profile", "staging").out == "3\n"
    assert moonq("--profile", "staging", *show).out == "3\n"
    assert moonq(*show, "--profile", "").out == "3\n"


def test_a_profile_that_is_not_there_ends_with_3_and_a_suggestion(moonq: Moonq, shop: Path) -> None:
    for command in (["run", "--until-idle"], ["ls"], ["doctor"], ["repl", "-e", "1"], ["test"]):
        said = moonq(*command, "--profile", "stagin")
        assert said.code == 3, command
        assert "error[R240]: there is no profile `stagin`" in said.err
        assert "did you mean `staging`?" in said.err


def test_lua_tests_run_in_the_profile_also_in_other_processes(moonq: Moonq, shop: Path) -> None:
    (shop / "limit_test.lua").write_text(
        'local test, registry = require("test"), require("registry")\n'
        'test.it("is the limit of production", function()\n'
        '  test.eq(test.call("app:work"), 9)\n'
        '  test.eq(registry.get("app:limit").data, { most = 9 })\n'
        "end)\n"
    )
    (shop / "other_test.lua").write_text((shop / "limit_test.lua").read_text())
    assert moonq("test", "--profile", "prod").code == 0
    assert moonq("test", "--profile", "prod", "-j", "2").code == 0
    assert moonq("test").code == 1


def test_a_direct_client_publishes_where_the_profile_says(
    shop: Path, monkeypatch: pytest.MonkeyPatch, moonq: Moonq
) -> None:
    with Client(shop, direct=True, profile="prod") as client:
        client.publish("app:orders", {"id": 1})
    monkeypatch.setenv("MOONQ_PROFILE", "prod")
    with Client(shop, direct=True) as client:
        client.publish("app:orders", {"id": 2})
    queues = json.loads(moonq("queues", "--json").out)["queues"]
    assert [one["ready"] for one in queues if one["id"] == "app:orders"] == [2]
    assert (shop / "shop.db").exists()


# Seeing ---------------------------------------------------------------------------------------


def test_show_says_where_each_value_comes_from(moonq: Moonq, shop: Path) -> None:
    said = moonq("show", "app:driver", "--profile", "prod").out
    assert said.startswith(
        "app:driver  queue.driver.sqlite  _index.yaml:3  (moonq.yaml:6 in profile prod)\n"
    )
    assert "path          shop.db  (moonq.yaml:6 in profile prod)\n" in said
    assert "durability    full\n" in said  # a default comes from nowhere
    orders = moonq("show", "app:orders", "--profile", "prod").out
    assert "driver           app:driver  (_index.yaml:6)\n" in orders
    assert "max_attempts: 3" in orders


def test_show_gives_machines_the_origins(moonq: Moonq, shop: Path) -> None:
    found = json.loads(moonq("show", "app:orders", "--profile", "prod", "--json").out)
    assert found["origins"]["driver"] == {"file": "_index.yaml", "line": 6, "profile": None}
    changed = {"file": "moonq.yaml", "line": 7, "profile": "prod"}
    assert found["origins"]["retry.max_attempts"] == changed


def test_what_is_secret_in_a_profile_is_masked(moonq: Moonq, shop: Path) -> None:
    (shop / "moonq.yaml").write_text(
        "profiles: {p: {entries: {app:driver: {kind: queue.driver.sqlite, path: 's://a:geheim@b'}}}}"
    )
    doctor = moonq("doctor", "--profile", "p")
    assert "geheim" not in doctor.out + doctor.err
    assert "s://a:***@b" in doctor.out


def test_doctor_tells_profiles_and_settings_with_their_origins(moonq: Moonq, shop: Path) -> None:
    said = moonq("doctor", "--profile", "prod").out
    assert "profile  prod (others: staging)\n" in said
    assert "production  true  (moonq.yaml:4 in profile prod)\n" in said
    found = json.loads(moonq("doctor", "--json").out)
    assert (found["profile"], found["profiles"]) == (None, ["prod", "staging"])
    place = {"file": "moonq.yaml", "line": 1, "profile": None}
    assert found["settings"] == {"name": {"value": "shop", **place}}


def test_check_says_which_profiles_it_looked_at(moonq: Moonq, shop: Path) -> None:
    assert moonq("check").out.startswith("checked 5 entries, also in profiles prod, staging in ")
    assert moonq("check", "--profile", "prod").out.startswith(
        "checked 5 entries in profile prod in"
    )
    assert json.loads(moonq("check", "--json").out)["profiles"] == ["prod", "staging"]


def test_check_names_the_profile_of_a_finding(moonq: Moonq, shop: Path) -> None:
    settings = (shop / "moonq.yaml").read_text()
    (shop / "moonq.yaml").write_text(settings.replace("path:", "paht:"))
    said = moonq("check")
    assert said.code == 1
    assert "error[R206] in profile prod: a queue.driver.sqlite has no field `paht`" in said.out
    found = json.loads(moonq("check", "--json").out)["findings"]
    assert [one["profiles"] for one in found] == [["prod"]]
    assert moonq("check", "--profile", "staging").code == 0


# A running host -------------------------------------------------------------------------------


def test_a_running_host_says_its_profile_and_who_wants_another_is_told(
    moonq: Moonq, running: Path
) -> None:
    assert " · PRODUCTION · " in moonq("status").out
    [host] = json.loads(moonq("status", "--json").out)["hosts"]
    wanted = {"profile": "prod", "chosen_profile": "prod", "production": True}
    assert {name: host[name] for name in wanted} == wanted
    notice = f"runs with profile prod, not staging (pid {host['pid']}); it is asked as it is"
    for command in (["queues"], ["top", "--once"], ["repl", "-e", "1"]):
        assert notice in moonq(*command, "--profile", "staging").err, command
        assert "runs with" not in moonq(*command, "--profile", "prod").err, command
        assert "runs with" not in moonq(*command).err, command


def test_the_history_of_a_host_begins_with_its_profile(moonq: Moonq, shop: Path) -> None:
    said = moonq("run", "--until-idle", "--profile", "staging", "--log", "pretty")
    assert "· shop · profile staging · pid" in said.err


# Reloading ------------------------------------------------------------------------------------


def test_a_reload_applies_the_profile_again(shop: Path) -> None:
    host = Host(load(shop, profile="prod"))
    host.start()
    try:
        settings = (shop / "moonq.yaml").read_text()
        (shop / "moonq.yaml").write_text(settings.replace("most: 9", "most: 12"))
        assert host.reload().changed == ("app:limit",)
        assert host.call("app:work").values == [12]
    finally:
        host.stop()


def test_saving_the_file_of_profiles_is_a_reload(shop: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "run", "--watch", "--profile", "prod"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any('"message":"watching"' in line for line in process.stderr)
        settings = (shop / "moonq.yaml").read_text()
        (shop / "moonq.yaml").write_text(settings.replace("most: 9", "most: 12"))
        with closing(connect(shop)) as host:
            until(lambda: host.request("call", function="app:work")["values"] == [12])
    finally:
        process.terminate()
        process.communicate()


def test_a_reload_without_the_profile_changes_nothing(moonq: Moonq, running: Path) -> None:
    settings = (running / "moonq.yaml").read_text()
    (running / "moonq.yaml").write_text(settings.replace("prod:", "production:"))
    said = moonq("reload", "--yes")
    assert said.code == 3
    assert "there is no profile `prod`" in said.err
    assert "returned     9" in moonq("call", "app:work").out
