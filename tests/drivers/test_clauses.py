"""Each clause of the contract that handlers and publishers can see has a test that holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).parents[1] / "contract"
#: What stands between the parts of a test's name.
SEPARATOR = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
ROW = re.compile(r"^\| (\d+ .+) \| (\d+ .+) \|$", re.MULTILINE)


def test_every_clause_names_a_test_and_every_block_of_tests_a_clause(
    moonq: Callable[..., Any],
) -> None:
    listed = moonq("test", "-C", CONTRACT.parent, CONTRACT, "--list").out.splitlines()
    names = [line.partition("  ")[2] for line in listed]
    rows = ROW.findall((CONTRACT / "README.md").read_text(encoding="utf-8"))
    assert len(rows) > 40
    unheld = [f"{clause}: {held}" for clause, held in rows if not any(map(_is(held), names))]
    assert unheld == []
    blocks = {name.partition(SEPARATOR)[0] for name in names}
    known = tuple(held.partition(SEPARATOR)[0] for _, held in rows)
    assert [block for block in sorted(blocks) if not block.startswith(known)] == []


def _is(held: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(held)
