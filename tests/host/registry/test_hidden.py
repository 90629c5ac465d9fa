"""What comes from the environment is used, and nowhere shown."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq import log
from moonq.cli import surroundings
from moonq.cli.failures import explain
from moonq.cli.options import Options
from moonq.drivers.redis.entry import RedisFields
from moonq.kinds import load, read
from moonq.text.findings import Finding
from moonq.text.secrets import remember, without_secrets

Moonq = Callable[..., Any]
PASSWORD = "hunter2-of-shop"
URL = f"redis://shop:{PASSWORD}@redis.shop/3"
REDIS = """
  - {name: driver, kind: queue.driver.redis, url: "${env:SHOP_URL}", meta: {a: "${env:SHOP_VALUE}"}}
"""
VALUE = "s3cret-of-nobody"
ENTRIES = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: memory, meta: {tags: ["${env:SHOP_VALUE}", plain]}}
  - name: prices
    kind: registry.entry
    meta: {team: "${env:SHOP_VALUE}"}
    vat: 0.19
    key: "pre-${env:SHOP_VALUE}-post"
    deep: {list: [{inner: "${env:SHOP_VALUE}"}]}
    link: "https://user:${env:SHOP_VALUE}@host/"
    literal: "amqp://user:written-down@host/"
    headers: [{Authorization: "Bearer written-down", X-Api-Key: written-down, Cookie: written-down}]
  - name: look
    kind: function.lua
    modules: [registry]
    source: file://look.lua
"""
FEW = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
"""
LOOK = """
return function()
  local registry = require("registry")
  return registry.get("app:prices"), registry.find({ kind = "registry.entry" })
end
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    (tmp_path / "look.lua").write_text(LOOK)
    monkeypatch.setenv("SHOP_URL", URL)
    monkeypatch.setenv("SHOP_VALUE", VALUE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def redis(shop: Path) -> Path:
    (shop / "_index.yaml").write_text(ENTRIES + REDIS)
    return shop


def test_drivers_get_the_value(redis: Path) -> None:
    assert load(redis).entries["app:driver"].fields(RedisFields).url == URL


def test_an_address_is_shown_as_it_is_written(moonq: Moonq, redis: Path) -> None:
    shown = moonq("show", "driver").out
    assert "${env:SHOP_URL}" in shown
    assert PASSWORD not in shown


def test_doctor_says_where_a_driver_goes_without_the_password(redis: Path) -> None:
    said = surroundings.settings(load(redis).entries["app:driver"])
    assert said["url"] == "redis://shop:***@redis.shop/3"


@pytest.mark.parametrize(
    "typed",
    [
        "show jobs",
        "show prices",
        "ls",
        "ls --json",
        "graph",
        "check",
        "show jobs --json",
        "show prices --json",
        "show prices --field key",
        "eval mq.entry('app:prices')",
        "eval mq.entries() --json",
        "call look",
        "call look --json",
    ],
)
def test_no_command_shows_it(moonq: Moonq, shop: Path, typed: str) -> None:
    said = moonq(*typed.split())
    assert said.code != 70, said.err
    # What is written in a file is a script's to read, and hidden from people alone.
    is_script = "call" in typed
    for one in (PASSWORD, VALUE, *([] if is_script else ["written-down"])):
        assert one not in said.out + said.err


def test_what_is_written_in_its_place_is_shown(moonq: Moonq, shop: Path) -> None:
    fields = json.loads(moonq("show", "prices", "--json").out)["fields"]
    assert fields["key"] == "pre-${env:SHOP_VALUE}-post"
    assert fields["deep"] == {"list": [{"inner": "${env:SHOP_VALUE}"}]}
    assert fields["vat"] == 0.19
    assert json.loads(moonq("show", "jobs", "--json").out)["meta"] == {
        "tags": ["${env:SHOP_VALUE}", "plain"]
    }
    values = moonq("eval", "registry.get('app:prices').meta.team", "--json").out
    assert json.loads(values) == "${env:SHOP_VALUE}"


FIELDS = [
    "kind: queue.queue, driver: {0}",
    "kind: queue.queue, driver: memory, codec: {0}",
    "kind: queue.queue, driver: memory, max_body: {0}",
    "kind: queue.queue, driver: memory, publish_timeout: {0}",
    "kind: queue.queue, driver: memory, retry: {{max_attempts: {0}}}",
    "kind: queue.queue, driver: memory, retry: {{initial_delay: {0}}}",
    "kind: queue.queue, driver: memory, options: {{overflow: {0}}}",
    "kind: queue.queue, driver: memory, options: {{max_length: {0}}}",
    "kind: queue.queue, driver: memory, dead_letter: {0}",
    "kind: queue.driver.redis, url: {0}",
    "kind: queue.driver.redis, url: {0}, password: {0}",
    "kind: queue.driver.amqp, url: {0}",
    "kind: queue.driver.sqs, endpoint: {0}",
    "kind: queue.driver.sqlite, path: {0}",
    "kind: queue.driver.sqlite, path: {0}, durability: {0}",
    "kind: function.lua, source: {0}",
    "kind: function.lua, source: 'file://look.lua', modules: [{0}]",
    "kind: function.lua, source: 'file://look.lua', limits: {{memory: {0}, timeout: {0}}}",
    "kind: function.lua, source: 'file://look.lua', imports: {{a: {0}}}",
    "kind: queue.consumer, queue: {0}, func: {0}",
    "kind: env.variable, variable: {0}",
    "kind: store.memory, lifecycle: {{start_timeout: {0}, requires: [{0}]}}",
    "kind: security.policy, policy: {{actions: {0}, resources: {0}, effect: {0}}}",
]
ODD = [
    "zq81-pa55/word:x@y",
    "redis://me:zq81-pa55@ho st:99999/x?y",
    "amqp://a:zq81-pa55@[::1/",
    "http://zq81-pa55:x@:0",
    "~zq81-pa55",
    "$zq81-pa55/x",
    "1zq81-pa55",
    "zq81-pa55 s",
    "redis://u:p@host:zq81-pa55",
    "redis://host/zq81-pa55",
    "rediss+zq81-pa55://host",
    "redis://host?zq81-pa55=1",
]


@pytest.mark.parametrize("fields", FIELDS)
def test_no_finding_shows_it(shop: Path, fields: str) -> None:
    written = fields.format('"${env:ODD}"')
    (shop / "_index.yaml").write_text(f"{FEW}\n  - {{name: odd, {written}}}\n")
    for value in ODD:
        for one in read(shop, env={"ODD": value}).findings:
            assert "zq81" not in repr(one), value


def test_a_word_that_happens_to_be_a_value_stays_a_word(
    moonq: Moonq, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_VALUE", "kind")
    (shop / "_index.yaml").write_text(f"{ENTRIES}\n  - {{name: odd, kind: nothing}}\n")
    assert "unknown entry kind `nothing`" in moonq("check").out


def test_no_log_line_and_no_report_of_a_bug_holds_it(redis: Path) -> None:
    load(redis)
    written = io.StringIO()
    handler = log._Handler(written, log.JsonFormatter())
    record = logging.LogRecord("x", logging.INFO, "", 0, f"no answer from {URL}", (), None)
    handler.emit(record)
    assert "no answer from redis://shop:***@redis.shop/3" in written.getvalue()
    (redis / ".moonq").mkdir()
    explain(RuntimeError(f"met {URL}"), [], Options(project=redis))
    [report] = (redis / ".moonq").glob("moonq-bug-*")
    assert PASSWORD not in report.read_text()
    assert "met redis://shop:***@" in report.read_text()


def test_the_text_of_an_entry_in_a_traceback_holds_no_secret(redis: Path) -> None:
    assert PASSWORD not in repr(load(redis))
    assert "written-down" not in repr(load(redis))


def test_what_is_remembered_is_a_secret_by_its_name_or_its_place() -> None:
    remember("Xk29-token", "api_token")
    remember("plainly-said", "region")
    remember("short", "password")
    text = "Xk29-token plainly-said short"
    assert without_secrets(text) == "*** plainly-said short"


def test_a_finding_without_values_is_as_it_was() -> None:
    from moonq.registry.hidden import hide

    finding = Finding("error", "R1", "no entry `app:x`")
    assert hide(finding, []) is finding
