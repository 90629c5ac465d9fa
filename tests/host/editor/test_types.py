"""What `moonq types` writes for Lua, and when."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from moonq import assets, kinds
from moonq.checking import stock
from moonq.cli import hosting
from moonq.editor import Plan, refresh
from moonq.editor.sandbox import global_names
from moonq.editor.stubs import stub
from moonq.operations import annotations
from moonq.sandbox import syntax

Moonq = Callable[..., Any]
TYPES = Path(".moonq/types")
INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem, meta: {comment: wanted}}
  - {name: trials, kind: queue.queue, driver: mem, dead_letter: none}
  - {name: money, kind: library.lua, source: file://money.lua}
  - {name: inline, kind: library.lua, source: "return { twice = function(x) return 2 * x end }"}
  - {name: bank, kind: module.python, source: file://bank.py, functions: [charge]}
  - name: take
    kind: function.lua
    source: return function() return require("money") end
    imports: {money: money, sums: inline}
"""
MORE = f"{INDEX}  - {{name: mail, kind: queue.queue, driver: mem}}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "_index.yaml").write_text(INDEX)
    (tmp_path / "src" / "money.lua").write_text("return {}\n")
    (tmp_path / "src" / "bank.py").write_text(
        'def charge(cents: int, card: str = "") -> dict[str, int]:\n    """Take it."""\n'
    )
    return tmp_path


def below(folder: Path) -> dict[str, str]:
    """Every file by its path."""
    found = (folder / TYPES).rglob("*.lua")
    return {path.relative_to(folder / TYPES).as_posix(): path.read_text() for path in found}


# When ---------------------------------------------------------------------------------------------


def test_types_are_current_until_the_project_has_another_entry(moonq: Moonq, shop: Path) -> None:
    assert "for editors" in moonq("types", shop).err
    assert moonq("types", shop, "--check").code == 0
    index = shop / "src" / "_index.yaml"
    index.write_text(MORE)
    said = moonq("types", shop, "--check")
    assert said.code == 1
    assert "stale: .moonq/types/registry.lua\n" in said.out
    assert "moonq types" in said.err
    moonq("types", shop)
    assert '"app:mail"' in below(shop)["registry.lua"]


def test_what_is_of_no_use_any_more_goes(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    assert "imports/sums.lua" in below(shop)
    index = shop / "src" / "_index.yaml"
    index.write_text(INDEX.replace(", sums: inline", ""))
    assert ".moonq/types/imports/sums.lua" in moonq("types", shop, "--check").out
    moonq("types", shop)
    assert "imports/sums.lua" not in below(shop)


def test_a_check_keeps_them_current_and_touches_no_settings(moonq: Moonq, shop: Path) -> None:
    said = moonq("check", shop)
    assert "editors" not in said.err
    assert '"app:orders"' in below(shop)["registry.lua"]
    assert not (shop / ".luarc.json").exists()
    (shop / TYPES / "registry.lua").write_text("stale")
    moonq("check", shop)
    assert '"app:orders"' in below(shop)["registry.lua"]


def test_what_a_host_reloads_its_editor_knows(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reload() -> None:
        host.project = kinds.load(shop)

    monkeypatch.setattr("moonq.registry.watching.Watching", lambda _root, saved, _ready: saved)
    host = SimpleNamespace(project=kinds.load(shop), reload=reload)
    narrator = SimpleNamespace(reloaded=lambda *_: None)
    saved = cast("Any", hosting.reloading(cast("Any", host), cast("Any", narrator)))
    assert '"app:mail"' not in below(shop)["registry.lua"]
    (shop / "src" / "_index.yaml").write_text(MORE)
    saved(("src/_index.yaml",))
    assert '"app:mail"' in below(shop)["registry.lua"]


def test_they_are_the_same_in_every_profile(shop: Path) -> None:
    (shop / "moonq.yaml").write_text(
        "profiles: {disk: {entries: {app:mem: {kind: queue.driver.sqlite, path: q.db}}}}\n"
    )
    refresh(kinds.load(shop))
    before = below(shop)
    (shop / TYPES / "registry.lua").unlink()
    refresh(kinds.load(shop, profile="disk"))
    assert below(shop) == before


def test_a_folder_that_cannot_be_written_keeps_no_check_from_its_end(
    moonq: Moonq, shop: Path
) -> None:
    (shop / ".moonq").write_text("a file")
    assert moonq("check", shop).code == 0


def test_only_the_host_s_user_can_read_the_folder_they_are_in(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    assert (shop / ".moonq").stat().st_mode & 0o077 == 0


def test_an_error_in_yaml_changes_nothing_and_one_in_lua_is_no_hindrance(
    moonq: Moonq, shop: Path
) -> None:
    moonq("types", shop)
    before = below(shop)
    (shop / "src" / "_index.yaml").write_text(INDEX.replace("driver: mem,", "driver: men,"))
    assert moonq("types", shop).code == 3
    assert below(shop) == before
    (shop / "src" / "_index.yaml").write_text(INDEX)
    (shop / "src" / "money.lua").write_text("return {\n")
    assert moonq("check", shop).code == 1
    assert moonq("types", shop, "--check").code == 0


# Modules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(assets.stdlib_modules()))
def test_a_module_is_to_editors_what_it_is_to_the_console(name: str) -> None:
    text = assets.stdlib_source(name).decode()
    made = stub(name, text)
    assert syntax.check(made.encode(), name) is None
    seen, whole = annotations.read(name, made), annotations.read(name, text)
    assert seen.functions == whole.functions
    assert [one.name for one in seen.shapes] == [one.name for one in whole.shapes]
    assert seen.methods == whole.methods


def test_what_a_module_answers_has_its_methods(shop: Path) -> None:
    files = {path.name: text for path, text in Plan.of(kinds.load(shop)).files.items()}
    assert "function methods:retry(options) end" in files["queue.lua"]
    assert "function Queue:publish(body, headers, options) end" in files["test.lua"]
    assert "function actor:id() end" in files["security.lua"]
    assert "mq.lua" not in files


@pytest.mark.parametrize("library", ["os", "debug"])
def test_an_editor_knows_of_a_library_of_lua_what_a_script_has(library: str) -> None:
    declared = re.findall(rf"^function {library}\.(\w+)\(", global_names(), re.MULTILINE)
    assert sorted(declared) == sorted(stock.fields(library))


# Ids ----------------------------------------------------------------------------------------------


def alias(folder: Path, name: str) -> str:
    text = below(folder)["registry.lua"]
    return next(part for part in text.split("\n\n") if part.startswith(f"---@alias {name}"))


def test_an_id_is_a_type_with_its_driver_and_its_dead_letters(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    assert alias(shop, "moonq.QueueId").splitlines()[1:] == [
        '---| "app:orders" # queue.queue at app:mem, wanted, dead letters in app:orders.dead',
        '---| "app:orders.dead" # the dead letters of app:orders',
        '---| "app:trials" # queue.queue at app:mem, no dead letters',
        '---| "orders" # app:orders',
        '---| "orders.dead" # app:orders.dead',
        '---| "trials" # app:trials',
    ]
    assert alias(shop, "moonq.StoreId") == "---@alias moonq.StoreId string"


def test_every_type_of_ids_is_one_that_there_is(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    named = {word for text in below(shop).values() for word in text.split() if "moonq." in word}
    ids = {word.rstrip("?") for word in named if word.startswith("moonq.") and "Id" in word}
    assert {one for one in ids if f"---@alias {one}" not in below(shop)["registry.lua"]} == set()


# Imports ------------------------------------------------------------------------------------------


def test_a_library_leads_to_its_file_and_an_inline_one_is_copied(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    files = below(shop)
    assert '---@meta money\n--- app:money\n---@module "src.money"' in files["imports/money.lua"]
    assert "twice = function(x)" in files["imports/sums.lua"]


def test_a_name_that_means_two_things_has_no_type(moonq: Moonq, shop: Path) -> None:
    (shop / "src" / "_index.yaml").write_text(INDEX.replace("sums: inline", "bank: inline"))
    moonq("types", shop)
    assert below(shop)["imports/bank.lua"] == (
        "---@meta bank\n--- app:bank, app:inline\n---@type any\nlocal module\nreturn module\n"
    )


def test_a_python_module_has_the_types_of_its_hints(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    text = below(shop)["imports/bank.lua"]
    assert text.startswith("---@meta bank\n")
    assert "--- Take it.\n---@param cents integer\n---@param card? string\n" in text
    assert "---@return table<string, integer>|nil\n---@return errors.Error|nil err\n" in text
    assert "function module.charge(cents, card) end" in text


# Settings -----------------------------------------------------------------------------------------


def test_settings_of_an_editor_keep_what_a_person_wrote(moonq: Moonq, shop: Path) -> None:
    mine = (
        '{\n  // mine\n  "Lua.runtime": { "version": "Lua 5.3", },\n'
        '  "workspace.library": ["${workspaceFolder}/vendor"],\n  "hint.enable": true,\n}\n'
    )
    (shop / ".luarc.json").write_text(mine)
    said = moonq("types", shop, "--json")
    assert json.loads(said.out)["notes"] == []
    text = (shop / ".luarc.json").read_text()
    for line in mine.splitlines():
        assert line.replace('["${', '[".moonq/types", "${') in text.splitlines()
    assert '"runtime.builtin": {"io": "disable"' in text
    assert text.count("version") == 1
    assert moonq("types", shop, "--check").code == 0


@pytest.mark.parametrize(
    "text", [b'{"a": }', b'{"workspace.library": "x"}', b"[]", b'{"a": 1', b'{"a": "\xff"}']
)
def test_settings_that_cannot_be_read_are_left_alone(moonq: Moonq, shop: Path, text: bytes) -> None:
    (shop / ".luarc.json").write_bytes(text)
    said = moonq("types", shop)
    assert said.code == 0
    assert ".luarc.json is left alone:" in said.err
    assert '"workspace.library": [".moonq/types"]' in said.err
    assert (shop / ".luarc.json").read_bytes() == text


def test_selene_has_its_settings_when_it_is_asked_for(moonq: Moonq, shop: Path) -> None:
    moonq("types", shop)
    assert not (shop / "selene.toml").exists()
    moonq("types", shop, "--selene")
    assert 'std = "moonq"' in (shop / "selene.toml").read_text()
    (shop / "selene.toml").write_text("mine")
    assert "selene.toml is left alone: it is yours" in moonq("types", shop, "--selene").err
    assert (shop / "selene.toml").read_text() == "mine"
