from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers.process import Process, free_port, listens

from moonq import drivers
from moonq.cli.scaffolding import BROKERS
from moonq.kinds import load

Moonq = Callable[..., Any]

FILES = {
    ".editorconfig",
    ".emmyrc.json",
    ".gitignore",
    ".luacheckrc",
    ".luarc.json",
    "moonq.yaml",
    "src/_index.yaml",
    "src/process_order.lua",
    "stylua.toml",
    "test/process_order_test.lua",
}


def files_in(folder: Path) -> set[str]:
    """Every file below *folder* that is not moonq's own."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
    return {path.as_posix() for path in found if ".moonq" not in path.parts}


def test_a_new_project_has_its_files_and_passes_the_check(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop")
    assert said.code == 0
    assert "created" in said.err
    assert files_in(tmp_path / "shop") == FILES
    checked = moonq("check", tmp_path / "shop")
    assert checked.code == 0, checked.out
    assert "no errors" in checked.out


def test_what_a_new_project_says_to_do_next_works(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop")
    [line] = [line for line in said.err.splitlines() if "moonq call" in line]
    _, *args = shlex.split(line)
    called = moonq(*args, "-C", tmp_path / "shop")
    assert called.code == 0, called.err
    assert "would ack" in called.out
    assert "order=42" in called.out
    assert moonq("run", tmp_path / "shop", "--until-idle").code == 0


@pytest.mark.parametrize("name", ["no", "123", "a: b", "käse laden", 'a"b'])
def test_a_project_may_be_called_anything(moonq: Moonq, tmp_path: Path, name: str) -> None:
    said = moonq("new", tmp_path / name)
    [line] = [line for line in said.err.splitlines() if line.startswith("  cd ")]
    assert shlex.split(line) == ["cd", str(tmp_path / name)]
    assert moonq("check", tmp_path / name).code == 0


def test_a_project_inside_another_leaves_that_one_alone(moonq: Moonq, tmp_path: Path) -> None:
    outer, inner = tmp_path / "shop", tmp_path / "shop" / "plugins" / "mail"
    moonq("new", outer)
    before = moonq("check", outer, "--json").out
    said = moonq("new", inner)
    assert said.code == 0
    assert "it lies in shop, and is a project of its own" in said.err
    assert moonq("check", outer, "--json").out == before
    assert moonq("check", inner).code == 0
    tests = json.loads(moonq("test", "-C", outer, outer, "--json").out.splitlines()[-1])
    assert tests["passed"] == 2 * 2
    assert moonq("run", outer, "--until-idle").code == 0


def test_a_folder_with_other_files_needs_yes(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    refused = moonq("new", tmp_path)
    assert refused.code == 7
    assert "--yes" in refused.err
    assert files_in(tmp_path) == {"notes.txt"}
    assert moonq("new", tmp_path, "--yes").code == 0
    assert files_in(tmp_path) == FILES | {"notes.txt"}


def test_nothing_is_overwritten_even_with_yes(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "_index.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "stylua.toml").write_text("mine", encoding="utf-8")
    refused = moonq("new", tmp_path, "--yes")
    assert refused.code == 7
    assert "src/_index.yaml, stylua.toml" in refused.err
    assert files_in(tmp_path) == {"src/_index.yaml", "stylua.toml"}


def test_a_file_is_no_folder(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("mine", encoding="utf-8")
    assert moonq("new", tmp_path / "shop").code == 7


def test_json_names_the_files(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop", "--json")
    document = json.loads(said.out)
    assert document["schema"] == "moonq.new/1"
    assert set(document["files"]) == FILES
    assert document["template"] == "basic"
    assert said.err == ""


# The template for HTTP ------------------------------------------------------------------------


def test_a_project_for_http_is_whole_and_its_bank_answers(
    moonq: Moonq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, port = tmp_path / "shop", free_port()
    said = moonq("new", shop, "--template", "http")
    assert files_in(shop) == FILES | {"README.md", "bank.py"}
    assert "pip install" not in said.err
    assert moonq("check", shop, "--strict").out.endswith(": no errors\n")
    assert "3 passed" in moonq("test", "-C", shop, shop).out
    call = ["call", "app:process_order", '{"id":42,"total_cents":2500}', "--as-message"]
    assert "would POST http://127.0.0.1:8090/charges" in moonq(*call, "-C", shop).out

    bank = Process([sys.executable, shop / "bank.py", str(port)], tmp_path, lambda: listens(port))
    bank.start()
    monkeypatch.setenv("BANK_URL", f"http://127.0.0.1:{port}")
    for _ in range(2):  # the key makes one charge of both
        assert 'charge = "c-1"' in moonq(*call, "-C", shop, "--real", "--yes").out


def test_a_project_for_http_says_what_to_install(
    moonq: Moonq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    said = moonq("new", tmp_path / "shop", "--template", "http")
    assert '  pip install "moonq[http]"\n  moonq test ' in said.err
    checked = moonq("check", tmp_path / "shop")
    assert checked.code == 1
    assert "error[L304]: the library behind the module `http` is not installed" in checked.out
    assert 'install it: pip install "moonq[http]"' in checked.out
    assert moonq("run", tmp_path / "shop").code == 3  # or every message would die of it


# Templates for brokers ------------------------------------------------------------------------

there_is = {
    name: pytest.mark.skipif(
        f"queue.driver.{name}" not in drivers.names(), reason=f"no driver queue.driver.{name}"
    )
    for name in BROKERS
}
each_broker = pytest.mark.parametrize(
    "broker", [pytest.param(name, marks=there_is[name]) for name in BROKERS]
)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_project_for_a_broker_runs_without_one(moonq: Moonq, tmp_path: Path, broker: str) -> None:
    shop = tmp_path / "shop"
    said = moonq("new", shop, "--template", broker)
    assert files_in(shop) == FILES | {"README.md"}
    assert f"moonq run --profile {broker}" in said.err
    assert moonq("test", "-C", shop, shop).code == 0
    assert moonq("publish", "app:orders", '{"id":1,"total_cents":5}', "-C", shop).code == 0
    run = moonq("run", shop, "--until-idle", "--json")
    assert json.loads(run.out)["acked"] == 1  # it outlived the process that published it
    text = (shop / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# shop\n")
    assert "project-" not in text + (shop / "moonq.yaml").read_text(encoding="utf-8")


@each_broker
@pytest.mark.parametrize("name", ["shop", "käse laden", "日本", "x" * 90])
def test_a_project_for_a_broker_passes_the_check_in_each_profile(
    moonq: Moonq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: str, name: str
) -> None:
    shop = tmp_path / name
    moonq("new", shop, "--template", broker)
    checked = moonq("check", shop, "--strict")
    assert checked.code == 0, checked.out
    assert f"also in profile{'s' if broker == 'sqs' else ''} {broker}" in checked.out
    assert checked.out.endswith(": no errors\n")
    for profile in load(shop).profiles:
        driver = load(shop, profile=profile).entries["app:driver"]
        assert driver.kind == f"queue.driver.{broker}"


@pytest.mark.parametrize(
    "template", ["basic", "http", *(pytest.param(name, marks=there_is[name]) for name in BROKERS)]
)
@pytest.mark.parametrize("name", ["x" * 90, "x" * 79 + " y", "é" * 100])
def test_a_folder_with_a_long_name_makes_a_sound_project(
    moonq: Moonq, tmp_path: Path, template: str, name: str
) -> None:
    moonq("new", tmp_path / name, "--template", template)
    checked = moonq("check", tmp_path / name, "--strict")
    assert checked.code == 0, checked.out
    assert 0 < len(load(tmp_path / name).settings.name or "") <= 80


@each_broker
def test_the_readme_of_a_project_for_a_broker_names_what_its_profile_reads(
    moonq: Moonq, tmp_path: Path, broker: str
) -> None:
    moonq("new", tmp_path, "--template", broker)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    settings = (tmp_path / "moonq.yaml").read_text(encoding="utf-8")
    variables = set(re.findall(r"\$\{env:(\w+)", settings)) - {"AWS_REGION"}
    assert variables
    assert all(f"`{name}` names another one" in readme for name in variables)


def test_an_unknown_template_is_refused(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("new", tmp_path / "shop", "--template", "kafka")
    assert said.code == 2
    assert not (tmp_path / "shop").exists()
