"""Whatever stands in the files: a project or findings, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moonq.kinds import inspect
from moonq.text.findings import has_errors, render, to_json

GOOD = """\
version: "1.0"
namespace: app
entries:
  - name: mem
    kind: queue.driver.memory
    max_length: 100
    lifecycle: {auto_start: true, stop_timeout: 10s, restart: {jitter: 0.1}}
  - name: orders
    kind: queue.queue
    driver: app:mem
    retry: {max_attempts: 3, policy: work}
    dead_letter: {queue: graves, max_attempts: 2}
    options: {max_length: 5, overflow: block}
  - name: graves
    kind: queue.queue
    driver: mem
    dead_letter: none
  - name: c
    kind: queue.consumer
    queue: orders
    func: work
    concurrency: ${env:WORKERS:-4}
    timeout: none
    lifecycle:
      depends_on: [app:orders]
      security: {policies: [may], groups: [a]}
  - name: work
    kind: function.lua
    source: |
      local json = require("json")
      local m = require("m")
      return function(body) return json.decode(body) end
    modules: [json]
    imports: {m: lib}
    limits: {timeout: 5s, memory: 64M}
  - name: lib
    kind: library.lua
    source: file://lib.lua
  - name: may
    kind: security.policy
    policy: {actions: ["*"], resources: ["*"], effect: allow}
    groups: [a]
  - {name: v, kind: env.variable, variable: HOME, default: x}
  - {name: d, kind: registry.entry, data: [1, {a: ~}]}
"""
LUA = 'local m = {}\nfunction m.f(x)\n  if x then return "a" end\nend\nreturn m\n'
SETTINGS = "name: shop\nlog: {level: info, levels: {a: warn}}\nredact: [password]\n"
#: Pieces that mean something to YAML, to the registry, or to Lua.
PIECES = st.one_of(
    st.sampled_from(
        ["\t", "  ", "\n", ": ", "- ", "[", "]", "{", "}", "'", '"', "&a ", "*a", "<<: ", "|", ">",
         "!!int ", "%", "@", "#", "~", "null", "---\n", "...\n", "?", "\ufeff", "\x00", "\x85",
         "9" * 5000, "1e999", ".nan", "${env:X}", "${env:}", "file://../x", "app:", ":", "end",
         "[[", "--[[", "name: mem\n", "entries:\n", "[" * 200, "none", "-1", "😀", "\u2028"]
    ),
    st.text(max_size=3),
    st.integers().map(str),
)  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "cut", "replace", "swap", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 40),
        PIECES,
    ),
    min_size=1,
    max_size=4,
)


def edited(text: str, edits: list[tuple[str, float, int, str]]) -> str:
    for kind, where, length, piece in edits:
        at = int(where * len(text))
        part = text[at : at + length]
        middle = {"insert": piece + part, "cut": "", "replace": piece, "swap": part[::-1]}
        text = text[:at] + middle.get(kind, part * 2) + text[at + length :]
    return text


def judged(folder: Path) -> None:
    project, findings = inspect(folder, env={})
    assert (project is None) == has_errors(findings)
    render(findings, paint=lambda _, text: text, width=60, unicode=False)
    render(findings)
    for finding in findings:
        assert to_json(finding)["message"]
        assert "\n" not in finding.message.partition("\n")[0]
    if project:
        assert len(project.start_order()) <= len(project.entries)
        assert project.implied is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


def write(folder: Path, index: str, lua: str = LUA, settings_text: str = SETTINGS) -> None:
    for name, text in (("_index.yaml", index), ("lib.lua", lua), ("moonq.yaml", settings_text)):
        (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))


def test_the_project_to_be_mutated_is_good(folder: Path) -> None:
    write(folder, GOOD)
    project, findings = inspect(folder, env={})
    assert render(findings) == ""
    assert project is not None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS)
def test_any_edit_of_the_yaml_gives_a_project_or_findings(
    folder: Path, edits: list[tuple[str, float, int, str]]
) -> None:
    write(folder, edited(GOOD, edits))
    judged(folder)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS)
def test_any_edit_of_the_lua_or_the_settings_gives_a_project_or_findings(
    folder: Path, edits: list[tuple[str, float, int, str]]
) -> None:
    write(folder, GOOD, edited(LUA, edits), edited(SETTINGS, edits))
    judged(folder)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_give_findings(folder: Path, junk: bytes) -> None:
    (folder / "_index.yaml").write_bytes(b"namespace: app\nentries: " + junk)
    judged(folder)


#: JSON is YAML, so every shape can be put into every field.
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, GOOD.count(": ") - 1), SHAPES)
def test_any_shape_in_any_field_gives_a_project_or_findings(
    folder: Path, which: int, shape: object
) -> None:
    import json

    at = -1
    for _ in range(which + 1):
        at = GOOD.index(": ", at + 1)
    end = min(GOOD.index("\n", at), *(GOOD.find(c, at) % 10**6 for c in ",}"))
    write(folder, GOOD[: at + 2] + json.dumps(shape) + GOOD[end:])
    judged(folder)
