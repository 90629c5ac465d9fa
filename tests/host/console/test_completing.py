"""What is offered at the caret, how fast, and that nobody's code runs for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from moonq.console import completing
from moonq.console.completing import LuaCompleter
from moonq.console.core import Console
from moonq.console.face import Face
from moonq.control.reaching import reach


@pytest.fixture
def console(shop: Path) -> Iterator[Console]:
    with reach(shop, local=True, whole=True) as attached:
        yield Console(attached, Face("never", print))


def offers(completer: LuaCompleter, text: str) -> list[str]:
    event = CompleteEvent(completion_requested=True)
    return [offer.text for offer in completer.get_completions(Document(text), event)]


def names(console: Console, text: str) -> list[str]:
    return offers(LuaCompleter(console), text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('queue.publish("app:or', ["app:orders", "app:orders.dead"]),
        ('queue.info("mails', ["app:emails", "app:emails.dead"]),
        ("\\peek orders", ["app:orders", "app:orders.dead"]),
        ('funcs.call("', ["app:process"]),
        ('queue.publish_batch("app:emails.', ["app:emails.dead"]),
        ('registry.get("app:proc', ["app:process"]),
        ("\\call pro", ["app:process"]),
        ('require("uu', ["uuid"]),
        (
            "mq.dead.",
            ["mq.dead.all", "mq.dead.drop", "mq.dead.ls", "mq.dead.retry", "mq.dead.show"],
        ),
        ("x = queue.pub", ["queue.publish", "queue.publish_batch"]),
        ('queue.publish("app:orders", {}, { corr', ["correlation_id"]),
        ("\\re", ["readonly", "reload", "replay", "resume", "retry"]),
        ("\\set out", ["output"]),
        ("?queue.Pub", ["queue.Publication", "queue.PublishOptions"]),
        ("whil", ["while"]),
        ('"a text" .. "', []),
        ('f("app:', []),
    ],
)
def test_what_is_offered(console: Console, text: str, expected: list[str]) -> None:
    assert sorted(names(console, text)) == expected


def test_what_a_function_names_is_read_from_its_annotations() -> None:
    found = completing._sources()
    assert found["store.open"] == "store"
    assert found["registry.get"] == "entry"
    assert found["mq.peek"] == "queue"
    assert found["env.get"] == "nothing"


def test_fields_of_the_last_value_are_offered(console: Console) -> None:
    console.run("{ alpha = 1, beta = { gamma = 2 } }")
    assert names(console, "_.") == ["_.alpha", "_.beta"]
    assert names(console, "print(_.beta.g") == ["_.beta.gamma"]


def test_no_code_runs_for_an_offer(console: Console) -> None:
    console.run("ran = 0")
    console.run(
        "setmetatable({ a = 1 }, { __index = function() ran = ran + 1 end,"
        " __pairs = function() ran = ran + 1 end })"
    )
    assert names(console, "_.") == ["_.a"]
    assert console.run("ran").texts == ["0"]


def test_a_host_that_is_busy_is_not_waited_for(console: Console) -> None:
    completer = LuaCompleter(console)
    assert offers(completer, "queue.")
    busy = console.client.begin("eval", src="while true do end")
    began = time.monotonic()
    offered = offers(completer, "queue.")
    took = time.monotonic() - began
    busy.cancel()
    busy.wait(10)
    assert "queue.publish" in offered
    assert took < 0.5


def test_a_thousand_entries_are_offered_within_fifty_milliseconds(tmp_path: Path) -> None:
    queues = "".join(
        f"  - {{name: queue_{n}, kind: queue.queue, driver: mem}}\n" for n in range(1000)
    )
    head = "namespace: app\nentries:\n  - {name: mem, kind: queue.driver.memory}\n"
    (tmp_path / "_index.yaml").write_text(head + queues, encoding="utf-8")
    with reach(tmp_path, local=True, whole=True) as attached:
        console = Console(attached, Face("never", print))
        console.live.numbers = {"queues": attached.client.request("queues")["queues"]}
        completer = LuaCompleter(console)

        def once() -> float:
            began = time.perf_counter()
            assert len(offers(completer, 'queue.info("queue_77')) >= 11
            return time.perf_counter() - began

        assert min(once() for _ in range(5)) < 0.05
