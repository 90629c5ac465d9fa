"""The settings of a Redis server: what a url may say, what fits together, what is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moonq.drivers.redis.entry import RedisFields
from moonq.drivers.redis.settings import Address, address
from moonq.errors import Unsupported
from moonq.text import extras
from moonq.text.secrets import masked_line


def fields(**more: Any) -> RedisFields:
    return RedisFields.model_validate({"name": "r", "kind": "queue.driver.redis", **more})


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis://127.0.0.1:6379/0", Address()),
        ("redis://", Address()),
        ("redis://db.example/3", Address("db.example", database=3)),
        ("redis://db.example?db=4", Address("db.example", database=4)),
        ("redis://[::1]:77/1", Address("::1", 77, database=1)),
        ("rediss://ada:p%40ss@h", Address("h", is_tls=True, username="ada", password="p@ss")),
        ("valkeys://:p@h:1", Address("h", 1, is_tls=True, password="p")),
        ("unix:///run/r.sock?db=2", Address(path="/run/r.sock", database=2)),
        ("unix://ada:p@/run/r.sock", Address(path="/run/r.sock", username="ada", password="p")),
        ("unix:///run/r.sock?password=p", Address(path="/run/r.sock", password="p")),
    ],
)
def test_a_url_says_where_the_server_is(url: str, wanted: Address) -> None:
    assert tuple(address(url)) == tuple(wanted)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://h", "must begin with one of redis://, rediss://"),
        ("127.0.0.1:6379", "must begin with one of redis://, rediss://"),
        ("redis://u:a/b@h", "has a `/`, `?`, `#` or `@` in its user or password"),
        ("redis://u:a#b@h", "has a `/`, `?`, `#` or `@` in its user or password"),
        ("redis://h:port/0", "has no number from 1 to 65535 as its port"),
        ("redis://h:99999/0", "has no number from 1 to 65535 as its port"),
        ("redis://h/main", "must end with the number of a database, such as /0"),
        ("redis://[::1/0", "has brackets or letters that no host has"),
        ("unix://run/r.sock", "must name the socket's file from the root"),
        ("rediss://h?ssl_cert_reqs=none", "has `ssl_cert_reqs`, but may end with no more than"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused_in_words(url: str, says: str) -> None:
    with pytest.raises(ValidationError, match="`url` ") as caught:
        fields(url=url)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"tls": {"ca": "ca.pem"}}, "`tls` needs a url that begins with rediss://"),
        ({"cluster": True, "url": "redis://h/1"}, "`cluster` has database 0 only"),
        ({"cluster": True, "url": "unix:///r"}, "`cluster` needs hosts"),
        (
            {"cluster": True, "sentinel": {"master": "m", "hosts": ["h"]}},
            "`cluster` and `sentinel` exclude each other",
        ),
        ({"sentinel": {"master": "m", "hosts": ["h:x"]}}, "`hosts` names a port that is no number"),
        ({"sentinel": {"master": "m", "hosts": ["redis://h"]}}, "`hosts` must name hosts such as"),
        ({"sentinel": {"master": "m", "hosts": []}}, "at least 1 item"),
        ({"prefix": "a{b}"}, "`prefix` must be 1 to 100 letters"),
        ({"durability": "some"}, "'aof' or 'none'"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        fields(**more)
    assert says in str(caught.value)


def test_a_place_is_told_without_its_password() -> None:
    assert fields(url="rediss://ada:s3cret@h:1/2").where == "rediss://ada@h:1/2"
    assert fields(url="redis://:s3cret@h", cluster=True).where == "the cluster at redis://h:6379/0"
    watched = fields(
        url="redis://:s3cret@x",
        sentinel={"master": "shop", "hosts": ["a", "[::1]:7"], "password": "s3cret"},
    )
    assert watched.where == "the master 'shop' of the sentinels at a:26379, [::1]:7"


@given(st.text(min_size=4), st.text(st.characters(codec="ascii", categories=["L", "N"])))
def test_whatever_a_password_holds_it_arrives_and_is_not_shown(password: str, user: str) -> None:
    found = address(f"redis://{user}:{quote('<' + password, safe='')}@h:7/1")
    assert found.password == "<" + password
    assert "<" + password not in f"{found} {found!r} {found.shown}"


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.sampled_from(["h", "h:x", "[h", ""]))
def test_no_complaint_about_a_url_tells_its_password(password: str, host: str) -> None:
    told = ""
    try:
        address(f"redis://ada:s3c{password}r3t@{host}/x")
    except ValueError as problem:
        told = str(problem)
    assert "s3c" not in told


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  url: redis://ada:s3cret@h/x", "  url: redis://ada:******@h/x"),
        ("  {password: s3cret, master: m}", "  {password: ******, master: m}"),
        ('  password: "s3cret"', "  password: ********"),
        ("  password: ${env:REDIS_PASSWORD}", "  password: ${env:REDIS_PASSWORD}"),
        ("  url: redis://h:6379/0", "  url: redis://h:6379/0"),
        ('  hosts: ["ada:s3cret@h:1"]', '  hosts: ["ada:******@h:1"]'),
        ("  - ada:s3cret@h", "  - ada:******@h"),
        ("  func: app:handler  # mail ada@h", "  func: app:handler  # mail ada@h"),
        ("  prefix: shop", "  prefix: shop"),
    ],
)
def test_the_frame_around_a_line_hides_what_is_secret_and_keeps_its_columns(
    line: str, shown: str
) -> None:
    assert masked_line(line) == shown
    assert len(shown) == len(line)


def test_a_client_that_is_not_installed_is_named_with_what_installs_it() -> None:
    with pytest.raises(Unsupported) as caught:
        extras.client("redis", "no_such_client.of_redis")
    assert caught.value.in_one_line() == (
        "the client for queue.driver.redis is not installed: no module 'no_such_client.of_redis';"
        ' install it: pip install "moonq[redis]"'
    )


def test_a_client_with_a_part_missing_tells_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_a_client.py").write_text("import no_such_part_of_it\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_part_of_it"):
        extras.client("redis", "half_a_client")


def test_a_missing_library_of_a_lua_module_is_called_by_what_it_is_for() -> None:
    with pytest.raises(Unsupported) as caught:
        extras.client("http", "no_such_library", "the library behind the module `http`")
    assert caught.value.in_one_line() == (
        "the library behind the module `http` is not installed: no module 'no_such_library';"
        ' install it: pip install "moonq[http]"'
    )
