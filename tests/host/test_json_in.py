from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.text.json_in import MAX_DEPTH, parsed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\[]{}é\n', max_size=6),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('a"\\[{', max_size=3), inner),
)


@given(VALUES, st.sampled_from(["utf-8", "utf-16", "utf-32-be"]))
def test_a_value_is_what_the_library_makes_of_it(value: Any, encoding: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert parsed(text) == value
    assert parsed(text.encode(encoding)) == value


@pytest.mark.parametrize("opens", ["[", '{"a":', '[{"a":', '["[", ', '{"\\"]":['])
def test_what_is_nested_too_deep_is_refused_at_any_size(opens: str) -> None:
    levels = opens.count("[") - opens.count('"[') + opens.count("{") or 1
    closes = {"[": "]", "{": "}"}
    below = MAX_DEPTH // levels
    text = opens * below + "1"
    for char in reversed((opens.replace('"["', "").replace('"\\"]"', "")) * below):
        text += closes.get(char, "")
    assert parsed(text)
    for many in (1_000, 100_000):
        for data in (opens * many, (opens * many).encode(), (opens * many).encode("utf-16")):
            with pytest.raises(ValueError, match="nested deeper than 200 levels"):
                parsed(data)


def test_brackets_side_by_side_or_in_texts_are_not_deep() -> None:
    assert parsed("[" + ",".join(["[]"] * 5_000) + "]") == [[]] * 5_000
    assert parsed(json.dumps(["[" * 5_000, '\\"[' * 5_000]))[0] == "[" * 5_000


def test_looking_takes_no_longer_than_reading() -> None:
    text = json.dumps([{"a": ["x" * 20], "b": {}}] * 20_000)
    began = time.perf_counter()
    parsed(text)
    assert time.perf_counter() - began < 2


def test_a_small_stack_is_enough_for_whatever_arrives() -> None:
    before = threading.stack_size(256 * 1024)
    found: list[str] = []

    def read() -> None:
        try:
            parsed(b'{"kind":' + b"[" * 500_000)
        except ValueError as problem:
            found.append(str(problem))

    try:
        thread = threading.Thread(target=read)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert found == ["nested deeper than 200 levels"]
