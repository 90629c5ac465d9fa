"""RabbitMQ as a project declares it: the seed with one entry changed, and its commands."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.conftest import PLACES
from tests.servers import rabbit

from moonq.drivers.amqp.entry import AmqpFields
from moonq.kinds import inspect, load

pytestmark = pytest.mark.aside("amqp")
KIND = "queue.driver.amqp"
Run = Callable[..., Any]


@pytest.fixture
def seed(root: Path, tmp_path: Path) -> Path:
    """The specification's example, whose driver is another."""
    shutil.copytree(root / "examples/seed", tmp_path / "seed")
    index = tmp_path / "seed/_index.yaml"
    text = index.read_text(encoding="utf-8")
    changed = f"kind: {KIND}\n  url: {PLACES[KIND]()['url']}"
    index.write_text(text.replace("kind: queue.driver.memory", changed), encoding="utf-8")
    return tmp_path / "seed"


def test_the_seed_runs_with_one_entry_changed(moonq: Run, seed: Path) -> None:
    said = moonq("run", seed, "--call", "app.queue:publish_tasks", "--until-idle")
    assert said.code == 0, said.err
    log = said.out + said.err
    assert '"task_id":"task-123"' in log
    assert '"acked":5' in log


def test_dead_letters_are_counted_and_all_get_another_life(moonq: Run, seed: Path) -> None:
    (seed / "task_handler.lua").write_text("return function() return false end", encoding="utf-8")
    index = (seed / "_index.yaml").read_text(encoding="utf-8")
    index = index.replace("- name: tasks\n", "- name: tasks\n  retry: {max_attempts: 1}\n")
    (seed / "_index.yaml").write_text(index, encoding="utf-8")
    moonq("run", seed, "--call", "app.queue:publish_tasks", "--until-idle")
    assert "5" in moonq("dead", "-C", seed).out
    some = moonq("dead", "retry", "tasks", "--older", "1s", "--yes", "-C", seed)
    assert (some.code, "some of its messages cannot be chosen" in some.err) == (1, True)
    every = moonq("dead", "retry", "tasks", "--yes", "-C", seed)
    assert (every.code, "5 messages requeued" in every.out) == (0, True), every.err
    kept = moonq("purge", "tasks", "--yes", "-C", seed)
    assert (kept.code, "pass --no-backup" in kept.err) == (1, True)
    assert "purged 5" in moonq("purge", "tasks", "--yes", "--no-backup", "-C", seed).out


@pytest.mark.parametrize("timeout", ["none", "2h"])
def test_a_handler_that_may_outlast_the_brokers_patience_is_refused(
    moonq: Run, seed: Path, timeout: str
) -> None:
    index = (seed / "_index.yaml").read_text(encoding="utf-8")
    index = index.replace("concurrency: 4", f"concurrency: 4\n  timeout: {timeout}")
    (seed / "_index.yaml").write_text(index, encoding="utf-8")
    said = moonq("check", seed)
    assert said.code != 0
    assert f"timeout: {timeout}" in said.out
    said = said._replace(err=" ".join(f"{said.out}{said.err}".split()))
    assert "RabbitMQ takes a message away after 1800 s" in said.err
    assert "write `timeout: 1740s` or less" in said.err
    assert "or `none`, as `consumer_timeout` of 'memory_driver'" in said.err


def test_a_user_without_rights_is_told_which_it_needs(moonq: Run, seed: Path) -> None:
    node = rabbit.shared()
    vhost = node.vhost()
    node.user("powerless", "s3cret")
    node.allow("powerless", vhost, to="^$")
    index = (seed / "_index.yaml").read_text(encoding="utf-8")
    changed = re.sub("url: .*", f"url: {node.url(vhost, 'powerless:s3cret')}", index)
    (seed / "_index.yaml").write_text(changed, encoding="utf-8")
    said = moonq("run", seed, "--until-idle")
    assert said.code == 5
    assert "refused for user 'powerless'" in said.err
    assert "rabbitmqctl set_permissions" in said.err
    assert "s3cret" not in said.out + said.err


def test_what_it_is_at_the_broker_needs_no_word(tmp_path: Path) -> None:
    fields = load(_project(tmp_path)).resolve("rabbit").fields(AmqpFields)
    assert fields.url == "amqp://guest:guest@127.0.0.1:5672/"
    assert (fields.heartbeat, fields.prefix, fields.consumer_timeout) == (20.0, "", 1800.0)


@pytest.mark.parametrize(
    ("driver", "queue", "words"),
    [
        (", url: http://broker", "", "begins with amqp://"),
        (", url: 'amqp://a:b@h/?heartbeat=3'", "", "heartbeat"),
        (", urls: [broker]", "", "begins with amqp://"),
        (", url: amqp://a, urls: [amqp://b]", "", "`url` and `urls` both say"),
        (", url: amqp://a/one, vhost: two", "", "`vhost` is 'two', and the address has 'one'"),
        (", tls: {ca: a.pem}", "", "`tls` is for addresses that begin with amqps://"),
        ("", ", options: {queue_type: stream}", "queue_type"),
        ("", ", options: {durable: false}", "always true of a quorum queue"),
        ("", ", options: {partitions: 0}", "partitions"),
        (", partitions: 65", "", "partitions"),
    ],
)
def test_what_cannot_be_is_found_before_it_starts(
    tmp_path: Path, driver: str, queue: str, words: str
) -> None:
    _, findings = inspect(_project(tmp_path, driver, queue))
    assert words in " ".join(one.message + " ".join(one.helps) for one in findings)


def _project(folder: Path, driver: str = "", queue: str = "") -> Path:
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n"
        f"  - {{name: rabbit, kind: {KIND}{driver}}}\n"
        f"  - {{name: jobs, kind: queue.queue, driver: rabbit{queue}}}\n",
        encoding="utf-8",
    )
    return folder
