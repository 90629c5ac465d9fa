"""`--set`, `--override` and `moonq doctor --config`, as a person meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from moonq.control.server import Server
from moonq.host import Host
from moonq.kinds import load

Moonq = Callable[..., Any]

INDEX = """\
namespace: app
entries:
  - {name: driver, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: driver}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [registry]}
  - {name: limit, kind: registry.entry, most: 3}
"""
SETTINGS = "name: shop\nprofiles:\n  prod: {production: true, entries: {app:limit: {most: 4}}}\n"
WORK = "return function() return require('registry').get('app:limit').data.most end\n"
TEST = """
local test = require("test")
test.it("sees nine", function()
  test.eq(test.call("app:work"), 9)
end)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"_index.yaml": INDEX, "moonq.yaml": SETTINGS, "work.lua": WORK}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".runtime").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ".runtime"))
    return tmp_path


def values(moonq: Moonq, *more: str) -> dict[str, tuple[Any, str, str | None]]:
    found = json.loads(moonq("doctor", "--config", "--json", *more).out)
    assert found["schema"] == "moonq.config/1"
    return {one["name"]: (one["value"], one["origin"], one["where"]) for one in found["values"]}


def test_a_call_goes_by_what_is_said(shop: Path, moonq: Moonq) -> None:
    def most(*words: str) -> Any:
        return json.loads(moonq(*words, "--json").out)["values"]

    assert most("call", "work", "-o", "limit:most=9") == [9]
    assert most("-o", "app:limit:most=8", "call", "work") == [8]
    assert most("-o", "limit:most=8", "call", "work", "-o", "limit:most=7") == [7]


def test_tests_go_by_what_is_said(shop: Path, moonq: Moonq) -> None:
    (shop / "a_test.lua").write_text(TEST)
    assert moonq("test", "-o", "app:limit:most=9").code == 0
    assert moonq("test").code == 1


def test_a_variable_counts_less_than_an_option(
    shop: Path, moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_SET", "log.level=debug 'name=the shop'")
    found = values(moonq, "--set", "log.level=error")
    assert found["log.level"] == ("error", "flag", "--set")
    assert found["name"] == ("the shop", "environment", "MOONQ_SET")


def test_every_value_has_its_origin(
    shop: Path, moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_PROFILE", "prod")
    monkeypatch.setenv("MOONQ_RUN_LOG", "json")
    found = values(moonq, "-o", "orders:max_body=1000")
    assert found["profile"] == ("prod", "environment", "MOONQ_PROFILE")
    assert found["MOONQ_RUN_LOG"] == ("json", "environment", "MOONQ_RUN_LOG")
    assert found["name"] == ("shop", "file", "moonq.yaml:1")
    assert found["production"] == (True, "profile", "moonq.yaml:3 in profile prod")
    assert found["redact"] == ([], "default", None)
    assert found["app:limit:most"] == (4, "profile", "moonq.yaml:3 in profile prod")
    assert found["app:orders:max_body"] == (1000, "flag", "--override")


def test_people_see_the_same(shop: Path, moonq: Moonq) -> None:
    said = moonq("doctor", "--config", "--set", "log.level=debug").out
    assert [line.split() for line in said.splitlines() if line.startswith("log.level ")] == [
        ["log.level", "debug", "--set"]
    ]


def test_an_entry_shows_which_option_says_its_field(shop: Path, moonq: Moonq) -> None:
    said = moonq("show", "app:orders", "-o", "orders:max_body=1000").out
    assert "1000  (--override)" in said


@pytest.mark.parametrize(
    ("options", "form"),
    [
        (["--set", "log.level"], "PATH=VALUE"),
        (["-o", "orders=3"], "ENTRY:FIELD=VALUE"),
        (["-o", "orders:=3"], "ENTRY:FIELD=VALUE"),
    ],
)
def test_what_has_not_the_form_is_wrong_usage(
    shop: Path, moonq: Moonq, options: list[str], form: str
) -> None:
    said = moonq("ls", *options)
    assert said.code == 2
    assert form in said.err


def test_a_running_host_is_as_it_was_started(shop: Path, moonq: Moonq) -> None:
    from moonq.control.locating import place_of

    host = Host(load(shop))
    server = Server(host, place_of(shop))
    server.claim()
    server.listen()
    try:
        said = moonq("ls", "-o", "app:limit:most=9")
    finally:
        server.stop()
        host.stop()
    assert said.code == 0
    assert "-o counts for hosts that start" in said.err.replace("--override", "-o")


def test_a_shell_completes_settings_and_fields(shop: Path) -> None:
    from moonq.cli import moonq as group

    completing = ShellComplete(group, {}, "moonq", "_MOONQ_COMPLETE")

    def offered(option: str, typed: str) -> list[str]:
        return [one.value for one in completing.get_completions(["run", option], typed)]

    assert offered("--set", "log.l") == ["log.level=", "log.levels="]
    assert "app:orders:" in offered("-o", "app:ord")
    assert offered("-o", "app:orders:retry.max_a") == ["app:orders:retry.max_attempts="]


def test_an_option_before_the_command_counts_more_than_its_variable(
    shop: Path, moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_DOCTOR_SET", "log.level=debug name=other")
    said = moonq("--set", "log.level=error", "doctor", "--config", "--json")
    found = {one["name"]: one["value"] for one in json.loads(said.out)["values"]}
    assert (found["log.level"], found["name"]) == ("error", "other")


def test_a_variable_that_is_no_list_of_settings_is_wrong_usage(
    shop: Path, moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("'", "level"):
        monkeypatch.setenv("MOONQ_SET", text)
        said = moonq("ls")
        assert (said.code, "MOONQ_SET" in said.err) == (2, True)
