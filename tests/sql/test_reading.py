"""Texts of statements and of PostgreSQL's values, for all that there may be."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.databases.faults import Failed
from moonq.databases.pgtext import bound, reader
from moonq.databases.statement import DIALECTS, read
from moonq.errors import MoonqError


@pytest.mark.parametrize(
    ("dialect", "text", "names"),
    [
        ("postgres", "SELECT :a::text, ':b', \":c\", a[1:2] -- :d\n, :e", ["a", "e"]),
        ("postgres", "SELECT $$ :a $$, $x$ :b $$ $x$, :c", ["c"]),
        ("postgres", "SELECT a$b$ , :c, $b$ :d $b$", ["c"]),
        ("postgres", r"SELECT E'\':a', '\', :b, e'''\'' , :c", ["b", "c"]),
        ("postgres", "SELECT /* /* :a */ :b */ :c", ["c"]),
        ("postgres", "SELECT x := :a, y:=1", ["a"]),
        ("sqlite", "SELECT [:a], `:b`, ':c''', :d /* :e", ["d"]),
        ("mysql", "SELECT ':a\\'', \":b\\\"\", `:c`, 5--:d\n, :e # :f", ["d", "e"]),
        ("mysql", "SELECT 1 -- :a\n, :b", ["b"]),
        ("mysql_plain", r"SELECT '\', :a, ' :b'", ["a"]),
        ("sqlite", "SELECT :a, :b, :a", ["a", "b", "a"]),
        ("sqlite", "SELECT :a_1, :1, : a", ["a_1"]),
    ],
)
def test_parameters_are_found_where_they_are_none_of_the_text(
    dialect: str, text: str, names: list[str]
) -> None:
    assert list(read(text.encode(), dialect).names) == names


@given(st.sampled_from(sorted(DIALECTS)), st.text(alphabet=":ab'\"`[]$/*-#\\E \n;é", max_size=60))
def test_a_text_is_cut_and_never_changed(dialect: str, text: str) -> None:
    try:
        statement = read(text.encode(), dialect)
    except Failed:
        return
    whole = statement.parts[0]
    for name, part in zip(statement.names, statement.parts[1:], strict=True):
        whole += f":{name}{part}"
    assert whole == text


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("piece", ["/*", "'", '"', "`", "[", "$a$", "$", "--", "E'\\", ":", "a:"])
def test_reading_takes_no_longer_than_the_text_is_long(dialect: str, piece: str) -> None:
    text = "SELECT " + piece * (200_000 // len(piece))
    began = time.process_time()
    read(text.encode(), dialect)
    assert time.process_time() - began < 1.0


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(st.none() | TEXTS, max_size=8))
def test_an_array_of_texts_is_read_as_it_is_written(values: list[str | None]) -> None:
    sent = bound("v", list(values)).value
    assert sent is not None
    found = reader(1009)(sent)
    assert found == [None if one is None else one.encode() for one in values]


def test_a_zero_byte_is_no_text_of_postgres() -> None:
    with pytest.raises(MoonqError, match=":v holds a zero byte"):
        bound("v", "a\0b")
