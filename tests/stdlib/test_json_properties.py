"""The module `json` against Python's own, over values and texts that nobody thought of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

# Decodes a text and writes it again: plainly, and by the writer that sorts.
_THROUGH = b"""
local json = require("json")
return function(text)
  local value, err = json.decode(text)
  if err then
    return nil, nil, err:message()
  end
  return json.encode(value), json.encode(value, { pretty = true })
end
"""

# The shape of a decoded text, told without `json.encode`: kinds of number, lengths, nothing else.
_COUNT = b"""
local json = require("json")
return function(text)
  local integers, floats = 0, 0
  local function walk(value)
    if math.type(value) == "integer" then
      integers = integers + 1
    elseif math.type(value) == "float" then
      floats = floats + 1
    elseif type(value) == "table" then
      for _, item in next, value do
        walk(item)
      end
    end
  end
  walk((json.decode(text)))
  return integers, floats
end
"""

Through = Callable[[bytes], tuple[bytes | None, bytes | None] | tuple[None, None, bytes]]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=30,
)


@pytest.fixture(scope="session")
def through(run_lua: Callable[..., Any]) -> Through:
    return run_lua(_THROUGH)


@pytest.fixture(scope="session")
def count_numbers(run_lua: Callable[..., Any]) -> Callable[[bytes], tuple[int, int]]:
    return run_lua(_COUNT)


def typed(value: Any) -> Any:
    """The value with the type of each number, which `==` does not see."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, float):
        return ("float", math.copysign(1.0, value), value)
    return (type(value).__name__, value)


def numbers(value: Any) -> tuple[int, int]:
    """How many integers and floats lie in a value."""
    if isinstance(value, dict | list):
        counts = [numbers(item) for item in (value.values() if isinstance(value, dict) else value)]
        return sum(count[0] for count in counts), sum(count[1] for count in counts)
    return int(type(value) is int), int(isinstance(value, float))


def dump(value: Any, layout: tuple[int | None, bool]) -> bytes:
    indent, ascii_only = layout
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()


layouts = st.tuples(st.sampled_from([None, 0, 3]), st.booleans())


@given(value=values, layout=layouts)
@example(value={"": [], "a": {}, "b": [[]]}, layout=(None, True))
def test_a_value_comes_back_as_it_was(
    through: Through, value: Any, layout: tuple[int | None, bool]
) -> None:
    plain, pretty = through(dump(value, layout))[:2]
    assert plain is not None
    assert pretty is not None
    assert typed(json.loads(plain)) == typed(value)
    assert typed(json.loads(pretty)) == typed(value)


@given(value=values)
def test_integers_and_floats_stay_apart(
    count_numbers: Callable[[bytes], tuple[int, int]], value: Any
) -> None:
    assert count_numbers(dump(value, (None, False))) == numbers(value)


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def is_json(text: bytes) -> bool:
    """Whether Python takes the text, as strictly as RFC 8259 has it."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=refuse_constant)
        # Python lets half a surrogate pair and a number without bounds through.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


@given(value=values, data=st.data())
def test_a_spoilt_text_is_taken_or_refused_as_python_does(
    through: Through, value: Any, data: st.DataObject
) -> None:
    text = bytearray(dump(value, (None, False)))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 2))
        put = data.draw(
            st.sampled_from(
                [
                    b"",
                    b",",
                    b":",
                    b"]",
                    b"}",
                    b'"',
                    b"\\",
                    b"\\u",
                    b"\xff",
                    b"0",
                    b"-",
                    b".",
                    b"e",
                    b"n",
                    b" ",
                    b"\n",
                ]
            )
        )
        text[position : position + cut] = put
    assert_judged_alike(through, bytes(text))


@given(
    text=st.binary(max_size=40)
    | st.text('[]{}:,"\\u0dD8c019-+.eEtrufalsn \n', max_size=25).map(str.encode)
)
def test_any_text_is_taken_or_refused_as_python_does(through: Through, text: bytes) -> None:
    assert_judged_alike(through, text)


def assert_judged_alike(through: Through, text: bytes) -> None:
    answer = through(text)
    if is_json(text):
        plain = answer[0]
        assert plain is not None
        assert json.loads(plain) == json.loads(text)
    else:
        assert answer[:2] == (None, None)
        assert answer[2].startswith(b"json: line ")  # type: ignore[misc]
