"""What CONTRIBUTING.md says about adding something is done, in a copy of the tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moonq.conformance import CASES
from moonq.control.client import Client, connect
from moonq.errors import MoonqError

pytestmark = pytest.mark.aside("tree")
ROOT = Path(__file__).parents[2]


class Tree:
    """A copy of moonq, its tests and what they read, with a project in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop = folder / "shop"
        self.env = {**os.environ, "PYTHONPATH": str(folder / "host")}
        # What is compiled goes along: it stays valid, for copies keep their times.
        hidden = shutil.ignore_patterns(".*")
        for name in ("host", "lua", "stdlib", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=hidden)
        for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        self.shop.mkdir()

    def index(self, text: str) -> None:
        (self.shop / "_index.yaml").write_text(text, encoding="utf-8")

    def add(self, heading: str) -> list[str]:
        """Apply the diff below *heading* in CONTRIBUTING.md; returns the files that it touches."""
        text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
        section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        diff = "".join(re.findall(r"^```diff\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
        patching = ["git", "apply", "--unsafe-paths", f"--directory={self.folder}", "-"]
        subprocess.run(patching, input=diff, text=True, check=True, cwd=self.folder)
        return re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE)

    def python(self, *words: object, **env: str) -> str:
        """What `python -m words` says."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**self.env, **env},
            cwd=self.shop if words[0] == "moonq" else self.folder,
        )
        return done.stdout + done.stderr

    def moonq(self, *words: object, **env: str) -> str:
        """What `moonq words` says in the project's folder."""
        return self.python("moonq", *words, **env)

    def passes(self, *tests: str, **env: str) -> None:
        """Run these tests of the copy."""
        said = self.python("pytest", "-p", "no:cacheprovider", *tests, **env)
        assert re.search(r"^\d+ passed", said, re.MULTILINE), said

    @contextmanager
    def host(self) -> Iterator[Client]:
        """A running host, and somebody who talks to it."""
        running = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run"], env=self.env, cwd=self.shop
        )
        try:
            with self._reach() as client:
                yield client
        finally:
            running.terminate()
            running.wait(20)

    def _reach(self) -> Client:
        deadline = time.monotonic() + 20
        while True:
            try:
                return connect(self.shop)
            except MoonqError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_driver_is_one_folder_and_one_line(tree: Tree) -> None:
    tree.index("""\
namespace: app
entries:
  - {name: box, kind: queue.driver.tiny, room: 3}
  - {name: tasks, kind: queue.queue, driver: box}
  - {name: worker, kind: queue.consumer, queue: tasks, func: work}
  - {name: work, kind: function.lua, source: "return function(n) print('did ' .. n) end"}
  - name: fill
    kind: function.lua
    source: |
      local queue = require("queue")
      return function()
        for n = 1, 3 do assert(queue.publish("app:tasks", n)) end
      end
    modules: [queue]
""")
    assert "unknown entry kind `queue.driver.tiny`" in tree.moonq("check")
    assert tree.add("Adding a driver") == [
        "host/moonq/drivers/tiny/__init__.py",
        "host/moonq/drivers/tiny/driver.py",
        "host/moonq/drivers/__init__.py",
    ]
    assert "unknown" not in tree.moonq("check")
    said = tree.moonq("run", "--call", "app:fill", "--until-idle")
    assert [n for n in range(1, 4) if f"did {n}" in said] == [1, 2, 3], said
    found = json.loads(tree.moonq("doctor", "--driver", "box", "--json"))
    assert (found["kind"], found["failed"]) == ("queue.driver.tiny", [])
    assert found["cases"] == len(CASES)
    table = tree.python("moonq.drivers.capabilities")
    assert table.partition("\n")[0].endswith(" | tiny |")
    page = tree.folder / "host/moonq/manual/drivers.md"
    text = page.read_text("utf-8")
    was = re.search(r"^\| \| memory \|.*?\n\n", text, re.MULTILINE | re.DOTALL)
    assert was
    page.write_text(text.replace(was[0], f"{table}\n"), encoding="utf-8")
    tree.passes("tests/drivers/test_capabilities.py")


def test_a_stdlib_module_is_its_lua_file_its_half_in_python_and_its_test(tree: Tree) -> None:
    tree.index("""\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: bold, kind: queue.queue, driver: mem}
  - {name: shy, kind: queue.queue, driver: mem}
  - {name: bold.worker, kind: queue.consumer, queue: bold, func: work}
  - name: shy.worker
    kind: queue.consumer
    queue: shy
    func: work
    lifecycle: {security: {actor: {id: clerk}, policies: [may_read]}}
  - name: may_read
    kind: security.policy
    policy: {actions: ["store.read"], resources: ["*"], effect: allow}
  - name: work
    kind: function.lua
    source: |
      local bell = require("bell")
      return function(name)
        local rung, err = bell.ring(name)
        print(name, rung or err:kind())
        return rung or err:kind()
      end
    modules: [bell]
  - name: fill
    kind: function.lua
    source: |
      local queue = require("queue")
      return function()
        assert(queue.publish("app:bold", "bold"))
        assert(queue.publish("app:shy", "shy"))
      end
    modules: [queue]
""")
    assert "bell" in tree.moonq("check")
    assert tree.add("Adding a stdlib module") == [
        "stdlib/bell.lua",
        "host/moonq/run/calling/lends/bell.py",
        "host/moonq/run/security/actions.py",
        "tests/stdlib/bell_test.lua",
        "stdlib/README.md",
    ]
    said = tree.moonq("run", "--call", "app:fill", "--until-idle")
    assert "ring: app:bold" in said
    assert "shy\\tPERMISSION_DENIED" in said
    assert "ring: shy" not in said
    by = ("--consumer", "bold.worker")
    dry = tree.moonq("call", "app:work", '"bold"', "--json", *by)
    assert json.loads(dry)["values"] == []
    assert json.loads(dry)["unknown_after"] == "would call bell_ring"
    sent = tree.moonq("call", "app:work", '"shy"', "--send", *by)
    assert "ring: app:shy" in sent
    (tree.shop / "moonq.yaml").write_text("production: true\n", encoding="utf-8")
    with tree.host():
        looked = tree.moonq("eval", 'local _, err = require("bell").ring("bold") return err:kind()')
        assert looked == '"PERMISSION_DENIED"\n'
    help_ = tree.moonq("repl", "-e", "?bell.ring")
    assert "bell.ring(about) -> true|nil, errors.Error|nil" in help_
    assert "Rings once." in help_
    tree.passes(
        "tests/stdlib/bell_test.lua", "tests/sandbox/test_stock_lua.py", "-k", "bell or readme"
    )


def test_a_verb_is_a_row_a_method_and_a_view(tree: Tree) -> None:
    tree.index("""\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite}
  - {name: jobs, kind: queue.queue, driver: file}
""")
    assert tree.add("Adding a verb") == [
        "host/moonq/operations/verbs.py",
        "host/moonq/operations/queries.py",
        "host/moonq/views/queues.py",
        "host/moonq/views/__init__.py",
        "README.md",
        "tests/host/documents/cases.py",
    ]
    tree.moonq("publish", "jobs", "1", "--count", "3")
    assert tree.moonq("depth", "jobs") == "3 deep\n"
    answer = {"schema": "moonq.depth/1", "depth": 3}
    assert json.loads(tree.moonq("depth", "jobs", "--json")) == answer
    assert "Say how deep a queue is." in tree.moonq("depth", "--help")
    said = tree.moonq("repl", "-e", "\\depth jobs", "-e", 'mq.depth("jobs").depth')
    assert said == "3 deep\n3\n"
    assert "mq.depth(queue)" in tree.moonq("repl", "-e", "?mq.depth")
    assert "in Lua: mq.depth(queue)" in tree.moonq("repl", "-e", "\\depth?")
    typed = {"_MOONQ_COMPLETE": "bash_complete", "COMP_WORDS": "moonq depth jo", "COMP_CWORD": "2"}
    assert "app:jobs" in tree.moonq(**typed)
    typed |= {"COMP_WORDS": "moonq dep", "COMP_CWORD": "1"}
    assert "depth" in tree.moonq(**typed)
    with tree.host() as host:
        assert host.request("depth", queue="jobs") == {"depth": 3}
        assert tree.moonq("depth", "jobs") == "3 deep\n"
    tests = ("tests/host/documents/test_documents.py", "tests/host/control/test_verbs.py")
    tree.passes(
        *tests, "-k", "depth or every_command or every_recording or readme", MOONQ_RECORD="1"
    )
    recorded = tree.folder / "tests/host/documents/recorded/depth.json"
    assert json.loads(recorded.read_text("utf-8"))["out"] == [{**answer, "depth": 0}]


def test_a_kind_of_entry_is_one_file(tree: Tree) -> None:
    tree.index("""\
namespace: app
entries:
  - {name: hello, kind: registry.note, text: read me}
  - {name: other, kind: note, text: read me too}
  - {name: third, kind: registry.note, txt: what}
""")
    assert "unknown entry kind `registry.note`" in tree.moonq("check")
    assert tree.add("Adding a kind of entry") == ["host/moonq/kinds/note.py"]
    said = tree.moonq("check")
    assert "unknown entry kind `registry.note`" not in said
    assert "A remark is `registry.note`" in said
    assert "a registry.note has no field `txt`" in said
    # It has the sentences and the example that the reference asks of every kind.
    tree.passes("tests/host/reference/test_pages.py", "-k", "every_field or example_of_a_kind")
