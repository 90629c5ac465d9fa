"""JSON Schemas of queues: where they may lie, what is said of those that are none, and reload."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq import kinds
from moonq.errors import Invalid, Unsupported
from moonq.text import extras

from .conftest import HEAD, MakeHost

ENTRIES = '  - {name: orders, kind: queue.queue, driver: memory, schema: "%s"}\n'


def refusal(folder: Path, schema: str, **files: str) -> str:
    """What a check says of the schema of a queue; a name with `__` is one in a folder."""
    (folder / "_index.yaml").write_text(HEAD + ENTRIES % schema)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_json", ".json").replace("_yaml", ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    _, findings = kinds.inspect(folder)
    errors = [one for one in findings if one.severity == "error"]
    assert [one.code for one in errors] == ["R228"] * len(errors)
    return "".join(one.message for one in errors)


def test_files_refer_to_each_other(tmp_path: Path) -> None:
    files = {
        "shapes__order_json": '{"properties": {"id": {"$ref": "id.yaml#/$defs/id"}}}',
        "shapes__id_yaml": "$defs: {id: {type: integer}}",
    }
    assert refusal(tmp_path, "file://shapes/order.json", **files) == ""


@pytest.mark.parametrize(
    ("schema", "text", "why"),
    [
        ("file://none.json", "{}", "none.json: no such file or directory"),
        ("file://../x.json", "{}", "it leads to x.json, which lies outside of the project"),
        ("file://x.json", '{"a":\n}', "x.json: line 2, column 1: expecting value"),
        ("file://x.json", "[" * 1000, "x.json: nested deeper than 200 levels"),
        ("file://x.json", '{"type": "strnig"}', "not a JSON Schema: type: "),
        ("file://x.json", '{"$ref": "y.json"}', "y.json: no such file or directory"),
        ("file://x.json", '{"$ref": "/etc/passwd"}', "it leads to passwd, which lies outside"),
        ("file://x.json", '{"$ref": "http://127.0.0.1/y"}', "is not a file of the project"),
        ("file://x.json", '{"pattern": "(?=a)"}', "not a JSON Schema: pattern: "),
    ],
)
def test_what_is_no_schema_is_said_with_its_place(
    tmp_path: Path, schema: str, text: str, why: str
) -> None:
    assert why in refusal(tmp_path, schema, x_json=text)


def test_a_schema_in_yaml_says_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, "file://x.yaml", x_yaml="version: 1\na: 1\na: 2\n")
    assert "x.yaml: line 3: `a` is written twice" in said


def test_without_the_library_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(Unsupported) as raised:
        extras.client("schema", "jsonschema_rs", "the library behind JSON Schema")
    assert raised.value.hint == 'install it: pip install "moonq[schema]"'
    assert "not installed" in refusal(tmp_path, "file://x.json", x_json="{}")


def test_a_reload_brings_the_schema_that_is_in_the_file_now(make_host: MakeHost) -> None:
    host = make_host("""
  - {name: orders, kind: queue.queue, driver: memory, schema: {type: integer}}
""")
    with pytest.raises(Invalid, match='the value is not of type "integer"'):
        host.queues.publish(b"app:orders", b'"x"')
    assert not host.reload().changed
    (host.project.root / "id.json").write_text('{"type": "string"}')
    (host.project.root / "_index.yaml").write_text(HEAD + ENTRIES % "file://id.json")
    assert host.reload().changed == ("app:orders",)
    assert host.queues.publish(b"app:orders", b'"x"')
    (host.project.root / "id.json").write_text('{"type": "null"}')
    assert host.reload().changed == ("app:orders",)
    with pytest.raises(Invalid, match='the value is not of type "null"'):
        host.queues.publish(b"app:orders", b"7")
