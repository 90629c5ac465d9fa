"""Every command with `--json`, in every way in which its answer has other keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .projects import INDEX

GOOD = """'{"id":1,"total":5}'"""
BAD = """'{"id":2,"total":-5}'"""
DOWN = """'{"id":3,"bank":"down"}'"""
DONE = (f"publish orders {GOOD} --id good --wait",)
DIED = (f"publish orders {BAD} --id bad --wait",)
#: An order that died, and no host any more.
LEFT = (f"publish orders {BAD} --id bad", "run --until-idle")
NOTES = (
    """publish notes '{"n":1}' --id first -H source=test --priority high --group g""",
    """publish notes '{"n":2}' --id second --delay 1h""",
    """publish notes '"three"' --id third""",
)
#: What turns in the wheel: one that is done each time, and one that fails and dies.
TURNS = (
    """publish wheel '{"kind":"wheel"}'""",
    """publish wheel '{"kind":"luck"}'""",
)
BLOBS = (
    '{"base64":"aGVsbG8=","options":{"id":"text"}}\n{"base64":"//79","options":{"id":"bytes"}}\n'
    f'{{"base64":"{"YWFh" * 6000}","options":{{"id":"long"}}}}\n'
)
FAULTY = {
    "process.lua": "return function( end\n",
    "more.yaml": "namespace: more\nentries:\n"
    "  - {name: jobs, kind: queue.queue, driver: app:fiel, retry: {max_atempts: 3}}\n",
}
UNUSED = {
    "more.yaml": "namespace: more\nentries:\n"
    "  - {name: f, kind: function.lua, source: return function() end, modules: [json]}\n",
}
PROFILES = {
    "moonq.yaml": "log: {level: warn}\nprofiles:\n"
    "  prod:\n    production: true\n    entries: {app:orders: {retry: {max_attempts: 3}}}\n"
    "  staging: {entries: {app:oders: {}}}\n",
}
GROWN = {
    "more.yaml": "namespace: more\nentries:\n"
    "  - {name: jobs, kind: queue.queue, driver: app:memory}\n",
}
SHRUNK = {
    "_index.yaml": INDEX.replace(
        "  - {name: notes, kind: queue.queue, driver: file}\n", ""
    ).replace("ballast_mb: 0", "ballast_mb: 1"),
}
#: Where a file is there can be no folder.
NO_FOLDER = {
    "more.yaml": "namespace: more\nentries:\n"
    "  - {name: file, kind: queue.driver.sqlite, path: more.yaml/queues.db}\n",
}
#: One of each kind.
ENTRIES = (
    "memory", "file", "orders", "emails", "orders.consumer", "process", "sums", "cache", "region",
    "prices", "may_everything",
)  # fmt: skip
#: One local at most is in sight where a test fails: Lua keeps no order of them.
TESTS = """\
local test = require("test")
local describe, it, eq = test.describe, test.it, test.eq

describe("orders", function()
  test.tag("money")
  it("are charged", function()
    eq(test.call("app:process", { id = 1, total = 2 }), { charged = 3 })
  end)
  it("are not free", function()
    do
      local orders = test.queue("orders")
      orders:publish({ id = 7, total = 1 })
      orders:drain()
    end
    local charged = { total = "25.0" }
    eq(charged, { total = 25.0 })
  end)
  it("break", function()
    local order = nil
    return order.id
  end)
  test.it_skip("are kept", function() end)
end)
"""
ENDS_BADLY = """\
local test = require("test")
test.after_all(function() error("a mess") end)
test.it("holds", function() end)
"""


class Case(NamedTuple):
    """One command, and what is so when it is typed."""

    name: str
    typed: str
    scene: str = "files"
    before: tuple[str, ...] = ()
    """Commands that come first."""
    files: Mapping[str, str] = MappingProxyType({})
    """Files that are written before anything is typed."""
    until: Callable[[Any], bool] | None = None
    """It is typed again until this is true of its answer: some numbers take a moment to come."""


def _has_rates(found: Any) -> bool:
    rows = found.get("queues", [])
    return all("rate_seconds" in row and not row.get("running") for row in rows)


def _is_counted(found: Any) -> bool:
    return all(one.get("acked") == one.get("dead") == 1 for one in found.get("hosts", []))


def _is_measured(found: Any) -> bool:
    rows = found.get("consumers", [])
    return all("p95" in row and row.get("ok_rate") and row.get("fail_rate") for row in rows)


def _shown(entry: str, scene: str = "files") -> Case:
    name = f"show_{entry}".replace(".", "_")
    return Case(name if scene == "files" else f"{name}_on_a_host", f"show {entry} --json", scene)


def _tail(name: str, args: str) -> Case:
    return Case(f"tail_{name}", f"tail {args} --limit 1 --for 10s --json", "wheel", TURNS)


CASES = [
    Case("call", f"call process {GOOD} --json"),
    Case("call_on_a_host", f"call process {GOOD} --json", "host"),
    Case("call_as_message", f"call process {GOOD} --as-message -H source=test --json", "host"),
    Case("call_that_raises", f"call process {BAD} --json"),
    Case("call_that_raises_on_a_message", f"call process {BAD} --as-message --json", "host"),
    Case("call_that_answers_an_error", f"call process {DOWN} --json", "host"),
    Case("call_that_really_publishes", f"call process {GOOD} --send --json", "host"),
    Case("call_of_nothing", "call pocess --json"),
    Case("call_of_nothing_on_a_host", "call pocess --json", "host"),
    Case("call_with_what_is_no_json", "call process '{' --json", "host"),

    Case("check", "check --json"),
    Case("check_faulty", "check --json", files=FAULTY),
    Case("check_warns", "check --json", files=UNUSED),
    Case("check_strict", "check --strict --json", files=UNUSED),
    Case("check_of_nothing", "check --format json", "nothing"),
    Case("check_in_profiles", "check --json", files=PROFILES),
    Case("check_in_no_profile", "check --profile prd --json", files=PROFILES),

    Case("completion_of_no_shell", "completion ksh --json"),

    Case("dead", "dead --json", "host", DIED),
    Case("dead_none", "dead --json"),
    Case("dead_without_a_host", "dead --json", before=LEFT),
    Case("dead_ls", "dead ls orders --json", "host", DIED),
    Case("dead_ls_none", "dead ls orders --json", "host"),
    Case("dead_ls_by_error", "dead ls orders --error 000 --json", "host", DIED),
    Case("dead_ls_without_the_newest", "dead ls orders --limit 0 --json", "host", DIED),
    Case("dead_ls_without_a_host", "dead ls orders --json", before=LEFT),
    Case("dead_show", "dead show orders bad --json", "host", DIED),
    Case("dead_show_without_a_host", "dead show orders bad --json", before=LEFT),
    Case("dead_show_nothing", "dead show orders nope --json", "host"),
    Case("dead_retry", "dead retry orders --yes --json", "host", DIED),
    Case("dead_retry_one_elsewhere", "dead retry orders bad --to notes --yes --json", "host", DIED),
    Case("dead_retry_none", "dead retry orders --json", "host"),
    Case("dead_retry_unconfirmed", "dead retry orders --json", "host", DIED),
    Case("dead_retry_of_no_fingerprint", "dead retry orders --error zzz --yes --json", "host"),
    Case("dead_retry_without_a_host", "dead retry orders --yes --json", before=LEFT),
    Case("dead_drop", "dead drop orders --yes --json", "host", DIED),
    Case("dead_drop_for_good", "dead drop orders bad --no-backup --yes --json", "host", DIED),
    Case("dead_drop_none", "dead drop orders --json", "host"),
    Case("dead_drop_without_a_host", "dead drop orders --yes --json", before=LEFT),

    Case("dev", "dev --json", "ending"),

    Case("doctor", "doctor --driver memory --json"),
    Case("doctor_of_a_driver_that_fails", "doctor --driver more:file --json", files=NO_FOLDER),
    Case("doctor_of_no_driver", "doctor --driver notes --json"),
    Case("doctor_of_all", "doctor --json"),
    Case("doctor_in_a_profile", "doctor --profile prod --json", files=PROFILES),
    Case("doctor_of_its_config", "doctor --config --profile prod --set log.level=debug --json",
        files=PROFILES),
    Case("doctor_that_compacts_in_use", "doctor --driver file --compact --json", "host", NOTES),
    Case("doctor_that_compacts_nothing", "doctor --driver memory --compact --json"),

    Case("eval", """eval '{ 1, "two", { three = json.null } }' --json"""),
    Case("eval_on_a_host", "eval 'print(7) return queue.info(\"app:notes\").ready, 2' --json",
         "host", NOTES),
    Case("eval_nothing", "eval 'local a = 1' --json", "host"),
    Case("eval_that_raises", "eval 'error(\"no\")' --json", "host"),
    Case("eval_that_raises_an_error", "eval 'mq.peek(\"nope\")' --json", "host"),
    Case("eval_that_raises_without_a_host", "eval 'error(\"no\")' --json"),
    Case("eval_of_no_lua", "eval 'x = = 1' --json", "host"),
    Case("eval_of_half_a_statement", "eval 'for i = 1,' --json", "host"),
    Case("eval_that_does_not_end", "eval 'while true do end' --timeout 50ms --json", "host"),

    Case("explain_access", "explain access app:orders.consumer queue.publish emails --json"),
    Case("explain_access_on_a_host",
         "explain access app:orders.consumer store.get cache --meta key=a --json", "host"),
    Case("explain_access_of_nobody", "explain access clerk queue.info emails --json"),

    Case("explain", "explain R227 --json"),
    Case("guide_to_a_section", "guide what-moonq-does-not-do#windows --json"),
    Case("guide_without_such_a_page", "guide nope --json"),

    Case("graph", "graph --json"),
    Case("graph_on_a_host", "graph --json", "host"),
    Case("graph_of_one", "graph orders --json", "host"),
    Case("graph_of_nothing", "graph oders --json"),

    Case("ls", "ls --json"),
    Case("ls_on_a_host", "ls --json", "host"),
    Case("ls_some", "ls 'app:*' --kind 'queue.*' --meta team=shop --json"),
    Case("ls_none", "ls nope --json", "host"),
    Case("ls_faulty", "ls --json", files=FAULTY),

    Case("move", "move notes orders --yes --json", "host", NOTES),
    Case("move_dry", "move notes orders --dry-run --json", "host", NOTES),
    Case("move_none", "move notes orders --json", "host"),
    Case("move_unconfirmed", "move notes orders --json", "host", NOTES),
    Case("move_into_memory", "move notes emails --yes --json", "host", NOTES),
    Case("move_into_memory_without_a_host", "move notes emails --yes --json", before=NOTES),
    Case("move_without_a_host", "move notes orders --yes --json", before=NOTES),
    Case("move_onto_itself", "move notes notes --driver file --json", "host", NOTES),
    Case("move_of_nothing", "move note orders --json", "host", NOTES),

    Case("init", "init --json"),
    Case("init_of_a_new_folder", "init . --template basic --json", "nothing"),

    Case("new", "new shop --json", "nothing"),
    Case("new_in_a_used_folder", "new . --json"),
    Case("new_over_other_files", "new . --yes --json", files={"stylua.toml": ""}),

    Case("pause", "pause orders --json", "host"),
    Case("pause_a_consumer", "pause orders.consumer --json", "host"),
    Case("pause_without_a_host", "pause orders --json"),
    Case("pause_a_consumer_without_a_host", "pause orders.consumer --json"),
    Case("pause_what_cannot_rest", "pause sums --json", "host"),
    Case("pause_everywhere", "pause orders.consumer --all --json", "host"),
    Case("pause_in_production", "pause orders --json", "production"),

    Case("peek", "peek notes --json", "host", NOTES),
    Case("peek_without_a_host", "peek notes --json", before=NOTES),
    Case("peek_none", "peek notes --json", "host"),
    Case("peek_head", "peek notes -n 1 --from head --json", "host", NOTES),
    Case("peek_tail", "peek notes -n 2 --from tail --json", "host", NOTES),
    Case("peek_by_id", "peek notes --id second --json", "host", NOTES),
    Case("peek_by_id_without_a_host", "peek notes --id second --json", before=NOTES),
    Case("peek_by_no_id", "peek notes --id nope --json", "host", NOTES),
    Case("peek_delayed", "peek notes --state delayed --json", "host", NOTES),
    Case("peek_full", "peek notes --full --json", "host", NOTES),
    Case("peek_raw", "peek notes --raw", "host", NOTES),
    Case("peek_raw_as_json", "peek notes --raw --json", "host", NOTES),
    Case("peek_redacted", "peek notes --json", before=NOTES, files={"moonq.yaml": "redact: [n]"}),
    Case("peek_what_is_no_json", "peek blobs --json", "host",
         ("publish blobs --ndjson blobs.ndjson",), {"blobs.ndjson": BLOBS}),
    Case("peek_running", "peek jobs --state running --json", "spinning"),
    Case("peek_dead_letters", "peek orders.dead --json", "host", DIED),
    Case("peek_nothing", "peek oders --json", "host"),
    Case("peek_in_memory_without_a_host", "peek emails --json"),

    Case("publish", "publish notes 1 --json", "host"),
    Case("publish_with_an_id", "publish notes '{ n = 1 }' --id mine --json", "host"),
    Case("publish_without_a_host", "publish notes 1 --json"),
    Case("publish_several", "publish notes 1 --count 3 --json", "host"),
    Case("publish_lines", "publish notes --ndjson lines --json", "host", (), {"lines": "1\n2\n"}),
    Case("publish_lines_some_refused", "publish notes --ndjson lines --json", "host", (), {
        "lines": '1\n{"body":2,"headers":{"x_mine":1},"options":{}}\n',
    }),
    Case("publish_refused", "publish notes 1 -H x_mine=1 --json", "host"),
    Case("publish_too_much", "publish notes --file body --json", "host", (), {
        "body": f'"{"a" * 262144}"',
    }),
    Case("publish_line_that_is_no_json", "publish notes --ndjson lines --json", "host", (), {
        "lines": "1\n{\n",
    }),
    Case("publish_what_is_no_json", "publish notes text --json", "host"),
    Case("publish_no_file", "publish notes --ndjson lines --json", "host"),
    Case("publish_dry", "publish notes 1 --dry-run --json", "host"),
    Case("publish_dry_refused", "publish notes 1 --dry-run -H x_mine=1 --json", "host"),
    Case("publish_and_wait", f"publish orders {GOOD} --id good --wait --json", "host"),
    Case("publish_and_wait_for_a_death", f"publish orders {BAD} --id bad --wait --json", "host"),
    Case("publish_and_wait_in_vain", "publish notes 1 --wait 50ms --json", "host"),
    Case("publish_and_wait_without_a_host", "publish notes 1 --wait --json"),
    Case("publish_to_nothing", "publish oders 1 --json", "host"),

    Case("purge", "purge notes --yes --json", "host", NOTES),
    Case("purge_for_good", "purge notes --no-backup --yes --json", "host", NOTES),
    Case("purge_none", "purge notes --json", "host"),
    Case("purge_unconfirmed", "purge notes --json", "host", NOTES),
    Case("purge_without_a_host", "purge notes --yes --json", before=NOTES),

    Case("queues", "queues --json", "host", (*DONE, *DIED, *NOTES), until=_has_rates),
    Case("queues_sorted", "queues --sort ready --json", before=NOTES),
    Case("queues_without_a_host", "queues --json", before=NOTES),

    Case("reload", "reload --json", "host"),
    Case("reload_edited", "reload --json", "host", files={"sums.lua": "return { add = 1 }"}),
    Case("reload_grown", "reload --json", "host", files=GROWN),
    Case("reload_shrunk", "reload --json", "host", files=SHRUNK),
    Case("reload_faulty", "reload --json", "host", files=FAULTY),
    Case("reload_of_one", "reload sums --json", "host", files={"sums.lua": "return { add = 2 }"}),
    Case("reload_without_a_host", "reload --json"),
    Case("reload_all", "reload --all --json", "host"),
    Case("reload_all_faulty", "reload --all --json", "host", files=FAULTY),

    Case("repl", "repl -e '1 + 1' --json"),
    Case("repl_on_a_host", "repl -e '\\set output json' -e '{ a = 1 }' --json", "host"),
    Case("repl_that_fails", "repl -e 'error(\"no\")' --json", "host"),
    Case("repl_faulty", "repl -e 1 --json", files=FAULTY),

    Case("scale", "scale orders.consumer 3 --json", "host"),
    Case("scale_everywhere", "scale orders.consumer 3 --all --json", "host"),
    Case("scale_without_a_host", "scale orders.consumer 3 --json"),
    Case("scale_what_has_no_workers", "scale orders 3 --json", "host"),
    Case("call_traced", "call process '{}' --trace --json"),

    Case("resume", "resume orders --json", "host"),
    Case("resume_a_consumer", "resume orders.consumer --json", "host"),
    Case("resume_without_a_host", "resume orders --json"),

    Case("run", "run --until-idle --json", before=(f"publish orders {GOOD}", LEFT[0])),
    Case("run_with_a_call", f"run --call process={GOOD} --until-idle --json"),
    Case("run_with_a_call_that_fails", f"run --call process={BAD} --until-idle --json"),
    Case("run_faulty", "run --json", files=FAULTY),
    Case("run_twice", "run --json", "host"),

    *[_shown(name) for name in ENTRIES],
    _shown("orders", "host"),
    Case("show_an_implied_queue", "show orders.dead --json", "host"),
    Case("show_a_field", "show orders --field retry.max_attempts --json"),
    Case("show_several_fields", "show orders --field retry --json"),
    Case("show_no_field", "show orders --field retry.nope --json"),
    Case("show_nothing", "show oders --json"),
    Case("show_in_a_profile", "show orders --profile prod --json", files=PROFILES),

    Case("status", "status --json", "host", (*DONE, *DIED), until=_is_counted),
    Case("status_of_a_process", "status --json", "production"),
    Case("status_of_a_silent_host", "status --json", "silent"),
    Case("status_without_a_host", "status --json"),
    Case("status_of_all", "status --all --json", "host"),
    Case("status_of_all_without_a_host", "status --all --json"),
    Case("status_of_no_such_host", "status --host blue --json", "host"),

    Case("stop", "stop --yes --json", "production"),
    Case("stop_now", "stop --now --json", "spinning"),
    Case("stop_that_takes_too_long", "stop --timeout 50ms --json", "spinning"),
    Case("stop_of_another_ones_host", "stop --json", "host"),
    Case("stop_without_a_host", "stop --json"),
    Case("stop_all", "stop --all --yes --json", "production"),
    Case("stop_all_without_a_host", "stop --all --json"),

    _tail("publish", "--event publish --where 'body.kind == \"wheel\"'"),
    _tail("deliver", "--event deliver --where 'body.kind == \"wheel\"'"),
    _tail("ack", "--event ack"),
    _tail("nack", "turner --event nack"),
    _tail("dead", "turner --event dead"),
    _tail("dropped", "narrow --event dead"),
    _tail("log", "turn --event log --where 'message == \"turning\"'"),
    _tail("body", "wheel --event nack --body"),
    Case("tail_for_a_while", "tail --for 20ms --json", "host"),
    Case("tail_no_lua", "tail --where '1 +' --json", "host"),
    Case("tail_no_event", "tail --event rain --json", "host"),
    Case("tail_without_a_host", "tail --json"),

    Case("test", "test -j 1 --json", files={"test/shop_test.lua": TESTS}),
    Case("test_shuffled", "test --shuffle=7 -k 'charged or kept' --reporter json",
         files={"test/shop_test.lua": TESTS}),
    Case("test_covered", "test -k charged --coverage --json",
         files={"test/shop_test.lua": TESTS}),
    Case("test_that_does_not_load", "test --json", files={"test/shop_test.lua": "x = = 1\n"}),
    Case("test_that_ends_badly", "test --json", files={"test/shop_test.lua": ENDS_BADLY}),
    Case("test_listed", "test --list --json", files={"test/shop_test.lua": TESTS}),
    Case("test_none", "test --json"),

    Case("top", "top --once --json", "host", (*DONE, *DIED), until=_is_measured),
    Case("top_of_one", "top --once orders --json", "host", (*DONE, *DIED), until=_is_measured),
    Case("top_of_nothing", "top --once oders --json", "host"),
    Case("top_too_often", "top --interval 1ms --json", "host"),
    Case("top_without_a_host", "top --once --json"),

    Case("types", "types --json"),
    Case("types_that_are_stale", "types --check --json"),

    Case("version", "version --json"),
    Case("version_in_a_broken_python", "version --json", "broken"),
    Case("no_command", "vresion --json"),
    Case("no_project", "ls -C nowhere --json"),
    Case("empty_project", "ls --json", "nothing"),
]  # fmt: skip
