"""The JSON Schemas of a project's YAML: they let pass what moonq does, and see common mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from moonq import kinds
from moonq.editor import schema

Moonq = Callable[..., Any]
ROOT = Path(__file__).parents[3]
INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem, publish_timeout: 5s, max_body: 64KiB}
  - {name: take, kind: function.lua, source: return print, modules: [json]}
  - name: orders.consumer
    kind: queue.consumer
    queue: orders
    func: take
    concurrency: "${env:WORKERS:-4}"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "_index.yaml").write_text(INDEX)
    return kinds.load(folder)


@pytest.fixture(scope="module")
def index(shop: Any) -> Any:
    return jsonschema_rs.Draft7Validator(schema.index(shop))


def wrong(validator: Any, text: str) -> list[list[Any]]:
    """The places of what is wrong in *text*."""
    return [[*one.instance_path] for one in validator.iter_errors(yaml.safe_load(text))]


def of_entries() -> list[Path]:
    folders = ("tests", "examples", "host/moonq/scaffold")
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.yaml"))
    return sorted(path for path in found if "\nentries:" in path.read_text())


def test_the_schema_takes_every_index_that_moonq_does() -> None:
    validator = jsonschema_rs.Draft7Validator(schema.index())
    paths = of_entries()
    assert len(paths) > 8
    assert {
        path.name: found for path in paths if (found := wrong(validator, path.read_text()))
    } == {}


def test_the_schema_of_settings_takes_those_of_every_template() -> None:
    validator = jsonschema_rs.Draft7Validator(schema.settings())
    paths = [*(ROOT / "host/moonq/scaffold").rglob("moonq.yaml")]
    assert len(paths) > 3
    assert [wrong(validator, path.read_text()) for path in paths] == [[]] * len(paths)


def test_a_whole_project_fits_its_own_schema(index: Any) -> None:
    assert wrong(index, INDEX) == []


@pytest.mark.parametrize(
    ("right", "mistake", "place"),
    [
        ("queue: orders", "queue: ordres", ["entries", 3, "queue"]),
        ("func: take", "func: orders", ["entries", 3, "func"]),
        ("driver: mem", "driver: app:men", ["entries", 1, "driver"]),
        ("concurrency:", "concurency:", ["entries", 3]),
        ('"${env:WORKERS:-4}"', "0", ["entries", 3, "concurrency"]),
        ('"${env:WORKERS:-4}"', "many", ["entries", 3, "concurrency"]),
        ("kind: queue.queue", "kind: queue.queu", ["entries", 1, "kind"]),
        (", source: return print", "", ["entries", 2]),
        ("namespace: app", "namespaces: app", []),
    ],
)
def test_a_mistake_is_seen_at_its_place(
    index: Any, right: str, mistake: str, place: list[Any]
) -> None:
    assert place in wrong(index, INDEX.replace(right, mistake, 1))


def test_a_profile_has_the_fields_of_the_entries_it_names(shop: Any) -> None:
    validator = jsonschema_rs.Draft7Validator(schema.settings(shop))
    profile = (
        "profiles: {prod: {entries: {app:orders: {max_body: 1MiB, retry: {max_attempts: %s}}}}}"
    )
    assert wrong(validator, profile % 3) == []
    place = ["profiles", "prod", "entries", "app:orders", "retry", "max_attempts"]
    assert wrong(validator, profile % "-1") == [place]
    assert wrong(validator, "log: {level: loud}") == [["log", "level"]]


def test_every_field_has_its_sentence(shop: Any) -> None:
    models = schema.index(shop)["definitions"]
    fields = {
        (model, name): field
        for model, one in models.items()
        for name, field in one.get("properties", {}).items()
    }
    assert len(fields) > 100

    def is_told(field: Any) -> bool:
        named = field.get("$ref", "").rpartition("/")[2]
        return bool(field.get("description") or models.get(named, {}).get("description"))

    assert [place for place, field in fields.items() if not is_told(field)] == []


def test_files_of_a_new_project_name_the_schema_that_is_written(
    moonq: Moonq, tmp_path: Path
) -> None:
    moonq("new", tmp_path / "shop")
    for name in ("src/_index.yaml", "moonq.yaml"):
        path = tmp_path / "shop" / name
        first = path.read_text().splitlines()[0]
        named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert "namespace" in json.loads(named.read_text())["properties"] or name == "moonq.yaml"
