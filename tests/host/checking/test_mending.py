"""`moonq check --fix` writes what a person would, and touches nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonq.checking.mending import mend
from moonq.kinds import inspect

Moonq = Callable[..., Any]
HEAD = "# The mail.\nnamespace: app   # ours\nentries:\n"
LIBRARY = '  - {name: money, kind: library.lua, source: "return {}"}\n'


def mended(folder: Path, entries: str, requires: str) -> str:
    """Mend a project with *entries*, whose file requires those; return its entries then."""
    folder.mkdir(exist_ok=True)
    lines = [f"local {name} = require('{name}')\n" for name in requires.split()]
    (folder / "f.lua").write_text("".join(lines) + "return function() end\n")
    index = folder / "_index.yaml"
    index.write_bytes((HEAD + entries).encode())
    mend(folder)
    text = index.read_bytes().decode()
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


START = "  - name: f   # it sends\n    kind: function.lua\n    source: file://f.lua  # here\n"
FLOW = "  - {name: f, kind: function.lua, source: file://f.lua%s}  # short\n"
REST = "    meta: {a: 1}  # last\n"


@pytest.mark.parametrize(
    ("requires", "before", "after"),
    [
        ("json", START + REST, START + "    modules: [json]\n" + REST),
        ("json queue", START, START + "    modules: [json, queue]\n"),
        ("json", START.rstrip("\n"), START + "    modules: [json]"),
        ("json", FLOW % "", FLOW % ", modules: [json]"),
        (
            "json queue",
            START + "    modules: [queue]  # two\n",
            START + "    modules: [queue, json]  # two\n",
        ),
        ("json", START + "    modules: []\n" + REST, START + "    modules: [json]\n" + REST),
        ("json", FLOW % ", modules: [ ]", FLOW % ", modules: [json ]"),
        (
            "json queue",
            START + "    modules:  # all\n      - queue  # one\n\n" + REST,
            START + "    modules:  # all\n      - queue  # one\n      - json\n\n" + REST,
        ),
        (
            "json queue",
            START + "    modules:\n    - queue\n",
            START + "    modules:\n    - queue\n    - json\n",
        ),
        (
            "queue json",
            START + "    modules: [\n      queue,  # one\n      ]\n",
            START + "    modules: [\n      queue, json,  # one\n      ]\n",
        ),
        ("money", START + LIBRARY, START + "    imports: {money: app:money}\n" + LIBRARY),
        (
            "money",
            START + "    imports: {}\n" + LIBRARY,
            START + "    imports: {money: app:money}\n" + LIBRARY,
        ),
        ("", START + "    modules: [json]\n" + REST, START + REST),
        ("", START + "    modules: [json]  # why\n", START + "    modules: []  # why\n"),
        ("", FLOW % ", modules: [json]", FLOW % ", modules: []"),
        ("", START + "    modules: [json, queue, time]\n" + REST, START + REST),
        (
            "queue",
            START + "    modules: [json, queue, time]  # three\n",
            START + "    modules: [queue]  # three\n",
        ),
        (
            "queue",
            START + "    modules:\n      - json  # gone\n      - queue  # stays\n" + REST,
            START + "    modules:\n      - queue  # stays\n" + REST,
        ),
        ("", START + "    modules:\n      - json\n" + REST, START + REST),
        (
            "money",
            START + "    imports:\n      money: app:money\n      cash: app:money\n" + LIBRARY,
            START + "    imports:\n      money: app:money\n" + LIBRARY,
        ),
        ("", START + "    imports: [app:money]\n" + LIBRARY, START + LIBRARY),
        (
            "queue",
            START + "    modules: [json]\n",
            START + "    modules: [queue]\n",
        ),
    ],
)
def test_a_declaration_comes_and_goes_as_a_person_would_write_it(
    tmp_path: Path, requires: str, before: str, after: str
) -> None:
    assert mended(tmp_path, before, requires) == after
    assert mended(tmp_path, after, requires) == after
    crlf = before.replace("\n", "\r\n")
    (tmp_path / "_index.yaml").write_bytes(crlf.encode())
    project, findings = inspect(tmp_path)
    assert project is not None or findings


@pytest.mark.parametrize(("name", "used"), [("queue", "queue.info('x')"), ("json", "json:x()")])
def test_what_is_used_without_require_stays_declared(tmp_path: Path, name: str, used: str) -> None:
    (tmp_path / "f.lua").write_text(f"return function() {used} end\n")
    index = tmp_path / "_index.yaml"
    index.write_text(HEAD + START + f"    modules: [{name}, time]\n")
    mend(tmp_path)
    assert index.read_text() == HEAD + START + f"    modules: [{name}]\n"


def test_lines_end_as_those_around_them(tmp_path: Path) -> None:
    (tmp_path / "f.lua").write_text("return require('json')")
    index = tmp_path / "_index.yaml"
    index.write_bytes(b"\xef\xbb\xbf" + (HEAD + START + REST).replace("\n", "\r\n").encode())
    mend(tmp_path)
    wanted = HEAD + START + "    modules: [json]\n" + REST
    assert index.read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "entries",
    [
        START.replace("f   #", "g   #") + "    modules: &all [queue]\n" + START
        + "    modules: *all\n",
        START + "    modules: [json,  # old\n      queue]\n" + REST,
    ],
    ids=["shared by an anchor", "a comment inside"],
)  # fmt: skip
def test_what_takes_a_person_is_left_as_it_is(tmp_path: Path, entries: str) -> None:
    assert mended(tmp_path, entries, "queue time" if "&" in entries else "queue") == entries


def test_inline_text_gets_its_modules_above_it(tmp_path: Path) -> None:
    text = '    source: |\n      local json = require("json")\n      return json.encode\n'
    head = "  - name: f\n    kind: function.lua\n"
    assert mended(tmp_path, head + text, "") == head + "    modules: [json]\n" + text


def test_several_files_and_entries_are_mended_at_once(moonq: Moonq, tmp_path: Path) -> None:
    (tmp_path / "f.lua").write_text("local j, q = require('json'), require('queue')\nreturn j, q")
    (tmp_path / "_index.yaml").write_text(HEAD + START + START.replace("name: f", "name: g"))
    (tmp_path / "b.yaml").write_text("namespace: b\nentries:\n" + FLOW % ", modules: [uuid]")
    before = moonq("check", tmp_path)
    assert before.code == 1
    assert before.out.endswith("6 errors, 1 warning (7 fixable with --fix)\n")
    assert "`moonq check --fix` adds it" in before.out
    findings = json.loads(moonq("check", tmp_path, "--json").out)["findings"]
    texts = {edit["text"] for finding in findings for edit in finding["edits"]}
    assert texts == {"    modules: [json]\n", "    modules: [queue]\n", ", json", ", queue", ""}
    said = moonq("check", tmp_path, "--fix")
    assert (said.code, said.out.split(": ")[-1]) == (0, "no errors\n")
    assert said.err.count("fixed ") == 7
    assert "fixed _index.yaml:4: `json` is required but not declared for app:f" in said.err
    assert json.loads(moonq("check", tmp_path, "--fix", "--json").out)["fixed"] == []


def test_rights_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "f.lua").write_text("return require('json')")
    real = tmp_path / "real.yaml"
    real.write_text(HEAD + START)
    real.chmod(0o640)
    (tmp_path / "shop" / "_index.yaml").symlink_to(real)
    mend(tmp_path / "shop")
    assert (tmp_path / "shop" / "_index.yaml").is_symlink()
    assert real.read_text().endswith("modules: [json]\n")
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.yaml", "shop"]


MODULES = ["json", "queue", "time", "uuid", "logger"]
names = st.lists(st.sampled_from(MODULES), unique=True)
comments = st.sampled_from(["", "  # why", "  #"])


@st.composite
def written(draw: st.DrawFn, modules: list[str]) -> str:
    """A way to write *modules* in an entry; the last field or not."""
    style = draw(st.sampled_from(["flow", "block", "entry", "wide"]))
    rest = draw(st.sampled_from(["", REST]))
    if style == "entry":
        return FLOW % f", modules: [{', '.join(modules)}]" + (LIBRARY if rest else "")
    if style == "block" and modules:
        dashes = "".join(f"      - {name}{draw(comments)}\n" for name in modules)
        return f"{START}    modules:{draw(comments)}\n{dashes}{rest}"
    if style == "wide" and modules:
        items = ",\n      ".join(modules)
        return f"{START}    modules: [\n      {items}\n    ]{draw(comments)}\n{rest}"
    return f"{START}    modules: [{', '.join(modules)}]{draw(comments)}\n{rest}"


@settings(max_examples=40)
@given(st.data(), names, names)
def test_whatever_the_layout_nothing_is_left_and_nothing_else_is_changed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, listed: list[str],
    required: list[str],
) -> None:  # fmt: skip
    before = data.draw(written(listed))
    folder = tmp_path_factory.mktemp("mend")
    after = mended(folder, before, " ".join(required))
    project, findings = inspect(folder)
    assert project is not None, (before, after)
    left = [one.message for one in findings]
    # The only item of a list with a comment behind its key is a person's to take away.
    assert left == [] or (not required and len(left) == 1)
    kept = [line for line in before.splitlines() if "odules" not in line and "- " not in line]
    assert [line for line in kept if "#" in line and line not in after] == []
