"""Field tables and properties: exact both ways, and whatever else comes is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pamqp.decode
import pamqp.encode
import pamqp.header
import pika.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands

from moonq.drivers.amqp.wire import properties, table
from moonq.drivers.amqp.wire.messages import Properties
from moonq.errors import Invalid

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
#: 120 bytes at most: pamqp cuts them at 128.
NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
#: What a handler may write as a header.
PLAIN = st.one_of(TEXT, st.booleans(), INT64, st.none())
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
DECIMALS = st.builds(lambda n, scale: Decimal(n).scaleb(-scale), st.integers(0, 2**32 - 1),
                     st.integers(0, 255))  # fmt: skip
VALUES = st.recursive(
    st.one_of(PLAIN, st.floats(allow_nan=False), st.binary(), MOMENTS, DECIMALS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=6)
SHORT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.none()
OCTET = st.integers(0, 255) | st.none()
PROPERTIES = st.builds(
    Properties, SHORT, SHORT, TABLES | st.none(), OCTET, OCTET, SHORT, SHORT, SHORT, SHORT,
    st.integers(0, 2**64 - 1) | st.none(), SHORT, SHORT, SHORT, SHORT,
)  # fmt: skip


def read(data: bytes) -> Any:
    found, end = table.decode(data, 0)
    assert end == len(data)
    return found


def same(one: Any, other: Any) -> bool:
    """Whether both are equal, in their types, too: True is no 1."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(TABLES)
def test_a_table_comes_back_as_it_was_written(given_table: dict[str, Any]) -> None:
    assert same(read(table.encode(given_table)), given_table)


@given(st.floats())
def test_no_bit_of_a_float_is_lost(number: float) -> None:
    (found,) = read(table.encode({"a": number})).values()
    assert found.hex() == number.hex()


@given(st.dictionaries(NAMES, PLAIN))
def test_other_clients_read_what_we_write(given_table: dict[str, Any]) -> None:
    data = table.encode(given_table)
    assert pamqp.decode.field_table(data) == (len(data), given_table)
    assert pika.data.decode_table(data, 0) == (given_table, len(data))


@given(st.dictionaries(NAMES, st.one_of(PLAIN, MOMENTS)))
def test_we_read_what_other_clients_write(given_table: dict[str, Any]) -> None:
    assert same(read(pamqp.encode.field_table(given_table)), given_table)
    pieces: list[bytes] = []
    pika.data.encode_table(pieces, {k: v for k, v in given_table.items() if k})
    assert read(b"".join(pieces)) == {k: v for k, v in given_table.items() if k}


def test_integers_of_every_size_are_read() -> None:
    fields = b"\1bb\xff\1BB\xff\1ss\xff\xfe\1uu\xff\xfe\1II\xff\xff\xff\xfe"
    fields += b"\1ii\xff\xff\xff\xfe\1LL" + b"\xff" * 8 + b"\1ff\x3f\x00\x00\x00"
    assert read(len(fields).to_bytes(4) + fields) == {
        "b": -1, "B": 255, "s": -2, "u": 65534, "I": -2, "i": 2**32 - 2, "L": -1, "f": 0.5,
    }  # fmt: skip


def test_text_that_is_not_utf_8_is_bytes_and_a_moment_beyond_all_calendars_a_number() -> None:
    fields = b"\1aS\0\0\0\2\xff\xfe\1bT" + (1_732_650_000_000_000).to_bytes(8)
    assert read(len(fields).to_bytes(4) + fields) == {"a": b"\xff\xfe", "b": 1_732_650_000_000_000}


@given(st.binary(max_size=200))
def test_what_is_no_table_is_unreadable_and_nothing_worse(data: bytes) -> None:
    for start in (data, len(data).to_bytes(4) + data):
        with contextlib.suppress(table.Unreadable):
            table.decode(start, 0)


@given(PROPERTIES, st.data())
def test_broken_properties_are_unreadable_and_nothing_worse(
    given_properties: Properties, data: st.DataObject
) -> None:
    whole = bytearray(properties.encode(given_properties))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for broken in (bytes(whole), cut):
        with contextlib.suppress(table.Unreadable):
            properties.decode(broken, 0, len(broken))


def test_tables_in_tables_have_an_end() -> None:
    deep: dict[str, Any] = {}
    for _ in range(table.DEPTH + 1):
        deep = {"a": deep}
    with pytest.raises(table.Unreadable, match="deeper"):
        read(table.encode(deep))
    lists: Any = []
    for _ in range(table.DEPTH + 1):
        lists = [lists]
    with pytest.raises(table.Unreadable, match="deeper"):
        read(table.encode({"a": lists}))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": 2**63}, "'a': 9223372036854775808 does not fit into 64 bits"),
        ({"a": {"b": [object()]}}, "'a': 'b': a object is nothing that AMQP can carry"),
        ({"n" * 256: 1}, "has 256 bytes, AMQP takes 255 there"),
        ({"a": datetime(2020, 1, 1)}, "'a': 2020-01-01 00:00:00 does not say its time zone"),
        ({"a": datetime(1969, 1, 1, tzinfo=UTC)}, "is no whole second since 1970"),
        ({"a": Decimal(-1)}, "'a': the decimal -1 does not fit"),
        ({"a": Decimal("NaN")}, "'a': the decimal NaN does not fit"),
        ({1: 1}, "1: a name in a table is text"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(value: dict[Any, Any], says: str) -> None:
    with pytest.raises(Invalid) as refused:
        table.encode(value)
    assert says in str(refused.value)


@given(PROPERTIES)
def test_properties_come_back_as_they_were_written(given_properties: Properties) -> None:
    data = b"before" + properties.encode(given_properties) + b"after"
    assert properties.decode(data, 6, len(data) - 5) == given_properties


@given(PROPERTIES.map(lambda found: found._replace(headers=None, timestamp=None, cluster_id=None)))
def test_pamqp_reads_our_properties(given_properties: Properties) -> None:
    data = properties.encode(given_properties)
    found = commands.Basic.Properties()
    found.unmarshal(int.from_bytes(data[:2]), data[2:])
    # pamqp has no place for a cluster, and says so by an empty one.
    read = Properties._make(dict(found).values())
    assert read._replace(cluster_id=None) == given_properties


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Properties(priority=256), "property 'priority': a int such as 256 does not fit"),
        (Properties(delivery_mode=-1), "property 'delivery_mode'"),
        (Properties(timestamp=-1), "property 'timestamp'"),
        (Properties(message_id="x" * 256), "property 'message_id': 'xxx"),
        (Properties(type=7), "property 'type': a int such as 7"),  # type: ignore[arg-type]
        (Properties(headers={"a": 2**64}), "header 'a': 18446744073709551616 does not fit"),
    ],
)
def test_a_property_that_does_not_fit_is_named(found: Properties, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        properties.encode(found)
    assert says in str(refused.value)
