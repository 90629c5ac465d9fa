"""Functions that SQLite has with us: they answer what its own do, in time."""

from __future__ import annotations

import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.databases.walls import Walls

VALUES = st.one_of(
    st.none(),
    st.integers(-120, 120),
    st.sampled_from([1.0, 0.5, -2.25]),
    st.text("a1é.", max_size=6),
    st.text("a1", max_size=6).map(str.encode),
)
PLAIN = sqlite3.connect(":memory:", check_same_thread=False)
OURS = sqlite3.connect(":memory:", check_same_thread=False)
OURS.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1024 * 1024)
Walls().bound_functions(OURS)


def both(call: str, *values: object) -> tuple[object, object]:
    text = f"SELECT typeof({call}), {call}"
    plain, ours = (one.execute(text, values).fetchone() for one in (PLAIN, OURS))
    return plain, ours


@given(VALUES, VALUES, VALUES)
def test_functions_that_are_ours_answer_as_those_of_sqlite(a: object, b: object, c: object) -> None:
    plain, ours = both("instr(?1, ?2)", a, b)
    assert ours == plain
    plain, ours = both("replace(?1, ?2, ?3)", a, b, c)
    assert ours == plain


@pytest.mark.parametrize("call", ["instr(?1, ?2)", "length(replace(?1, ?2, ''))"])
def test_a_row_of_searches_takes_no_longer_than_its_texts(call: str) -> None:
    text = f"SELECT {' + '.join([call] * 20)} AS n"
    began = time.monotonic()
    OURS.execute(text, ("0" * 700_000, "0" * 300_000 + "1")).fetchone()
    assert time.monotonic() - began < 5  # SQLite's own take 24 s


def test_what_replace_makes_is_bounded_before_it_is_made() -> None:
    with pytest.raises(sqlite3.DataError, match="too big"):
        OURS.execute("SELECT replace(?1, '0', ?1)", ("0" * 1_000_000,)).fetchone()
