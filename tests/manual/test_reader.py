"""The reader of pages notices what is not true."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.manual.likeness import Alike
from tests.manual.reader import Reader

from .test_pages import reader

__all__ = ["reader"]
pytestmark = pytest.mark.aside("manual")

INDEX = """\
```yaml title="_index.yaml"
namespace: app
entries:
  - {name: seen, kind: store.memory}
  - {name: double, kind: function.lua, source: "return function(n) return 2 * n end"}
```
"""
RUN = """\
```console
$ moonq run
...
ready in 61 ms · Ctrl-C to drain and stop
^C
...
stopped · 3 acked · 0 retried · 0 dead · up 00:04:12
```
"""
FALSE = [
    ("an answer", "```console\n$ moonq call double 4\nreturned 9\n...\n```", "+returned     8"),
    ("an answer that is longer", "```console\n$ moonq call double 4\nreturned 8\n```", "+took"),
    ("a failure without a word", "```console\n$ moonq show nothing\n```", "it ended with 4"),
    ("an exit code", "```console\n$ moonq show nothing\n...\n$ echo $?\n0\n```", "+4"),
    ("an option", "```sh\nmoonq call double 4 --twice\n```", "No such option"),
    ("a command", '```console needs="Redis"\n$ moonq cal double\n```', "no such command 'cal'"),
    ("a value", '```lua\nrequire("store").open("seen"):has("a") --> true\n```', "+false"),
    ("a piece of Lua", "```lua\nif x then\n```", "'end' expected"),
    ("an entry", "```yaml\n- {name: q, kind: queue.queue, drive: m}\n```", "no field `drive`"),
    ("a piece of YAML", "```yaml\na: [\n```", "expected the node content"),
    ("a console", "```console\n$ moonq repl\n```\n```lua-repl\nshop> 1 + 1\n3\n```", "+2"),
    ("a prompt", "```console\n$ moonq repl\n```\n```lua-repl\nprod> 1\n1\n```", "it is shop>"),
    ("what a host says", RUN, "+stopped · 0 acked"),
    ("a fence", "```\nmoonq\n```", "a fence says its language"),
    ("a word", '```lua file="a.lua"\n```', "only ['add-to', 'needs', 'title'] are known"),
]


@pytest.mark.parametrize(
    ("page", "told"), [row[1:] for row in FALSE], ids=[row[0] for row in FALSE]
)
def test_what_is_not_true_is_complained_of(page: str, told: str, reader: Reader) -> None:
    Path("page.md").write_text(INDEX + page, "utf-8")
    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        reader.read_page(Path("page.md"))
    assert told in str(caught.value)


def test_what_differs_from_run_to_run_is_no_difference() -> None:
    shown = (
        "12:00:01.120 INFO  charged  id=01a2…d3e8f1  took 0.4 ms · 31 KB\n...\n01a2…d3e8f1 … lost\n"
    )
    said = (
        "09:31:00.007 INFO charged id=0199…abcdef took 1.3 s · 3.1 MB\na\n0199…abcdef never lost\n"
    )
    assert Alike().holds(shown, said)
    assert not Alike().holds(shown, said.replace("0199…abcdef never", "0199…aaaaaa never"))
    assert not Alike().holds("3 dead letters\n", "4 dead letters\n")
    assert not Alike().holds("again in 2s\n", "again in 6s\n")


def test_an_id_of_the_page_is_one_of_this_run_from_then_on() -> None:
    alike = Alike()
    assert alike.holds("published 01a2…d3e8f1\n", "published 0199…abcdef\n")
    assert alike.put_in("dead show orders 01a2…d3e8f1") == "dead show orders 0199…abcdef"
    assert not alike.holds("retried 01a2…d3e8f1\n", "retried 0199…aaaaaa\n")


def test_the_name_of_a_backup_on_the_page_is_one_of_this_run_from_then_on() -> None:
    alike = Alike()
    assert alike.holds(
        "saved  2026-11-27T033010-mail.ndjson\n", "saved  2027-01-02T110203-mail.ndjson\n"
    )
    assert (
        alike.put_in("publish 2026-11-27T033010-mail.ndjson")
        == "publish 2027-01-02T110203-mail.ndjson"
    )
