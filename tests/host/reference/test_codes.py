"""The table of codes: every code that is used, and no other, each with an example that has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq.checking import check
from moonq.reference import commands
from moonq.text.codes import CODES, FAMILIES, Code
from moonq.text.codes.code import SHOWN

from .conftest import project

#: Examples that are tried, by what finds their code.
CHECKED = [one for one in CODES.values() if "_index.yaml" in one.example]
TESTED = [one for one in CODES.values() if "orders_test.lua" in one.example]


def used(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every code in the source, and the file that has it."""
    table = root / "host" / "moonq" / "text" / "codes"
    for path in sorted((root / "host").rglob("*.py")):
        if table not in path.parents:
            found = re.findall(r'"([A-Z]\d{3})"', path.read_text("utf-8"))
            yield from ((one, path.name) for one in found)
    for folder in ("lua", "stdlib"):
        for path in sorted((root / folder).rglob("*.lua")):
            code = re.sub(r"--.*", "", path.read_text("utf-8"))
            yield from ((one, path.name) for one in re.findall(r'"([A-Z]\d{3})"', code))


def test_every_code_that_is_used_is_in_the_table(root: Path) -> None:
    found = dict(used(root))
    assert len(found) > 60
    assert {code: file for code, file in found.items() if code not in CODES} == {}
    assert CODES.keys() - found.keys() == set()


def test_every_code_is_explained() -> None:
    for code, one in CODES.items():
        assert code[0] in FAMILIES
        assert one.example, code
        assert not one.title.endswith("."), code
        assert (one.cause[-1], one.cure[-1]) == (".", "."), code


def test_the_options_that_a_cure_names_are_there() -> None:
    known = {one.option for one in commands.variables()}
    said = {code: re.findall(r"(?<![\w-])--[a-z-]+", one.cure) for code, one in CODES.items()}
    assert any(said.values())
    assert {code: names for code, names in said.items() if set(names) - known} == {}


@pytest.mark.parametrize("code", CHECKED, ids=lambda one: one.code)
def test_a_check_finds_the_code_in_its_example(code: Code, tmp_path: Path) -> None:
    found = check(project(tmp_path, code.example), env={}).findings
    assert code.code in {one.code for one in found}, found


def test_tests_fail_with_the_codes_of_their_examples(
    tmp_path: Path, moonq: Callable[..., Any]
) -> None:
    for one in TESTED:
        (tmp_path / f"{one.code}_test.lua").write_text(one.example["orders_test.lua"], "utf-8")
    said = moonq("test", str(tmp_path), "--json")
    for one in TESTED:
        lines = [line for line in said.out.splitlines() if f"{one.code}_test.lua" in line]
        assert any(f'"{one.code}"' in line for line in lines), (one.code, lines, said.err)


def test_what_is_only_shown_names_its_code() -> None:
    shown = {code: one.example[SHOWN] for code, one in CODES.items() if SHOWN in one.example}
    assert {code for code, text in shown.items() if code not in text} == set()
