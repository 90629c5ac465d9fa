"""The pages that the code writes: they are fresh, and everything public has a sentence on them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest

from moonq import drivers
from moonq.cli.commands.test import TOO_LITTLE_COVERED
from moonq.cli.failures import BUG, INTERRUPTED, UNREAD, USAGE
from moonq.errors import KINDS as ERRORS
from moonq.errors import MoonqError
from moonq.kinds import KINDS, inspect
from moonq.operations.annotations import reference
from moonq.reference import FOLDER, commands, errors, exits, pages, settings
from moonq.reference.console import keys
from moonq.reference.markdown import MADE
from moonq.registry.describing import Field, fields_of
from moonq.registry.settings import Settings
from moonq.text.environment import VARIABLES

from .conftest import project

OURS = [*drivers.OURS, *(kind for kind in KINDS if not kind.startswith("queue.driver."))]


def test_the_pages_are_what_the_code_writes(root: Path) -> None:
    found = pages(root)
    assert {path.name for path in FOLDER.glob("*.md")} == set(found)
    stale = [name for name, text in found.items() if (FOLDER / name).read_text("utf-8") != text]
    assert stale == [], "`make docs` writes them anew"


def test_a_page_begins_with_what_it_is_for_and_says_where_it_is_from() -> None:
    for path in FOLDER.glob("*.md"):
        title, blank, lead, *_, last = path.read_text("utf-8").splitlines()
        assert (title[:2], blank, lead[-1], last) == ("# ", "", ".", MADE), path.name


def test_no_heading_of_a_page_is_there_twice() -> None:
    for path in FOLDER.glob("*.md"):
        headings = re.findall(r"^#+ (.*)$", without_code(path.read_text("utf-8")), re.MULTILINE)
        assert len(headings) == len(set(headings)), path.name


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


# Sentences ----------------------------------------------------------------------------------------


def models() -> Iterator[tuple[str, Field]]:
    for name in OURS:
        model = KINDS[name].model
        for also in (model, getattr(model, "queue_options", model)):
            yield from ((name, one) for one in fields_of(also))
    yield from (("moonq.yaml", one) for one in fields_of(Settings))


def test_every_field_has_a_sentence() -> None:
    wrong = {
        (name, one.path)
        for name, one in models()
        if not re.fullmatch(r"[A-Z`].*\.", one.sentence, re.DOTALL)
    }
    assert wrong == set()


@pytest.mark.parametrize("name", OURS)
def test_the_example_of_a_kind_is_without_fault(name: str, tmp_path: Path) -> None:
    text = KINDS[name].model.example
    files = {"_index.yaml": f"- {indent(text, '  ').strip()}\n"}
    named = re.search(r"modules: \[(.*)\]", text)
    required = [*(named[1].split(", ") if named else ()), *re.findall(r"imports: {(\w+)", text)]
    contents = {
        "lua": f"return function() return {', '.join(f'require({one!r})' for one in required)} end",
        "py": "def charge(order): ...\n\n\ndef refund(order): ...\n",
        "sql": "CREATE TABLE orders (id INTEGER PRIMARY KEY);",
    }
    for file in re.findall(r"file://(\S+)", text):
        (tmp_path / file).write_text(contents[file.rpartition(".")[2]], "utf-8")
    found, findings = inspect(project(tmp_path, files), env={"BANK_TOKEN": "secret"})
    assert found is not None, findings
    assert name in {entry.kind for entry in found.entries.values()}


@pytest.mark.parametrize("profile", ["", "prod"])
def test_the_example_of_the_settings_is_without_fault(profile: str, tmp_path: Path) -> None:
    files = {"_index.yaml": "", "moonq.yaml": settings.EXAMPLE}
    found, findings = inspect(project(tmp_path, files), env={}, profile=profile)
    assert found is not None, findings
    assert found.settings.production == bool(profile)


def test_every_function_and_table_of_lua_has_a_sentence() -> None:
    wrong = set()
    for module in reference().modules.values():
        wrong |= {one.name for one in (*module.functions, *module.methods) if not one.doc}
        for shape in module.shapes:
            wrong |= {shape.name} if not shape.remark else set()
            wrong |= {f"{shape.name}.{one.name}" for one in shape.fields if not one.remark}
        wrong |= {one.name for one in module.aliases if not one.remark}
        wrong |= {module.name} if not module.doc else set()
    assert wrong == set()


def test_every_command_has_a_sentence_and_an_example_and_every_option_one() -> None:
    for found in commands.every():
        assert found.command.help, found.name
        assert "moonq" in found.command.help.partition("Example")[2], found.name
    assert {one.name for one in commands.variables() if not one.help} == set()


def test_every_key_of_the_console_has_a_sentence() -> None:
    assert [key for key, about in keys() if not about.endswith(".")] == []


# What only the code knows -------------------------------------------------------------------------


def test_every_exit_code_is_in_the_table() -> None:
    def below(kind: type[MoonqError]) -> Iterator[int]:
        yield kind.exit_code
        for one in kind.__subclasses__():
            yield from below(one)

    used = {*below(MoonqError), 0, USAGE, BUG, INTERRUPTED, UNREAD, TOO_LITTLE_COVERED, 129, 143}
    assert {int(code) for code in exits.CODES} == used


def test_every_kind_of_error_has_a_meaning() -> None:
    text = errors.text()
    assert [kind for kind in ERRORS if f"\n| `{kind}` | " not in text] == []


def read_from_the_environment(root: Path) -> Iterator[str]:
    """Yield each name that stands where a variable of the environment is read."""
    for path in sorted((root / "host").rglob("*.py")):
        text = path.read_text("utf-8")
        if "environ" not in text:
            continue
        named = dict(re.findall(r'^([A-Z_]+) = "([A-Z_]+)"$', text, re.MULTILINE))
        for node in ast.walk(ast.parse(text)):
            key = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                owner = ast.unparse(node.func.value)
                key = node.args[0] if node.func.attr == "get" and owner in OWNERS else None
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in OWNERS:
                key = node.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value
            elif isinstance(key, ast.Name) and key.id in named:
                yield named[key.id]


OWNERS = {"os.environ", "env"}
#: Read by the libraries that moonq stands on, or handed on by it.
OF_OTHERS = {"PAGER", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME"}


def test_every_variable_that_is_read_is_in_the_table(root: Path) -> None:
    read = set(read_from_the_environment(root))
    options = {one.name for one in commands.variables()}
    assert "NO_COLOR" in read
    assert read - options - VARIABLES.keys() == set()
    assert VARIABLES.keys() - read - OF_OTHERS == set()
