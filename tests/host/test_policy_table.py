"""What policies answer, as a script sees it: the rows of `policy_table.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from yaml import safe_load

from moonq.host import Host
from moonq.kinds import load

ROWS: list[dict[str, Any]] = safe_load(
    Path(__file__).with_name("policy_table.yaml").read_text(encoding="utf-8")
)
MODULES = ["env", "funcs", "queue", "registry", "store"]
SOURCE = """
local env, funcs, queue = require("env"), require("funcs"), require("queue")
local registry, store = require("registry"), require("store")
local _ = { env, funcs, queue, registry, store }

return function()
  local value, err = CALL
  return { value = value, kind = err and err:kind(), says = err and tostring(err) }
end
"""
THINGS: list[dict[str, Any]] = [
    {"name": "mem", "kind": "queue.driver.memory"},
    *({"name": one, "kind": "queue.queue", "driver": "app:mem"} for one in ("mail", "secret_mail")),
    *({"name": one, "kind": "store.memory"} for one in ("seen", "secret_seen")),
    {"name": "region", "kind": "env.variable", "variable": "SHOP_REGION", "default": "eu"},
    {"name": "secret_region", "kind": "env.variable", "variable": "SHOP_SECRET", "default": "x"},
    *(
        {"name": one, "kind": "function.lua", "source": "return function() return 7 end"}
        for one in ("total", "secret_total")
    ),
    {
        "name": "publishes",
        "kind": "function.lua",
        "modules": ["queue"],
        "source": "local queue = require('queue')\n"
        "return function() return queue.publish('mail', 1) end",
    },
]


def entries(row: dict[str, Any], namespace: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the entries of a row by namespace."""
    own, there = row.get("policies", []), row.get("elsewhere", [])
    rights: dict[str, Any] = {}
    actor = row.get("actor", {"id": "clerk"})
    if isinstance(actor, dict):
        rights["actor"] = actor
    if "groups" in row:
        rights["groups"] = [one.replace("there:", f"{namespace}.there:") for one in row["groups"]]
    elif row.get("scope") != "none" and actor is not None:
        rights["policies"] = [f"{namespace}:p{at}" for at in range(1, len(own) + 1)]
    home = row.get("namespace", namespace)
    source = SOURCE.replace("CALL", row["call"])
    worker = "worker" if home == namespace else f"{namespace}_worker"
    yield (
        home,
        [
            {
                "name": f"{worker}_does",
                "kind": "function.lua",
                "modules": MODULES,
                "source": source,
            },
            {
                "name": worker,
                "kind": "queue.consumer",
                "queue": "app:mail",
                "func": f"{worker}_does",
                "lifecycle": {"auto_start": False, "security": rights},
            },
        ],
    )
    yield namespace, [policy(f"p{at}", one, namespace) for at, one in enumerate(own, 1)]
    yield f"{namespace}.there", [policy(f"p{at}", one, namespace) for at, one in enumerate(there)]


def policy(name: str, written: dict[str, Any], namespace: str) -> dict[str, Any]:
    rule = {key: value for key, value in written.items() if key != "groups"}
    groups = [one.replace("there:", f"{namespace}.there:") for one in written.get("groups", [])]
    return {"name": name, "kind": "security.policy", "groups": groups, "policy": rule}


def is_strict(row: dict[str, Any]) -> bool:
    return bool(row.get("strict"))


def made(folder: Path, *, strict: bool) -> Host:
    """Return a host with the entries of all rows that want such a project."""
    found: dict[str, list[dict[str, Any]]] = {"app": list(THINGS), "other": [THINGS[1]]}
    for at, row in enumerate(ROWS):
        if is_strict(row) == strict:
            for namespace, more in entries(row, f"r{at}"):
                found.setdefault(namespace, []).extend(more)
    for namespace, more in found.items():
        folder.joinpath(namespace).mkdir()
        text = json.dumps({"namespace": namespace, "entries": more})
        folder.joinpath(namespace, "_index.yaml").write_text(text)
    own = ["queue", "queue.inf"]
    settings = {"security": {"strict_mode": strict, "actions": own}}
    folder.joinpath("moonq.yaml").write_text(json.dumps(settings))
    host = Host(load(folder, env={}), env={})
    host.start()
    return host


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Host]]:
    """One host of a project that is not strict, and one that is."""
    found = {
        strict: made(tmp_path_factory.mktemp("policies"), strict=strict) for strict in (False, True)
    }
    yield found
    for host in found.values():
        host.stop()


@pytest.mark.parametrize("at", range(len(ROWS)), ids=[row["is"] for row in ROWS])
def test_a_policy_means(hosts: dict[bool, Host], at: int) -> None:
    row = ROWS[at]
    home = row.get("namespace", f"r{at}")
    worker = f"{home}:{worker_of(at, home)}"
    result = hosts[is_strict(row)].call(f"{worker}_does", "1", as_message=True, consumer=worker)
    assert result.fault is None, result.fault
    (told,) = result.values
    if "value" in row:
        assert told["value"] == row["value"]
    elif "answer" in row:
        answers = {"allowed": None, "denied": "PERMISSION_DENIED"}
        assert told.get("kind") == answers[row["answer"]], told
    assert row.get("says", "") in (told.get("says") or "")


def worker_of(at: int, home: str) -> str:
    """Return the name of a row's consumer in the namespace *home*."""
    return "worker" if home == f"r{at}" else f"r{at}_worker"
