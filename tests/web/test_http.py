"""Requests of scripts on a host: whom they reach, what ends them, and what an entry may say."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.process import until
from tests.servers.web import Web

from moonq.errors import Invalid
from moonq.host import CallResult, Host
from moonq.kinds import inspect, load
from moonq.run.calling.calls import Call
from moonq.run.calling.lends.http import retry_after
from moonq.run.web import line
from moonq.run.web.addresses import Rules
from moonq.run.web.wanted import url_of
from moonq.text import urls

ASKER = """
local http = require("http")
return function(order)
  local client = order.client and http.client(order.client) or http
  local response, err
  if order.client then
    response, err = client:get(order.url, order.options)
  else
    response, err = http.get(order.url, order.options)
  end
  if not response then
    return nil, err
  end
  return { status = response.status, body = response.body }
end
"""
INDEX = """
namespace: app
entries:
  - {name: asker, kind: function.lua, source: file://asker.lua, modules: [http]}
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    """Start a host of the project with more lines in its files."""
    started: list[Host] = []

    def start(more: str = "", settings: str = "") -> Host:
        (tmp_path / "asker.lua").write_text(ASKER)
        (tmp_path / "_index.yaml").write_text(INDEX + more)
        (tmp_path / "moonq.yaml").write_text(settings or "name: web\n")
        made = Host(load(tmp_path))
        made.start()
        started.append(made)
        return made

    yield start
    for one in started:
        one.stop()


def ask(host: Host, url: str, client: str | None = None, **options: Any) -> CallResult:
    order = {"url": url, "client": client, "options": {"timeout": 5, **options}}
    told = {name: value for name, value in order.items() if value is not None}
    return host.call("app:asker", json.dumps(told))


def words(result: CallResult) -> str:
    assert result.fault is not None, result.values
    return f"{result.fault.kind}: {result.fault.message}"


def answered(result: CallResult) -> Any:
    assert result.fault is None, result.fault
    return json.loads(result.values[0]["body"])


# Addresses ------------------------------------------------------------------------------------


def test_in_production_nobody_reaches_this_machine_or_private_networks(
    host: Callable[..., Host], web: Web
) -> None:
    production = host(settings="production: true\n")
    for name in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1"):
        found = words(ask(production, f"http://{name}:{web.port}/echo"))
        assert found.startswith("PERMISSION_DENIED"), found
        assert "this machine" in found
    for address in ("10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "[fd12::1]"):
        found = words(ask(production, f"http://{address}/"))
        assert "an address of a private network" in found
    assert web.seen("/nobody") == 0


@pytest.mark.parametrize("named", ["127.0.0.1", "127.0.0.0/8", "localhost", "*.localhost"])
def test_in_production_an_entry_may_name_whom_it_reaches(
    host: Callable[..., Host], web: Web, named: str
) -> None:
    more = f"  - {{name: inside, kind: http.client, allow: ['{named}', '::1']}}\n"
    production = host(more, "production: true\n")
    name = named if named[0].isalpha() else "127.0.0.1"
    if named == "*.localhost":
        assert "this machine" in words(ask(production, f"{web.url}/echo", "app:inside"))
        return
    assert answered(ask(production, f"http://{name}:{web.port}/echo", "app:inside"))
    assert "this machine" in words(ask(production, f"http://{name}:{web.port}/echo"))


def test_in_production_the_host_of_a_base_url_is_named_by_it(
    host: Callable[..., Host], web: Web
) -> None:
    more = f"  - {{name: inside, kind: http.client, base_url: 'http://localhost:{web.port}'}}\n"
    production = host(more, "production: true\n")
    assert answered(ask(production, "/echo", "app:inside"))["target"] == "/echo"
    redirect = f"/redirect?to=http://127.0.0.1:{web.port}/echo"
    assert "this machine" in words(ask(production, redirect, "app:inside", follow=1))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let the system answer lookups of ``*.test`` with these lists of addresses, one by one."""
    real = socket.getaddrinfo

    def answers(*each: list[str]) -> list[str]:
        asked: list[str] = []
        left = list(each)

        def lookup(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            if not str(host).endswith(".test"):
                return real(host, port, *args, **options)
            asked.append(host)
            found = left.pop(0)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        return asked

    return answers


def test_what_is_connected_to_is_what_was_looked_at(
    host: Callable[..., Host], web: Web, names: Callable[..., list[str]]
) -> None:
    asked = names(["127.0.0.1"], ["169.254.169.254"])
    running = host()
    seen = answered(ask(running, f"http://bank.test:{web.port}/closes"))
    assert seen["connection"] > 0
    assert asked == ["bank.test"]
    # The name leads elsewhere at the next lookup, and that one is looked at, too.
    assert "bank.test leads to 169.254.169.254," in words(
        ask(running, f"http://bank.test:{web.port}/echo")
    )


def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    host: Callable[..., Host], web: Web, names: Callable[..., list[str]]
) -> None:
    names(["169.254.169.254", "127.0.0.1"])
    assert answered(ask(host(), f"http://bank.test:{web.port}/echo"))


def test_a_name_for_metadata_does_not_allow_it(
    host: Callable[..., Host], names: Callable[..., list[str]]
) -> None:
    names(["169.254.169.254"])
    more = (
        "  - {name: cloud, kind: http.client, allow: [cloud.test], base_url: 'http://cloud.test'}\n"
    )
    assert "a cloud's metadata service" in words(ask(host(more), "/", "app:cloud"))


def test_the_next_address_is_tried_where_one_refuses(
    host: Callable[..., Host], web: Web, names: Callable[..., list[str]]
) -> None:
    names(["127.0.0.2", "127.0.0.1"])
    assert answered(ask(host(), f"http://bank.test:{web.port}/echo"))


@given(st.integers(0, 0xFFFF).map(lambda low: IPv4Address(0xA9FE0000 + low)))
def test_every_form_of_a_link_local_address_is_refused(address: IPv4Address) -> None:
    number, rules = int(address), Rules()
    forms = (
        address,
        IPv6Address(0xFFFF_0000_0000 + number),
        IPv6Address((0x2002 << 112) + (number << 80) + 1),
        IPv6Address((0x64_FF9B << 96) + number),
        IPv6Address(number),
        IPv6Address((0x2001_0000 << 96) + (number ^ 0xFFFF_FFFF)),
    )
    assert all(rules.refusal(str(form), "bank.test") for form in forms)
    allowed = Rules.of([str(address)], is_production=True)
    assert not any(allowed.refusal(str(form), "bank.test") for form in forms)


# What ends a request --------------------------------------------------------------------------


def test_a_lookup_that_hangs_ends_with_the_time_limit(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        go_on.wait(20)
        raise socket.gaierror("gone")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(line, "_lookups", threading.BoundedSemaphore(1))
    running = host()
    found = words(ask(running, "http://bank.test/", timeout=0.2))
    assert found.startswith("TIMEOUT: GET http://bank.test/: not done within 200ms, while looking")
    assert "lookups of names hang already" in words(ask(running, "http://other.test/"))
    go_on.set()


@pytest.mark.parametrize("path", ["/silent", "/slow-body", "/slow-headers"])
def test_a_stop_closes_the_socket(host: Callable[..., Host], web: Web, path: str) -> None:
    running = host()
    begun: list[Call] = []
    ended: list[CallResult] = []

    def call() -> None:
        order = json.dumps({"url": web.url + path, "options": {"timeout": 60}})
        ended.append(running.call("app:asker", order, begun=begun.append))

    before = web.seen(path)
    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: web.seen(path) > before, "the request has come")
    began = time.monotonic()
    begun[0].cut_off()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 2
    assert words(ended[0]).startswith("CANCELED")


def test_the_time_of_the_call_is_the_time_of_its_request(
    host: Callable[..., Host], web: Web
) -> None:
    running = host(
        "  - {name: hasty, kind: function.lua, source: file://asker.lua, modules: [http],"
        " limits: {timeout: 300ms}}\n"
    )
    order = json.dumps({"url": f"{web.url}/slow-body", "options": {"timeout": 60}})
    began = time.monotonic()
    assert words(running.call("app:hasty", order)).startswith("TIMEOUT")
    assert time.monotonic() - began < 3


# Around it ------------------------------------------------------------------------------------


def test_a_dry_run_asks_nobody_and_says_what_it_would(host: Callable[..., Host], web: Web) -> None:
    before = web.seen("/echo")
    order = json.dumps({"url": f"{web.url}/echo?key=1"})
    result = host().call("app:asker", order, send=False)
    assert (result.unknown, result.fault) == (f"GET {web.url}/echo", None)
    assert web.seen("/echo") == before


def test_a_test_that_answers_for_nobody_is_told_what_to_write(
    tmp_path: Path, web: Web, moonq: Callable[..., Any]
) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "asker.lua").write_text(ASKER)
    call = f'test.call("app:asker", {{ url = "{web.url}/several" }})'
    (tmp_path / "asker_test.lua").write_text(
        f'local test = require("test")\ntest.it("asks", function()\n  {call}\nend)\n'
    )
    before = web.seen("/several")
    said = moonq("test", "-C", tmp_path)
    assert said.code == 1
    words = " ".join((said.out + said.err).split())
    assert "test.http(function(request) return { status = 200 } end)" in words
    assert web.seen("/several") == before
    assert moonq("test", "-C", tmp_path, "--real").code == 0
    assert web.seen("/several") == before + 1


def test_proxies_and_certificates_of_the_environment_mean_nothing(
    host: Callable[..., Host], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = web.seen("proxy")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, web.proxy_url)
    monkeypatch.setenv("SSL_CERT_FILE", str(web.ca))
    running = host()
    assert answered(ask(running, f"{web.url}/echo"))
    assert web.seen("proxy") == before
    assert "its certificate is refused" in words(ask(running, f"{web.tls_url}/echo"))


def test_without_the_library_it_is_said_what_to_install(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = host()
    monkeypatch.setitem(sys.modules, "httpx2", None)
    assert words(ask(running, "http://bank.test/")) == (
        "INVALID: the library behind the module `http` is not installed: no module 'httpx2';"
        ' install it: pip install "moonq[http]"'
    )


def test_a_reload_changes_the_client_and_no_call_that_runs(
    host: Callable[..., Host], web: Web, tmp_path: Path
) -> None:
    entry = "  - {{name: bank, kind: http.client, base_url: '{0}', headers: {{x-is: {1}}}}}\n"
    running = host(entry.format(web.url, "old"))
    assert answered(ask(running, "/echo", "app:bank"))["headers"]["x-is"] == "old"
    found: list[CallResult] = []
    before = web.seen("/slow-body")
    thread = threading.Thread(
        target=lambda: found.append(ask(running, "/slow-body", "app:bank", timeout=0.7))
    )
    thread.start()
    until(lambda: web.seen("/slow-body") > before, "the request has come")
    (tmp_path / "_index.yaml").write_text(INDEX + entry.format(web.url, "new"))
    running.reload()
    assert answered(ask(running, "/echo", "app:bank"))["headers"]["x-is"] == "new"
    thread.join(10)
    assert words(found[0]).startswith("TIMEOUT")


def test_a_file_of_certificates_that_is_not_there_is_named(
    host: Callable[..., Host], web: Web
) -> None:
    running = host("  - {name: bank, kind: http.client, tls: {ca: nowhere.pem}}\n")
    assert "check nowhere.pem" in words(ask(running, f"{web.tls_url}/echo", "app:bank"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("base_url: bank.example", "`base_url` must begin with http:// or https://"),
        ("base_url: 'http://ada:pw@bank.example'", "`base_url` holds a user or a password"),
        ("base_url: 'http://bank.example/?a=1'", "`base_url` has a query"),
        ("base_url: 'http://[::1/'", "`base_url` has a host or a port that makes no sense"),
        ("proxy: 'https://bank.example'", "`proxy` must begin with http://"),
        ("proxy: 'socks5://bank.example'", "`proxy` must begin with http:// or https://"),
        ("headers: {Host: a}", "`Host` is written by moonq alone"),
        ('headers: {X-A: "a\\nb"}', "`X-A` holds a line break"),
        ("headers: {X A: a}", "the name of a header has letters"),
        ("auth: {}", "`auth` must have either `bearer`, or `username` and `password`"),
        ("auth: {bearer: a, username: b, password: c}", "`auth` must have either"),
        ("auth: {username: b}", "`auth` must have either"),
        ("auth: {bearer: a b}", "`bearer` must be a token without spaces"),
        ("allow: [10.0.0.1/8]", "has host bits set"),
        ("allow: ['http://a']", "which is no address, network or host"),
        ("allow: ['*']", "which is no address, network or host"),
        ("timeout: 0s", "`timeout` must be between"),
        ("timeout: 2h", "`timeout` must be between"),
        ("max_response: 1G", "`max_response` must be between 1B and 64M"),
        ("retries: 11", "`retries` must be between 0 and 10"),
        ("follow: 3", "has no field `follow`"),
    ],
)
def test_an_entry_that_makes_no_sense_is_a_finding(
    tmp_path: Path, fields: str, message: str
) -> None:
    (tmp_path / "_index.yaml").write_text(
        f"namespace: app\nentries:\n  - {{name: bank, kind: http.client, {fields}}}\n"
    )
    _, findings = inspect(tmp_path)
    assert [message for found in findings if message in found.message], findings
    assert "pw" not in str([found.message for found in findings])


@given(st.text(max_size=40))
def test_no_text_is_more_than_a_url_or_an_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://bank.example/{text}"):
        urls.shown(url)
        try:
            found = url_of(url)
        except Invalid:
            continue
        assert found.scheme in ("http", "https")
        assert found.raw_host
        assert not set("\r\n\0 ") & set(str(found))
        assert url_of(str(found)) == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("999999999", 365 * 86_400.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("Thu, 99 Foo 1970 00:01:40 GMT", None),
    ],
)
def test_how_long_to_wait_is_read_from_numbers_and_dates(text: str, seconds: float | None) -> None:
    assert retry_after([("retry-after", text)], 10.0) == seconds


def test_a_client_that_no_entry_is_called_is_found_by_a_check(
    tmp_path: Path, moonq: Callable[..., Any]
) -> None:
    (tmp_path / "_index.yaml").write_text(f"{INDEX}  - {{name: bank, kind: http.client}}\n")
    script = (
        'local http = require("http")\nreturn function() return http.client("bnk"):gett("/") end'
    )
    (tmp_path / "asker.lua").write_text(script)
    said = moonq("check", tmp_path)
    assert "no entry `app:bnk`" in said.out
    assert "did you mean `app:bank`?" in said.out


def test_what_proves_who_we_are_is_not_shown(tmp_path: Path, moonq: Callable[..., Any]) -> None:
    (tmp_path / "_index.yaml").write_text(
        "namespace: app\nentries:\n  - name: bank\n    kind: http.client\n"
        "    base_url: https://bank.example\n    auth: {bearer: s3cret1}\n"
        "    headers: {X-Api-Key: s3cret2, Authorization: s3cret3, X-Shop: moonq}\n"
        "    proxy: 'http://ada:s3cret4@10.0.0.1:3128'\n"
        "  - {name: other, kind: http.client, auth: {username: ada, password: s3cret5}}\n"
    )
    for entry in ("app:bank", "app:other"):
        for form in ((), ("--json",)):
            said = moonq("show", entry, "-C", tmp_path, *form)
            assert said.code == 0
            assert "s3cret" not in said.out
    said = moonq("show", "app:bank", "-C", tmp_path)
    assert "https://bank.example" in said.out
    assert "X-Shop: moonq" in said.out
