"""What the modules for texts write they read again, over values that nobody thought of."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moonq.errors import CutShort, Invalid
from moonq.run.calling.lends import crypto, regex, url, yaml

NOBODY: Any = SimpleNamespace(look_up=lambda: None)

_CSV = b"""
local csv = require("csv")
return function(separator, eol, columns, ...)
  local rows, fields = {}, { ... }
  for at = 1, #fields, columns do
    rows[#rows + 1] = table.move(fields, at, at + columns - 1, 1, {})
  end
  local text = csv.encode(rows, { separator = separator, eol = eol })
  local read = assert(csv.decode(text, { separator = separator, header = false }))
  local flat = {}
  for _, row in ipairs(read) do
    assert(#row == columns)
    table.move(row, 1, columns, #flat + 1, flat)
  end
  return text, table.unpack(flat)
end
"""

bytes_ = st.text(st.sampled_from('ab,;"\r\n \t\0é'), max_size=6).map(str.encode)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(
        ["yes", "~", "010", "1e3", "- a", "a: b", "# c", "a\nb ", " a", "${env:X}", "\ufeffa"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="session")
def through_csv(run_lua: Callable[..., Any]) -> Callable[..., Any]:
    return run_lua(_CSV)


@given(
    rows=st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(bytes_, min_size=width, max_size=width), min_size=1)
    ),
    separator=st.sampled_from([b",", b";", b"\t", b"%", b"]", b"^"]),
    eol=st.sampled_from([b"\r\n", b"\n"]),
)
@example(rows=[[b""]], separator=b",", eol=b"\n")
@example(rows=[["\ufeffa".encode()]], separator=b",", eol=b"\n")
def test_rows_of_csv_come_back_as_they_were(
    through_csv: Callable[..., Any], rows: list[list[bytes]], separator: bytes, eol: bytes
) -> None:
    fields = [field for row in rows for field in row]
    _, *read = through_csv(separator, eol, len(rows[0]), *fields)
    assert read == fields


@given(value=values)
def test_a_value_comes_back_from_yaml(value: Any) -> None:
    given_ = json.dumps(value).encode()
    written = yaml.yaml_encode.function(NOBODY, given_)
    assert json.loads(yaml.yaml_decode.function(NOBODY, written)) == value


@given(data=st.binary())
@pytest.mark.parametrize("name", [b"base64", b"base64url", b"hex"])
def test_bytes_come_back_from_text(name: bytes, data: bytes) -> None:
    written = crypto.crypto_encode.function(NOBODY, name, data)
    assert crypto.crypto_decode.function(NOBODY, name, written) == data


@given(data=st.text("aZ09-_+/= \n", max_size=9).map(str.encode))
def test_base64_for_urls_is_read_strictly(data: bytes) -> None:
    try:
        found = crypto.crypto_decode.function(NOBODY, b"base64url", data)
    except Invalid:
        return
    assert base64.urlsafe_b64encode(found)[: len(data.rstrip(b"="))][:-1] == data.rstrip(b"=")[:-1]
    assert data.count(b"=") in (0, -len(data.rstrip(b"=")) % 4)


@given(
    parts=st.fixed_dictionaries(
        {},
        optional={
            "scheme": st.sampled_from(["http", "HTTPS", "a+b", "1", "a:b", "ü"]),
            "user": texts.filter(bool),
            "password": texts,
            "host": st.sampled_from(["a", "EXAMPLE.com", "::1", "a@b", "a/b", "a?b", "a#b", "a:1"]),
            "port": st.integers(1, 65535),
            "path": texts | st.sampled_from(["//a", "a:b", "/a/../b", "?", "#"]),
            "query": texts,
            "fragment": texts,
        },
    )
)
def test_a_url_that_is_built_is_read_as_its_parts(parts: dict[str, Any]) -> None:
    try:
        made = url.url_build.function(NOBODY, json.dumps(parts).encode())
    except Invalid:
        return
    read = json.loads(url.url_parse.function(NOBODY, made))
    for name in ("scheme", "host"):
        assert read.get(name, "") == parts.get(name, "").lower()
    for name in ("user", "password", "port"):
        assert read.get(name) == parts.get(name)
    again = url.url_build.function(NOBODY, json.dumps(read).encode())
    assert json.loads(url.url_parse.function(NOBODY, again)) == read


# The module without its host: nothing of that is needed here.
_QUERY = b"""
local real = require
function require(name)
  return name == "host.walls.lent" and {} or real(name)
end
local url = require("url")
require = real
return function(name, ...)
  local text = url.query({ [name] = { ... } })
  local read = url.parse_query(text)[name]
  return text, table.unpack(type(read) == "table" and read or { read })
end
"""


@pytest.fixture(scope="session")
def through_query(run_lua: Callable[..., Any]) -> Callable[..., Any]:
    return run_lua(_QUERY)


@given(name=st.binary(max_size=9), values=st.lists(st.binary(max_size=9), min_size=1, max_size=4))
def test_a_query_comes_back_as_it_was(
    through_query: Callable[..., Any], name: bytes, values: list[bytes]
) -> None:
    text, *read = through_query(name, *values)
    assert read == values
    wanted = parse_qs(text.decode(), keep_blank_values=True, encoding="latin-1")
    assert [one.encode("latin-1") for one in wanted.popitem()[1]] == values


def test_the_time_that_is_left_is_looked_at_before_each_match() -> None:
    looks = 0

    def look_up() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise CutShort("over")

    caller: Any = SimpleNamespace(look_up=look_up)
    with pytest.raises(CutShort):
        regex.regex_find.function(caller, b"a", b"", b"aaa", 0, 3)
    assert looks == 2
