"""Every faulty project gives the findings a person needs, and never a traceback.

A case is data: its files, and the findings it expects, each with code, `file:line:column` and
phrases that must be in what is drawn.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from moonq.errors import ProjectInvalid
from moonq.kinds import inspect, load
from moonq.text.findings import has_errors, render


class Case(NamedTuple):
    files: dict[str, str | bytes]
    expected: list[tuple[str, str, tuple[str, ...]]]


HEAD = """\
namespace: app
entries:
  - name: mem
    kind: queue.driver.memory
  - name: orders
    kind: queue.queue
    driver: app:mem
"""
HANDLER = {"work.lua": "return function(body) return body end\n"}
FUNCTION = """\
  - name: work
    kind: function.lua
    source: file://work.lua
"""


def index(text: str, **files: str | bytes) -> dict[str, str | bytes]:
    return {"_index.yaml": dedent(text), **files}


def policy(rule: str) -> str:
    """The entry of a policy with *rule*."""
    return f"  - name: p\n    kind: security.policy\n    policy: {{{rule}}}\n"


def more(text: str) -> dict[str, str | bytes]:
    """The good queue, its function (lines 8 to 10), and *text* from line 11."""
    return {"_index.yaml": HEAD + FUNCTION + text, **HANDLER}


def lua(text: str, modules: str = "") -> dict[str, str | bytes]:
    """One function whose file says *text*."""
    declared = f"    modules: [{modules}]\n" if modules else ""
    return {
        "_index.yaml": f"namespace: app\nentries:\n{FUNCTION}{declared}",
        "work.lua": dedent(text),
    }


CASES: dict[str, Case] = {
    "bad indentation": Case(
        index(
            """\
            namespace: app
            entries:
              - name: orders
                kind: queue.queue
                 driver: app:mem
            """
        ),
        [
            (
                "P101",
                "_index.yaml:5:6",
                (
                    "indented differently from its neighbours",
                    "^ 5 spaces; the other fields of this entry use 4",
                    "move `driver` one column left",
                ),
            )
        ],
    ),
    "a field left of its neighbours": Case(
        index("namespace: app\nentries:\n  - name: mem\n   kind: queue.driver.memory\n"),
        [("P101", "_index.yaml:4:4", ("move `kind` one column right",))],
    ),
    "a tab in the indentation": Case(
        index("namespace: app\nentries:\n\t- name: mem\n"),
        [("P103", "_index.yaml:3:1", ("YAML indents with spaces", "a tab"))],
    ),
    "a key twice": Case(
        index(
            """\
            namespace: app
            entries:
              - name: mem
                kind: queue.driver.memory
                max_length: 10
                max_length: 20
            """
        ),
        [("P102", "_index.yaml:6:5", ("`max_length` is written twice", "- the first one"))],
    ),
    "a quote never closed": Case(
        index("namespace: app\nentries:\n  - name: 'mem\n    kind: queue.driver.memory\n"),
        [("P101", "_index.yaml:3:11", ("this quote is never closed",))],
    ),
    "a bracket never closed": Case(
        more("    modules: [json, errors\n  - name: b\n    kind: registry.entry\n"),
        [("P101", "_index.yaml:11:14", ("this `[` is never closed", "add `]`"))],
    ),
    "a colon in a bare value": Case(
        index("namespace: app\nentries:\n  - name: mem\n    meta: {}\n    kind: a: b\n"),
        [("P101", "_index.yaml:5:12", ("a `:` of its own", 'in quotes: "a: b"'))],
    ),
    "an at sign": Case(
        index("namespace: app\nentries:\n  - name: @mem\n    kind: x\n"),
        [("P101", "_index.yaml:3:11", ("cannot begin with `@`", '"@mem"'))],
    ),
    "a tag": Case(
        index("namespace: app\nentries:\n  - name: !!binary mem\n    kind: registry.entry\n"),
        [("P101", "_index.yaml:3:11", ("no YAML tags", "`!!binary`"))],
    ),
    "a merge key": Case(
        index(
            """\
            namespace: app
            entries:
              - &base
                name: mem
                kind: queue.driver.memory
              - name: mem2
                kind: queue.driver.memory
                <<: *base
            """
        ),
        [("P101", "_index.yaml:8:5", ("`<<` does not merge maps",))],
    ),
    "an alias to nothing": Case(
        index("namespace: app\nentries:\n  - *base\n"),
        [("P101", "_index.yaml:3:5", ("an anchor that does not exist",))],
    ),
    "an alias inside itself": Case(
        index("namespace: app\nentries: &all\n  - *all\n"),
        [("P101", "_index.yaml:3:5", ("`*all` contains itself",))],
    ),
    "aliases that explode": Case(
        index(
            "namespace: app\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]\n"
                for last, name in zip("abcdef", "bcdefg", strict=True)
            )
            + "entries: *g\n"
        ),
        [("P106", "_index.yaml:6:20", ("its aliases expand to too many values",))],
    ),
    "nested without end": Case(
        index("namespace: app\nentries: " + "[" * 500 + "\n"),
        [("P106", "_index.yaml:2:60", ("nested too deep",))],
    ),
    "nested deeper than any parser reads": Case(
        index("namespace: app\nentries: " + "[" * 10_000 + "\n"),
        [("P106", "_index.yaml:2:1009", ("nested too deep",))],
    ),
    "not UTF-8": Case(
        {"_index.yaml": b"namespace: app\nentries:\n  - name: caf\xe9\n"},
        [("P105", "_index.yaml:3:14", ("not UTF-8", "byte 0xe9"))],
    ),
    "binary junk": Case(
        {"_index.yaml": b"namespace: app\n\x00\x01\x02"},
        [("P105", "_index.yaml:2:1", ("a control character",))],
    ),
    "two documents in one file": Case(
        index("namespace: app\nentries: []\n---\nnamespace: b\n"),
        [("P101", "_index.yaml:3:1", ("a second one begins",))],
    ),
    "nothing at all": Case(
        {"readme.txt": "hello"},
        [("R200", ":0:0", ("no YAML file there has `namespace` and `entries`",))],
    ),
    "an empty index": Case({"_index.yaml": ""}, [("R211", ":0:0", ("_index.yaml is empty",))]),
    "a misspelt top": Case(
        index("namspace: app\nentries: []\n"),
        [("R206", "_index.yaml:1:1", ("no field `namspace`", "did you mean `namespace`?"))],
    ),
    "another version": Case(
        index('version: "2.0"\nnamespace: app\nentries: []\n'),
        [("R207", "_index.yaml:1:10", ("reads version 1.0",))],
    ),
    "entries that are no list": Case(
        index("namespace: app\nentries:\n  mem: {}\n"),
        [("R207", "_index.yaml:3:3", ("`entries` must be a list",))],
    ),
    "an entry that is text": Case(
        index("namespace: app\nentries:\n  - mem\n"),
        [("R207", "_index.yaml:3:5", ("must be a map with `name` and `kind`",))],
    ),
    "an entry without a kind": Case(
        index("namespace: app\nentries:\n  - name: mem\n    knd: queue.driver.memory\n"),
        [("R211", "_index.yaml:4:5", ("needs a field `kind`", "did you mean `kind`?"))],
    ),
    "a meta that is a list": Case(
        index(HEAD + "    meta: [a]\n"),
        [("R207", "_index.yaml:8:11", ("`meta` must be a map", "this is a list"))],
    ),
    "an unknown kind": Case(
        index("namespace: app\nentries:\n  - name: mem\n    kind: queue.driver.memry\n"),
        [
            (
                "R201",
                "_index.yaml:4:11",
                (
                    "unknown entry kind `queue.driver.memry`",
                    "^^^^^^^^^^^^^^^^^^ no such kind",
                    "did you mean `queue.driver.memory`?",
                ),
            )
        ],
    ),
    "a kind by another name": Case(
        index("namespace: app\nentries:\n  - name: f\n    kind: function\n    source: return 1\n"),
        [("R201", "_index.yaml:4:11", ("A Lua function is `function.lua`",))],
    ),
    "an unknown field": Case(
        more("    module: [json]\n"),
        [("R206", "_index.yaml:11:5", ("no field `module`", "did you mean `modules`?"))],
    ),
    "an unknown field deep inside": Case(
        more("    lifecycle:\n      restart:\n        jiter: 0.5\n"),
        [
            (
                "R206",
                "_index.yaml:13:9",
                ("`lifecycle.restart` has no field `jiter`", "did you mean `jitter`?"),
            )
        ],
    ),
    "a field that belongs deeper": Case(
        more("    timeout: 5s\n"),
        [("R206", "_index.yaml:11:5", ("no field `timeout`", "write `limits: {timeout: …}`"))],
    ),
    "an option of another driver": Case(
        index(
            """\
            namespace: app
            entries:
              - name: mem
                kind: queue.driver.memory
              - name: orders
                kind: queue.queue
                driver: mem
                options:
                  durable: true
            """
        ),
        [
            (
                "R206",
                "_index.yaml:9:7",
                ("a queue at queue.driver.memory has no option `durable`", "it knows"),
            )
        ],
    ),
    "text for a number": Case(
        more(
            "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
            '    concurrency: "4"\n'
        ),
        [
            (
                "R207",
                "_index.yaml:15:18",
                ("`concurrency` must be a whole number", "this is text", "remove the quotes"),
            )
        ],
    ),
    "yes for true": Case(
        more("    lifecycle:\n      auto_start: yes\n"),
        [("R207", "_index.yaml:12:19", ("must be true or false", "write `true`"))],
    ),
    "a key without a value": Case(
        more("    modules:\n"),
        [("R207", "_index.yaml:11:13", ("`modules` has no value",))],
    ),
    "no such choice": Case(
        index(
            "namespace: app\nentries:\n  - name: mem\n    kind: queue.driver.memory\n"
            "    overflow: blok\n"
        ),
        [
            (
                "R207",
                "_index.yaml:5:15",
                ("must be `reject`, `block` or `drop_oldest`", "did you mean `block`?"),
            )
        ],
    ),
    "no duration": Case(
        more("    limits: {timeout: 5 minutes}\n"),
        [("R207", "_index.yaml:11:23", ("`limits.timeout`", "is not a duration", '"1h30m"'))],
    ),
    "no size": Case(
        more("    limits: {memory: lots}\n"),
        [("R207", "_index.yaml:11:22", ("`limits.memory`", "a size is expected"))],
    ),
    "too little memory": Case(
        more("    limits: {memory: 64K}\n"),
        [("R208", "_index.yaml:11:22", ("`limits.memory` must be between 1M and 64G",))],
    ),
    "too many workers": Case(
        more(
            "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
            "    concurrency: 5000\n"
        ),
        [
            (
                "R208",
                "_index.yaml:15:18",
                (
                    "`concurrency` must be between 1 and 1000",
                    "^^^^",
                    "5000 idle Lua states alone need about 130 MB",
                    "start with 8; raise `prefetch` (max 10000)",
                ),
            )
        ],
    ),
    "too large a buffer": Case(
        more(
            "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
            "    prefetch: 10001\n"
        ),
        [("R208", "_index.yaml:15:15", ("`prefetch` must be between 1 and 10000",))],
    ),
    "a buffer below the workers": Case(
        more(
            "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
            "    concurrency: 8\n    prefetch: 4\n"
        ),
        [("R207", "_index.yaml:16:15", ("8 workers wait for messages", "write 8 or more"))],
    ),
    "a huge number": Case(
        more(
            "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
            f"    concurrency: {'9' * 5000}\n"
        ),
        [("P107", "_index.yaml:15:18", ("does not fit into 64 bits",))],
    ),
    "a missing field": Case(
        index("namespace: app\nentries:\n  - name: orders\n    kind: queue.queue\n"),
        [("R211", "_index.yaml:3:11", ("a queue.queue needs a field `driver`", "add `driver: …`"))],
    ),
    "a name with a space": Case(
        index("namespace: app\nentries:\n  - name: my mem\n    kind: queue.driver.memory\n"),
        [("R212", "_index.yaml:3:11", ("no name for an entry",))],
    ),
    "an id twice": Case(
        more("  - name: work\n    kind: registry.entry\n"),
        [("R205", "_index.yaml:11:11", ("two entries have the id `app:work`", "the first one"))],
    ),
    "an unknown reference": Case(
        more("  - name: c\n    kind: queue.consumer\n    queue: app:ordres\n    func: work\n"),
        [
            (
                "R202",
                "_index.yaml:13:12",
                (
                    "`queue` refers to an entry that does not exist",
                    "^^^^^^^^^^ no entry `app:ordres`",
                    "did you mean `app:orders`?  (queue.queue, _index.yaml:5)",
                ),
            )
        ],
    ),
    "a bare name of another namespace": Case(
        {
            "_index.yaml": HEAD,
            "b/_index.yaml": "namespace: b\nentries:\n  - name: q\n    kind: queue.queue\n"
            "    driver: mem\n",
        },
        [("R202", "b/_index.yaml:5:13", ("no entry `b:mem`", "did you mean `app:mem`?"))],
    ),
    "a reference of the wrong kind": Case(
        more("  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: app:orders\n"),
        [
            (
                "R209",
                "_index.yaml:14:11",
                ("`func` must be a function.lua, but `app:orders` is a queue.queue",),
            )
        ],
    ),
    "a dead-letter queue that was switched off": Case(
        index(
            HEAD + "    dead_letter: none\n  - name: r\n    kind: registry.entry\n"
            "    lifecycle: {depends_on: [orders.dead]}\n"
        ),
        [("R202", "_index.yaml:11:30", ("no entry `app:orders.dead`",))],
    ),
    "dead letters of a queue that sends its own elsewhere": Case(
        index(
            HEAD + "    dead_letter: {queue: graves}\n  - name: graves\n    kind: queue.queue\n"
            "    driver: mem\n  - name: r\n    kind: registry.entry\n"
            "    lifecycle: {depends_on: [orders.dead]}\n"
        ),
        [("R202", "_index.yaml:14:30", ("no entry `app:orders.dead`",))],
    ),
    "the second of a list": Case(
        more("    modules: [json, 5]\n"),
        [("R207", "_index.yaml:11:21", ("`modules[2]` must be text", "put it in quotes"))],
    ),
    "two imports with one name": Case(
        more("    imports: [a:x, b:x]\n"),
        [("R207", "_index.yaml:11:14", ("two imports have the same name",))],
    ),
    "a module that is an import too": Case(
        more(
            "    modules: [json]\n    imports: {json: lib}\n"
            "  - name: lib\n    kind: library.lua\n    source: return 1\n"
        ),
        [("R207", "_index.yaml:8:5", ("`json` is a module and an import at once",))],
    ),
    "a dependency named twice": Case(
        more("    lifecycle: {depends_on: [mem], requires: [mem]}\n"),
        [("R207", "_index.yaml:11:16", ("`mem` stands in depends_on and in requires",))],
    ),
    "retries that begin above their limit": Case(
        index(HEAD + "    retry: {initial_delay: 1h}\n"),
        [("R207", "_index.yaml:8:12", ("`initial_delay` is longer than `max_delay`",))],
    ),
    "dead letters without a map": Case(
        index(HEAD + "    dead_letter: graves\n"),
        [("R207", "_index.yaml:8:18", ("write `dead_letter: {queue: graves}`",))],
    ),
    "dead letters at another driver": Case(
        index(
            HEAD + "    dead_letter: {queue: graves}\n  - name: other\n"
            "    kind: queue.driver.memory\n  - name: graves\n    kind: queue.queue\n"
            "    driver: other\n"
        ),
        [("R214", "_index.yaml:8:26", ("a queue of the same driver, `app:mem`",))],
    ),
    "two queues with one name": Case(
        index(
            HEAD + "    queue_name: q\n  - name: graves\n    kind: queue.queue\n"
            "    driver: mem\n    queue_name: q\n"
        ),
        [("R215", "_index.yaml:12:17", ("the same name at their driver",))],
    ),
    **{
        f"{kind} counts no bytes": Case(
            index(
                f"namespace: app\nentries:\n  - name: far\n    kind: queue.driver.{kind}\n"
                f"{fields}  - name: q\n    kind: queue.queue\n    driver: far\n"
                "    max_bytes: 1M\n"
            ),
            [("R231", f"_index.yaml:{line}:16", (f"cannot be kept by a queue.driver.{kind}", why))],
        )
        for kind, fields, line, why in (
            ("sqs", "    region: eu-west-1\n", 9, "counts no bytes"),
            ("amqp", "    url: amqp://127.0.0.1\n", 9, "never those of its dead letters"),
        )
    },
    "a bound of too few bytes": Case(
        index(HEAD + "    max_bytes: 100\n"),
        [("R208", "_index.yaml:8:16", ("`max_bytes`",))],
    ),
    "a circle": Case(
        {
            "_index.yaml": dedent(
                """\
                namespace: app
                entries:
                  - name: a
                    kind: library.lua
                    source: return require("b")
                    imports: {b: app:b}
                  - name: b
                    kind: library.lua
                    source: return require("a")
                    imports: [a]
                """
            )
        },
        [
            (
                "R204",
                "_index.yaml:6:18",
                (
                    "these entries need each other, so none can start",
                    "app:a  ── imports ──▶ app:b    _index.yaml:6",
                    "app:b  ── imports ──▶ app:a    _index.yaml:10",
                ),
            )
        ],
    ),
    "an entry that needs itself": Case(
        index(
            "namespace: app\nentries:\n  - name: mem\n    kind: queue.driver.memory\n"
            "    lifecycle: {requires: [mem]}\n"
        ),
        [("R204", "_index.yaml:5:28", ("this entry needs itself", "── requires ──▶ app:mem"))],
    ),
    "a missing variable": Case(
        more('    meta: {url: "${env:NO_SUCH}"}\n'),
        [("R213", "_index.yaml:11:17", ("`NO_SUCH` is not set", "${env:NO_SUCH:-value}"))],
    ),
    "a missing file": Case(
        {"_index.yaml": f"namespace: app\nentries:\n{FUNCTION}", "wrok.lua": "return 1"},
        [
            (
                "P120",
                "_index.yaml:5:13",
                ("source file not found", "looked for work.lua", "did you mean `file://wrok.lua`?"),
            )
        ],
    ),
    "a path without file://": Case(
        index(
            "namespace: app\nentries:\n  - name: w\n    kind: function.lua\n    source: work.lua\n"
        ),
        [("P120", "_index.yaml:5:13", ("write `file://work.lua`",))],
    ),
    "a source outside the project": Case(
        index(
            "namespace: app\nentries:\n  - name: w\n    kind: function.lua\n"
            "    source: file://../../etc/passwd\n"
        ),
        [("P121", "_index.yaml:5:13", ("must lie inside the project",))],
    ),
    "an if without end": Case(
        lua(
            """\
            return function(order)
              if order.total > 100 then
                return true
              return false
            end
            """
        ),
        [
            (
                "P110",
                "work.lua:4:3",
                (
                    "an `if` is not closed",
                    "-- opened here",
                    "^^^^^^ Lua expected `end` before this",
                    "add `end` after line 3",
                ),
            )
        ],
    ),
    "plus equals": Case(
        lua("local n = 0\nn += 1\nreturn n\n"),
        [("P110", "work.lua:2:3", ("write `n = n + 1`: Lua has no `+=`",))],
    ),
    "not equal with a bang": Case(
        lua("local n = 0\nif n != 1 then return 1 end\n"),
        [("P110", "work.lua:2:6", ("Lua writes `~=` for not equal",))],
    ),
    "else if": Case(
        lua("local n = 0\nif n == 1 then\n  n = 2\nelse if n == 2 then\n  n = 3\nend\nreturn n\n"),
        [("P110", "work.lua:7:8", ("an `if` is not closed", "write `elseif` in line 4"))],
    ),
    "inline Lua that is none": Case(
        index(
            """\
            namespace: app
            entries:
              - name: w
                kind: function.lua
                source: |
                  return function(body)
                    return body +
                  end
            """
        ),
        [("P110", "_index.yaml:8:7", ("Lua did not expect `end` here",))],
    ),
    "an undeclared module": Case(
        lua('\nlocal json = require("json")\nreturn json.decode\n', "errors"),
        [
            (
                "L301",
                "work.lua:2:22",
                (
                    "`json` is required but not declared for app:work",
                    "_index.yaml:6:14",
                    "-------- add `json` here",
                    "that is the sandbox",
                ),
            )
        ],
    ),
    "an undeclared library": Case(
        {
            "_index.yaml": f"namespace: app\nentries:\n{FUNCTION}"
            "  - name: money\n    kind: library.lua\n    source: return {}\n",
            "work.lua": 'local money = require "money"\nreturn money',
        },
        [("L301", "work.lua:1:23", ("add `imports: {money: app:money}` here",))],
    ),
    "no such module": Case(
        lua('return require("jsno")\n', "jsno"),
        [("L303", "_index.yaml:6:15", ("there is no module `jsno`", "did you mean `json`?"))],
    ),
    "a module required by a wrong name": Case(
        lua('local json = require("jsn")\nreturn json\n'),
        [("L303", "work.lua:1:22", ("there is no module `jsn`", "`json`"))],
    ),
    "a method that the file does not return": Case(
        more("    method: man\n")
        | {"work.lua": "local m = { limit = 3 }\nfunction m.main() end\nreturn m\n"},
        [
            (
                "R210",
                "_index.yaml:11:13",
                (
                    "the file returns no function `man`",
                    "it returns `limit`, `main`",
                    "did you mean `main`?",
                ),
            )
        ],
    ),
    "a method of an empty table": Case(
        more("    method: main\n") | {"work.lua": "return {}"},
        [("R210", "_index.yaml:11:13", ("it returns an empty table",))],
    ),
    "several functions and no method": Case(
        lua("local function a(x) return x, 1 end\nreturn { a = a, b = function() end }\n"),
        [("R210", "_index.yaml:5:13", ("it returns `a`, `b`", "say which one", "`method: a`"))],
    ),
    "too many operators in an expression": Case(
        lua("return function(a) return a\n" + " and a" * 2001 + "\nend\n"),
        [("P110", "work.lua:2:2", ("more than 2000 'and' and 'or'", "names with `local`"))],
    ),
    "a star before the end of a pattern": Case(
        index(HEAD + policy('actions: "*.read", resources: [app:x], effect: allow')),
        [("R207", "_index.yaml:10:23", ("`*.read` has a `*` before its end", "at the end"))],
    ),
    "a star without quotes in a list": Case(
        index(HEAD + policy("actions: [queue.*, *], resources: [app:x], effect: allow")),
        [("P101", "_index.yaml:10:33", ("cannot begin with `*`", 'in quotes: "*"'))],
    ),
    "an empty list of actions": Case(
        index(HEAD + policy("actions: [], resources: [app:x], effect: allow")),
        [("R207", "_index.yaml:10:23", ("`policy.actions` must name at least one",))],
    ),
    "conditions that look at nothing": Case(
        index(
            HEAD
            + policy(
                "actions: [x], resources: [x], effect: allow, conditions: "
                "[{field: meta.}, {field: actor.name}, {field: acton}, "
                "{field: actor.id, value_from: x}]"
            )
        ),
        [
            (
                "R207",
                "_index.yaml:10:80",
                (
                    "`policy.conditions[1].field` must be `action`, `resource`, `actor.id`, or",
                    "or `actor.meta.` or `meta.` and a name",
                ),
            ),
            ("R207", "_index.yaml:10:96", ("did you mean `actor.meta.name`?",)),
            ("R207", "_index.yaml:10:117", ("did you mean `action`?",)),
            ("R207", "_index.yaml:10:155", ("`policy.conditions[4].value_from` must be",)),
        ],
    ),
    "no name of a variable": Case(
        index(HEAD + "  - {name: v, kind: env.variable, variable: MY-VAR}\n"),
        [
            (
                "R207",
                "_index.yaml:8:45",
                ("`MY-VAR` is no name of an environment variable", "begin with no digit"),
            )
        ],
    ),
    "wrong settings": Case(
        {"_index.yaml": HEAD, "moonq.yaml": "producton: true\nlog: {level: warning}\n"},
        [
            ("R206", "moonq.yaml:1:1", ("moonq.yaml has no field `producton`", "`production`?")),
            ("R207", "moonq.yaml:2:14", ("`log.level` must be", "`warn`")),
        ],
    ),
    "several mistakes at once": Case(
        {
            "_index.yaml": HEAD + "  - name: c\n    kind: queue.consumer\n    queue: ordres\n"
            "    func: work\n    concurrency: 0\n",
            "b.yaml": "namespace: b\nentries:\n  - name: x\n    kind: queue.driver.kafka\n",
        },
        [
            ("R202", "_index.yaml:10:12", ("did you mean `orders`?",)),
            ("R202", "_index.yaml:11:11", ("no entry `app:work`",)),
            ("R208", "_index.yaml:12:18", ("must be between 1 and 1000",)),
            ("R201", "b.yaml:4:11", ("unknown entry kind `queue.driver.kafka`",)),
        ],
    ),
}


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


@pytest.mark.parametrize("name", CASES)
def test_every_faulty_project_is_told_what_is_wrong(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    project, findings = inspect(write(tmp_path, case.files), env={})
    errors = [finding for finding in findings if finding.severity == "error"]
    assert project is None
    assert [(f.code, "{}:{}:{}".format(*f.place)) for f in errors] == [
        (code, place) for code, place, _ in case.expected
    ]
    for finding, (_, _, phrases) in zip(errors, case.expected, strict=True):
        drawn = render([finding], width=0)
        assert [phrase for phrase in phrases if phrase not in drawn] == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("local function handler() return 1 end\n\n", 1, "nothing"),
        ("local x = 1\nreturn", 2, "nothing"),
        ("return nil", 1, "nothing"),
        ("local x = 1\n\nreturn 'done';\n", 3, "a text"),
        ("return 7", 1, "a number"),
    ],
)
def test_a_file_that_returns_no_function_is_warned_of_at_its_end(
    text: str, place: int, message: str, tmp_path: Path
) -> None:
    project, (finding,) = inspect(write(tmp_path, more("") | {"work.lua": text}), env={})
    assert project is not None
    assert (finding.severity, finding.code, finding.place[:2]) == (
        "warning",
        "R210",
        ("work.lua", place),
    )
    assert finding.message == f"the file returns {message}, and app:work is a function"


@pytest.mark.parametrize(
    "text",
    [
        "return function() end",
        "local function main() end return main",
        "local m = {} function m.main() end return m",
        "local m = { main = function() return 1, 2 end, other = print } m.third = print return m",
        "local m = {} m[1] = 2 return m",
        "local m = {} fill(m) return m",
        "local m = class() return m",
        "local m = { main = print } local n = m return n",
        "return { ['ma' .. 'in'] = print }",
        "return setmetatable({}, { __index = { main = print } })",
        "if jit then return nil end return require('json')",
        "do return { main = print } end",
        "return { ... }, 1",
    ],
)
def test_a_method_that_may_be_there_is_no_finding(text: str, tmp_path: Path) -> None:
    files = more("    method: main\n    modules: [json]\n") | {"work.lua": text}
    _, findings = inspect(write(tmp_path, files), env={})
    assert [finding for finding in findings if finding.code == "R210"] == []


@pytest.mark.parametrize(
    "text",
    [
        "return { handler = print, other = print }",
        "return { main = print, limit = 3 }",
        "local m = {} m.handler = print function m.a() end function m.b() end return m",
    ],
)
def test_without_a_method_a_table_may_have_a_handler_or_one_function(
    text: str, tmp_path: Path
) -> None:
    _, findings = inspect(write(tmp_path, more("") | {"work.lua": text}), env={})
    assert findings == []


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("local m = require('math') require('string')", []),
        ("local lpeg = require('lpeg')", ["error"]),
        ("local ok = pcall(function() return require('lpeg') end)", ["warning"]),
        ("local bit = type(bit) == 'table' and bit or require('bit')", ["warning"]),
        ("local ok, lpeg = pcall(require, 'lpeg')", []),
        ("if _VERSION < 'Lua 5.3' then require('compat53') end", ["warning"]),
        ("local f = function() require('lpeg') end require('lpeg')", ["error"]),
    ],
)
def test_an_unknown_module_is_an_error_only_where_it_is_required_for_certain(
    text: str, severities: list[str], tmp_path: Path
) -> None:
    text += "\nreturn print"
    _, findings = inspect(write(tmp_path, more("") | {"work.lua": text}), env={})
    assert [finding.severity for finding in findings] == severities


def test_a_faulty_project_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(ProjectInvalid) as refused:
        load(write(tmp_path, CASES["several mistakes at once"].files), env={})
    assert refused.value.exit_code == 3
    assert len(refused.value.findings) == 4
    assert str(refused.value) == "4 errors in the project"
    assert has_errors(refused.value.findings)
