"""The address of a broker."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.drivers.amqp.wire.address import Address
from moonq.errors import Invalid

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://guest:guest@127.0.0.1:5672/", Address()),
        ("amqp://", Address()),
        ("amqp://mq", Address(host="mq")),
        ("amqps://mq", Address(host="mq", port=5671, is_tls=True)),
        ("amqp://mq/shop", Address(host="mq", vhost="shop")),
        ("amqp://mq/%2Fshop", Address(host="mq", vhost="/shop")),
        ("amqp://mq//", Address(host="mq")),
        ("amqp://u:@mq", Address(host="mq", user="u", password="")),
        ("amqp://u:p%40%2f@[::1]:7/", Address(host="::1", port=7, user="u", password="p@/")),
        (
            "amqps://mq/?auth_mechanism=external",
            Address(host="mq", port=5671, is_tls=True, mechanism="EXTERNAL"),
        ),
    ],
)
def test_an_address_says_where_and_who(url: str, expected: Address) -> None:
    assert Address.parse(url) == expected


@given(TEXT, TEXT, TEXT)
def test_names_may_have_any_character(user: str, password: str, vhost: str) -> None:
    parts = (quote(part, safe="") for part in (user, password, vhost))
    address = Address.parse("amqp://{}:{}@mq/{}".format(*parts))
    assert (address.user, address.password, address.vhost) == (user, password, vhost)


@pytest.mark.parametrize(
    ("url", "says", "hint"),
    [
        ("http://mq", "begins with amqp:// or amqps://", "amqp://user:password@host:5672/vhost"),
        ("", "begins with amqp:// or amqps://", "amqp://"),
        ("amqp://mq:port", "its port is no number", "%2F"),
        ("amqp://u:s3cret#x@mq/", "stands inside a name or password", "%23"),
        ("amqp://u:s3cret/x@mq/", "stands inside a name or password", "%2F"),
        ("amqp://u:1/s3cret@mq/", "stands inside a name or password", "%2F"),
        ("amqp://u:s3cret?x@mq/", "stands inside a name or password", "%3F"),
        ("amqp://u@mq", "'amqp://u@mq' has a user and no password", ""),
        ("amqp://u:s3cret@mq/a/b", "'amqp://u@mq/a/b' has a virtual host with a '/'", "/a%2Fb"),
        ("amqp://u:s3cret@mq/?heartbeat=5", "'amqp://u@mq/' says 'heartbeat'", "heartbeat: 20s"),
        ("amqp://mq?connection_timeout=5", "'connection_timeout'", "connection_timeout: 5s"),
        ("amqps://mq?cacertfile=x", "says 'cacertfile'", "tls: { ca: … }"),
        ("amqp://mq/?retries=3", "says 'retries'", "auth_mechanism=external"),
        ("amqps://mq/?auth_mechanism=kerberos", "auth_mechanism 'kerberos'", "plain, external"),
        ("amqp://mq/?auth_mechanism=external", "EXTERNAL without TLS", "amqps://"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, says: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        Address.parse(url)
    assert says in refused.value.message
    assert hint in refused.value.hint
    assert "s3cret" not in str(refused.value)


def test_an_address_shows_no_password() -> None:
    address = Address.parse("amqp://u:s3cret@mq/shop")
    assert str(address) == "amqp://u@mq:5672/shop"
    assert "s3cret" not in repr(address)
