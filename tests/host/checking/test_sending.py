"""What `moonq graph` reads in scripts: whom they publish to and call."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.checking.sending import sendings
from moonq.kinds import load
from moonq.operations import entries
from moonq.registry import Project
from moonq.views import Screen, graph

ENTRIES = """\
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: memory}
  - {name: mail, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: orders, func: work}
  - name: work
    kind: function.lua
    source: file://work.lua
    modules: [queue, funcs]
    imports: {ids: ids, own: queue_of_ours}
  - {name: ids, kind: library.lua, source: file://ids.lua}
  - {name: queue_of_ours, kind: library.lua, source: "return { publish = print }"}
  - {name: other, kind: function.lua, source: "return function() end"}
"""
IDS = "local ids = {}\nids.MAIL = 'mail'\nids.TWO = 'mail'\nids.TWO = 'orders'\nreturn ids\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    (tmp_path / "ids.lua").write_text(IDS)
    return tmp_path


def work(root: Path, body: str) -> Project:
    head = 'local queue, funcs = require("queue"), require("funcs")\nlocal ids = require("ids")\n'
    (root / "work.lua").write_text(f"{head}{body}\nreturn function(name)\nend\n")
    return load(root)


def said(root: Path, body: str) -> list[tuple[str, str, int]]:
    return [(one.field, one.target, one.line) for one in sendings(work(root, body))]


@pytest.mark.parametrize(
    ("body", "field", "target"),
    [
        ('queue.publish("app:mail", 1)', "publishes", "app:mail"),
        ("queue.publish('mail', 1)", "publishes", "app:mail"),
        ('queue.publish_batch("mail", {})', "publishes", "app:mail"),
        ('queue.publish("app:orders.dead", 1)', "publishes", "app:orders.dead"),
        ('funcs.call("other")', "calls", "app:other"),
        ('local M <const> = "mail" queue.publish(M, 1)', "publishes", "app:mail"),
        ('local t = { m = "mail" } queue.publish(t.m, 1)', "publishes", "app:mail"),
        ('local t = {} t.m = "mail" queue.publish(t.m, 1)', "publishes", "app:mail"),
        ('local p = queue.publish p("mail", 1)', "publishes", "app:mail"),
        ("queue.publish(ids.MAIL, 1)", "publishes", "app:mail"),
        ('return function() if x then queue.publish("mail", 1) end end', "publishes", "app:mail"),
        ("queue.publish(name, 1)", "publishes", ""),
        ("queue.publish(ids.TWO, 1)", "publishes", ""),
        ('queue.publish("ma" .. "il", 1)', "publishes", ""),
        ('local m = "mail" m = "orders" queue.publish(m, 1)', "publishes", ""),
        ('local t = { m = "mail" } t.m = x queue.publish(t.m, 1)', "publishes", ""),
    ],
)
def test_a_target_is_known_where_the_text_says_it(
    project: Path, body: str, field: str, target: str
) -> None:
    body = body if body.startswith("return") else f"if x then {body} end"
    (project / "work.lua").write_text("")
    text = 'local queue, funcs = require("queue"), require("funcs")\nlocal ids = require("ids")\n'
    (project / "work.lua").write_text(f"{text}{body}\n")
    assert [(one.field, one.target, one.line) for one in sendings(load(project))] == [
        (field, target, 3)
    ]


@pytest.mark.parametrize(
    "body",
    [
        'queue.info("mail")',
        'queue.publish("app:nosuch", 1)',
        'require("own").publish("mail", 1)',
        "queue.publish()",
        '-- queue.publish("mail", 1)',
    ],
)
def test_what_sends_nothing_is_not_shown(project: Path, body: str) -> None:
    assert said(project, body) == []


def test_a_target_comes_once(project: Path) -> None:
    body = 'queue.publish("mail", 1)\nqueue.publish("app:mail", 2)\nqueue.publish("orders", 1)'
    assert said(project, body) == [("publishes", "app:mail", 3), ("publishes", "app:orders", 5)]


def test_a_test_is_no_part_of_the_graph(project: Path) -> None:
    index = project / "_index.yaml"
    text = index.read_text().replace("    kind: function.lua\n", "    kind: function.lua\n"
        "    meta: {type: test}\n", 1)  # fmt: skip
    index.write_text(text)
    assert said(project, 'queue.publish("mail", 1)') == []


def test_the_graph_shows_who_publishes_where(project: Path) -> None:
    loaded = work(project, 'queue.publish("mail", 1)\nqueue.publish("orders", 1)')
    found = entries.graph(loaded, None, sendings(loaded))
    lines = list(graph(found, Screen()))
    assert "   ├─ publishes  app:mail  queue.queue" in lines
    # The circle of a handler that publishes into its own queue ends there.
    assert [line for line in lines if line and line[0] not in " │├└"] == [
        "app:worker  queue.consumer",
        "app:other  function.lua",
    ]
    lines = list(
        graph(entries.graph(loaded, "mail", sendings(loaded)), Screen(), middle="app:mail")
    )
    assert lines[-1] == "   └─ app:work  function.lua  (publishes)"


def test_what_is_only_known_later_is_said(project: Path) -> None:
    loaded = work(project, "queue.publish(name, 1)")
    found = entries.graph(loaded, None, sendings(loaded))
    assert found["unknown"] == [
        {"from": "app:work", "field": "publishes", "file": "work.lua", "line": 3}
    ]


def test_functions_that_call_each_other_are_shown(project: Path) -> None:
    index = project / "_index.yaml"
    source = "source: \"require('funcs').call('app:work') return print\", modules: [funcs]"
    text = index.read_text().replace('source: "return function() end"', source)
    index.write_text("".join(one for one in text.splitlines(True) if "name: worker" not in one))
    loaded = work(project, 'funcs.call("other")')
    lines = list(graph(entries.graph(loaded, None, sendings(loaded)), Screen()))
    assert "├─ calls  app:other  function.lua" in lines
    assert "│  └─ calls  app:work  function.lua" in lines


def test_a_library_of_that_name_is_not_the_module(project: Path) -> None:
    index = project / "_index.yaml"
    text = index.read_text().replace("own: queue_of_ours", "queue: queue_of_ours")
    index.write_text(text.replace("modules: [queue, funcs]", "modules: [funcs]"))
    assert said(project, 'queue.publish("mail", 1)') == []
