"""The shape of the Python half: imports only go down the floors that CONTRIBUTING.md draws.

Late imports and those for types only count: a circle is one whenever it closes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "host" / "moonq"
Graph = Mapping[str, set[str]]


def name_of(path: Path) -> str:
    """The dotted name of a file of the package."""
    dotted = path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
    return dotted.removesuffix(".__init__")


def imported(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written out in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else str(node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.fixture(scope="module")
def files() -> Graph:
    """Which file imports which."""
    known = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in known.items()}
    return {
        name: {other for other in imported(tree, known) if other in known and other != name}
        for name, tree in trees.items()
    }


def part_of(name: str) -> str:
    """The folder below the package, or the module beside them; the package itself is one too."""
    return name.split(".")[1] if "." in name else name


@pytest.fixture(scope="module")
def parts(files: Graph) -> Graph:
    """Which part imports which."""
    found: dict[str, set[str]] = {}
    for name, others in files.items():
        mine = part_of(name)
        found.setdefault(mine, set()).update({part_of(other) for other in others} - {mine})
    return found


@pytest.fixture(scope="module")
def floors() -> list[list[str]]:
    """The floors as CONTRIBUTING.md draws them, from the top down."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    block = re.search(r"^```floors\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    # Behind the parts, which stand two spaces apart at most, comes what they are.
    rows = [re.split(r" {3,}", row, maxsplit=1) for row in block[1].splitlines()]
    assert all(len(row) == 2 for row in rows), "every floor says what it is for"
    return [row[0].split() for row in rows]


def circle(graph: Graph) -> list[str]:
    """Return one circle of *graph*, or nothing: what leads nowhere is taken away until the rest."""
    left = {name: set(others) for name, others in graph.items()}
    while ends := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ends}
    return _walked(left) if left else []


def _walked(left: Graph) -> list[str]:
    path = [min(left)]
    while (following := min(left[path[-1]] & left.keys())) not in path:
        path.append(following)
    return [*path[path.index(following) :], following]


def test_a_circle_is_found_and_named() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_files_import_each_other_in_a_circle(files: Graph) -> None:
    assert circle(files) == []


def test_no_parts_import_each_other_in_a_circle(parts: Graph) -> None:
    assert circle(parts) == []


def test_the_floors_name_every_part_once(parts: Graph, floors: list[list[str]]) -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
    named = [part for floor in floors for part in floor]
    assert sorted(named) == sorted({*parts, *folders})


def test_imports_only_go_down_the_floors(parts: Graph, floors: list[list[str]]) -> None:
    height = {part: -number for number, floor in enumerate(floors) for part in floor}
    up = {
        (part, other)
        for part, others in parts.items()
        for other in others
        if height[other] >= height[part]
    }
    assert up == set()


def test_the_root_holds_only_what_a_newcomer_opens_first() -> None:
    names = {path.stem for path in PACKAGE.glob("*.py")}
    words = {"errors", "model", "clock", "durations", "private"}
    assert names == words | {"__init__", "__main__", "assets", "host", "metrics", "threads"}
