"""The commands that talk to a running host: what they print, as what schema, with which code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.host import Host

from ..conftest import until

Moonq = Callable[..., Any]


@pytest.fixture
def shop(moonq: Moonq, host: Host) -> Moonq:
    """Run a command on the project of the running host."""

    def run(command: str, *args: object) -> Any:
        head, *more = command.split()
        return moonq(head, *more, "-C", host.project.root, *args)

    return run


def dead(host: Host, count: int = 1) -> None:
    """Let orders die."""
    for number in range(count):
        host.queues.publish(b"app:jobs", json.dumps({"id": number, "total": -1}).encode())
    until(lambda: host.queues.info("app:jobs.dead").ready == count)
    # Or its line in the log may come between those of a command.
    until(lambda: host.metrics.total("dead") >= count)


SCHEMAS: list[tuple[str, tuple[str, ...], str, set[str]]] = [
    ("publish", ("idle", "1"), "moonq.publish/1", {
        "queue", "published", "refused", "duplicates", "ids", "errors", "outcomes", "timed_out",
        "dry_run", "took_ms"}),
    ("peek", ("idle",), "moonq.peek/1", {
        "queue", "driver", "info", "messages", "shown", "left_off"}),
    ("queues", (), "moonq.queues/1", {"queues"}),
    ("ls", (), "moonq.ls/1", {"entries"}),
    ("show", ("jobs",), "moonq.show/1", {
        "id", "kind", "file", "line", "fields", "origins", "depends_on", "used_by"}),
    ("graph", ("jobs",), "moonq.graph/1", {"nodes", "edges", "unknown"}),
    ("status", (), "moonq.status/1", {"hosts"}),
    ("call", ("work", '{"id":1,"total":1}'), "moonq.call/2", {
        "verdict", "delay", "reason", "words", "values", "error", "unknown_after", "would_publish",
        "would_write", "published", "logs", "took_ms", "memory_bytes", "consumer", "actor"}),
    ("dead ls", ("jobs",), "moonq.dead/1", {
        "queue", "dead_queue", "count", "groups", "messages"}),
    ("dead retry", ("jobs", "--yes"), "moonq.retry/1", {"queue", "chosen", "retried"}),
    ("dead drop", ("jobs", "--yes"), "moonq.drop/1", {
        "queue", "chosen", "dropped", "backup", "backup_bytes", "kept_days"}),
    ("purge", ("idle", "--yes"), "moonq.purge/1", {
        "queue", "chosen", "dropped", "backup", "backup_bytes", "kept_days", "undo"}),
    ("pause", ("worker",), "moonq.pause/1", {"paused"}),
    ("resume", ("worker",), "moonq.resume/1", {"resumed"}),
    ("reload", (), "moonq.reload/1", {
        "added", "removed", "changed", "replaced", "workers", "finishing", "needs_restart",
        "problems", "took_ms", "settings"}),
]  # fmt: skip


@pytest.mark.parametrize(("command", "args", "schema", "keys"), SCHEMAS)
def test_every_command_answers_json_of_its_schema(
    shop: Moonq, host: Host, command: str, args: tuple[str, ...], schema: str, keys: set[str]
) -> None:
    dead(host)
    host.queues.publish(b"app:idle", b'{"id":1}')
    said = shop(command, *args, "--json")
    assert said.code == 0, said.err
    document = json.loads(said.out)
    assert document.pop("schema") == schema
    assert document.keys() == keys
    assert "--yes" in args or said.err == ""


def test_a_dead_letter_answers_json_of_its_schema(shop: Moonq, host: Host) -> None:
    dead(host)
    [name] = [one["id"] for one in json.loads(shop("dead ls", "jobs", "--json").out)["messages"]]
    document = json.loads(shop("dead show", "jobs", name, "--json").out)
    assert document["schema"] == "moonq.letter/1"
    assert {"queue", "dead_queue", "id", "body", "headers", "errors", "attempt"} <= document.keys()
    assert document["errors"][0].keys() == {"time", "kind", "message", "where", "traceback"}


def test_rows_of_queues_and_hosts_have_their_keys(shop: Moonq, host: Host) -> None:
    rows = json.loads(shop("queues", "--json").out)["queues"]
    assert {"id", "driver", "ready", "delayed", "leased", "running", "dead", "message_count",
            "consumer_count", "paused", "dead_letter", "consumers"} <= rows[0].keys()  # fmt: skip
    [one] = json.loads(shop("status", "--json").out)["hosts"]
    assert {"project", "path", "pid", "socket", "profile", "version", "up", "problem"} <= one.keys()


def test_a_message_is_published_and_its_end_awaited(shop: Moonq, host: Host) -> None:
    said = shop("publish", "jobs", '{"id":1,"total":5}', "-H", "source=test", "--wait")
    assert said.code == 0
    assert "acked by app:work in" in said.out
    said = shop("publish", "jobs", '{"id":1,"total":-5}', "--wait", "--json")
    assert said.code == 1
    [outcome] = json.loads(said.out)["outcomes"]
    assert (outcome["event"], outcome["reason"]) == ("dead", "max_attempts")


def test_a_duplicate_is_told_and_not_waited_for(shop: Moonq, host: Host) -> None:
    host.consumers["app:worker"].pause()
    publish = ("publish", "jobs", '{"id":1,"total":5}', "--dedup-key", "one")
    [first] = json.loads(shop(*publish, "--json").out)["ids"]
    for how in ((), ("--wait",)):
        said = shop(*publish, *how)
        assert said.code == 0
        assert said.out == f"duplicate of {first} in app:jobs: nothing new was published\n"
        assert "duplicate" not in said.err
    assert "published 0 · " in (said := shop(*publish, "--count", "2")).out
    assert "2 duplicates" in said.out
    document = json.loads(shop(*publish, "--wait", "--json").out)
    assert (document["ids"], document["outcomes"], document["timed_out"]) == ([first], [], False)


def test_waiting_has_an_end(shop: Moonq, host: Host) -> None:
    said = shop("publish", "idle", "1", "--wait", "50ms")
    assert said.code == 8
    assert "not done after" in said.err


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ('{"id":1}', {"id": 1}),
        ("{ id = 42, tags = { 'a' } }", {"id": 42, "tags": ["a"]}),
        ('"text"', "text"),
        ("7", 7),
        ("[1, 2]", [1, 2]),
    ],
)
def test_a_body_is_json_or_a_lua_literal(shop: Moonq, host: Host, typed: str, body: Any) -> None:
    assert shop("publish", "idle", typed).code == 0
    [message] = json.loads(shop("peek", "idle", "--json").out)["messages"]
    assert message["body"] == body


@pytest.mark.parametrize("typed", ["text", "{ id =", "{ id = os.exit() }", "{ f = print }", "{}{"])
@pytest.mark.parametrize("command", ["publish idle", "call work"])
def test_what_is_neither_is_refused(shop: Moonq, host: Host, command: str, typed: str) -> None:
    said = shop(*command.split(), typed)
    assert said.code == 2
    assert "not JSON: line 1, column " in said.err or "neither JSON nor a Lua" in said.err
    assert host.queues.info("app:idle").ready == 0


def test_bodies_come_from_stdin_from_files_and_from_lines(
    shop: Moonq, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"from":"stdin"}'))
    assert shop("publish", "idle", "-").code == 0
    (tmp_path / "body.json").write_text('{"from":"file"}')
    assert shop("publish", "idle", "--file", tmp_path / "body.json").code == 0
    (tmp_path / "lines").write_text('{"from":1}\n\n{"from":2}\n')
    said = shop("publish", "idle", "--ndjson", tmp_path / "lines")
    assert said.out.startswith("published 2 ·")
    monkeypatch.setattr(sys, "stdin", io.StringIO("3\n4\n"))
    assert shop("publish", "idle", "--ndjson", "-").code == 0
    messages = json.loads(shop("peek", "idle", "--json").out)["messages"]
    bodies = [one["body"] for one in messages]
    assert bodies == [{"from": "stdin"}, {"from": "file"}, {"from": 1}, {"from": 2}, 3, 4]


def test_a_line_that_is_no_json_is_named(shop: Moonq, host: Host, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("1\n{\n")
    said = shop("publish", "idle", "--ndjson", tmp_path / "lines")
    assert said.code == 1
    assert "line 2 is not JSON" in said.err


def test_a_broken_line_says_what_was_published_before_it(
    shop: Moonq, host: Host, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("1\n" * 600 + "[\n")
    said = shop("publish", "idle", "--ndjson", tmp_path / "lines")
    assert said.code == 1
    assert "line 601 is not JSON" in said.err
    assert "500 messages before it were published" in said.err
    assert host.queues.info("app:idle").ready == 500


@pytest.mark.parametrize("what", ["headers", "options"])
@pytest.mark.parametrize("value", ["[1]", "5", '"text"'])
def test_a_line_whose_parts_are_no_objects_is_refused(
    shop: Moonq, host: Host, tmp_path: Path, what: str, value: str
) -> None:
    parts = {"headers": "{}", "options": "{}", what: value}
    line = ",".join(f'"{name}":{text}' for name, text in parts.items())
    (tmp_path / "lines").write_text(f'{{"body":1,{line}}}\n{{"body":2,"options":null}}\n')
    said = shop("publish", "idle", "--ndjson", tmp_path / "lines", "--dedup-key", "k")
    assert said.code == 1
    assert f"{what}: names and values expected, got " in said.err
    assert "published 1 · " in said.out


def test_bytes_that_are_no_text_are_refused(shop: Moonq, host: Host, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\xff\xfe")
    said = shop("publish", "idle", "--file", tmp_path / "body")
    assert said.code == 1
    assert f"the body is not JSON: {tmp_path / 'body'}: line 1, byte 1: 0xff is not" in said.err
    said = shop("publish", "idle", "--ndjson", tmp_path / "body")
    assert (said.code, "is not UTF-8" in said.err) == (1, True)


def test_a_refused_message_is_told_and_counted(shop: Moonq, host: Host) -> None:
    said = shop("publish", "idle", "1", "-H", "x_mine=1")
    assert said.code == 1
    assert "0 · " in said.out
    assert "names that begin with x_ belong to moonq" in said.err


def test_the_same_body_can_be_published_often_and_not_too_fast(shop: Moonq, host: Host) -> None:
    said = shop("publish", "idle", "1", "--count", "25", "--rate", "500/s", "--json")
    document = json.loads(said.out)
    assert (document["published"], len(set(document["ids"]))) == (25, 25)
    assert document["took_ms"] >= 45
    assert shop("publish", "idle", "1", "--count", "2", "--id", "same").code == 2


def test_publish_options_reach_the_message(shop: Moonq, host: Host) -> None:
    args = ("--priority", "high", "--group", "g", "--delay", "1h", "--id", "mine")
    assert shop("publish", "idle", "1", *args).code == 0
    [message] = json.loads(shop("peek", "idle", "--json").out)["messages"]
    assert (message["id"], message["priority"], message["group"]) == ("mine", "high", "g")
    assert message["state"] == "delayed"


def test_a_trial_publishes_nothing(shop: Moonq, host: Host) -> None:
    assert shop("publish", "idle", "1", "--dry-run").out.startswith("would publish")
    assert host.queues.info("app:idle").ready == 0


def test_peek_shows_bodies_as_lua_and_counts_what_there_is(shop: Moonq, host: Host) -> None:
    host.queues.publish(b"app:idle", b'{"action":"send_email","user":7}')
    said = shop("peek", "idle")
    assert said.out.startswith("app:idle · 1 ready · oldest ")
    assert '{ action = "send_email", user = 7 }' in said.out
    assert shop("peek", "idle", "--raw").out == '{"action": "send_email", "user": 7}\n'


def test_terminal_controls_in_a_message_are_written_out(shop: Moonq, host: Host) -> None:
    host.queues.publish(b"app:idle", b"\x1b[2Jgone", True, 1, 0, b"evil", b"\x1b[31m")
    for args in ((), ("--full",)):
        assert "\x1b" not in shop("peek", "idle", *args).out


def test_the_way_back_from_a_purge_is_the_line_it_prints(shop: Moonq, host: Host) -> None:
    for number in range(3):
        given = (b"source", b"test", b"id", b"m%d" % number, b"priority", b"high")
        body = json.dumps({"n": number}).encode()
        host.queues.publish(b"app:idle", body, False, 1, 2, *given)
    before = json.loads(shop("peek", "idle", "--json").out)["messages"]
    said = shop("purge", "idle", "--yes", "--json")
    undo = json.loads(said.out)["undo"].split()
    assert undo[:3] == ["moonq", "publish", "app:idle"]
    assert host.queues.info("app:idle").message_count == 0
    assert shop("publish", *undo[2:]).code == 0
    after = json.loads(shop("peek", "idle", "--json").out)["messages"]
    same = ("id", "body", "headers", "priority")
    assert [[one[key] for key in same] for one in after] == [
        [one[key] for key in same] for one in before
    ]


@pytest.mark.parametrize("command", ["purge idle", "dead drop jobs", "dead retry jobs"])
def test_without_a_terminal_and_without_yes_nothing_is_destroyed(
    shop: Moonq, host: Host, command: str
) -> None:
    dead(host)
    host.queues.publish(b"app:idle", b"1")
    said = shop(command)
    assert said.code == 7
    assert "--yes" in said.err
    assert host.queues.info("app:idle").ready == 1
    assert host.queues.info("app:jobs.dead").ready == 1


def test_dead_letters_are_listed_by_error_and_shown_with_every_attempt(
    shop: Moonq, host: Host
) -> None:
    dead(host, 2)
    listed = shop("dead ls", "jobs").out
    assert "2 dead letters in app:jobs.dead, 1 kind of error" in listed
    assert "work.lua:6" in listed
    name = listed.split()[-1]
    shown = shop("dead show", "jobs", name).out
    for text in ("attempt 1 ", "UNKNOWN: work.lua:6: negative total", "in upvalue 'charge'"):
        assert text in shown
    assert "headers" in shown
    assert "total = -1" in shown


def test_some_are_retried_by_fingerprint(shop: Moonq, host: Host) -> None:
    dead(host, 2)
    host.consumers["app:worker"].pause()
    [group] = json.loads(shop("dead ls", "jobs", "--json").out)["groups"]
    said = shop("dead retry", "jobs", "--error", group["fingerprint"], "--yes")
    assert said.out == "2 messages requeued\n"
    assert "snapshot taken" in said.err
    assert host.queues.info("app:jobs").ready == 2
    assert shop("dead retry", "jobs", "--error", "zzz", "--yes").code == 4


def test_events_are_printed_until_there_are_enough(shop: Moonq, host: Host) -> None:
    def keep_publishing() -> None:
        until(lambda: host.metrics.observer is not None)
        for number in range(20):
            host.queues.publish(b"app:jobs", json.dumps({"id": number, "total": 1}).encode())

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    said = shop("tail", "jobs", "--event", "ack", "--limit", "3")
    publisher.join()
    assert said.code == 0
    lines = said.out.splitlines()
    assert len(lines) == 3
    assert all("ack" in line and "app:jobs" in line and "app:work" in line for line in lines)
    assert "3 events shown" in said.err


def test_events_as_json_are_lines_of_their_schema(shop: Moonq, host: Host) -> None:
    publisher = threading.Thread(
        target=lambda: (
            until(lambda: host.metrics.observer is not None)
            or host.queues.publish(b"app:idle", b'{"n":1}')
        )
    )
    publisher.start()
    said = shop("tail", "--event", "publish", "--where", "body.n == 1", "--limit", "1", "--json")
    publisher.join()
    event = json.loads(said.out)
    assert event["schema"] == "moonq.event/1"
    assert (event["event"], event["queue"]) == ("publish", "app:idle")


def test_tail_ends_with_its_time_and_refuses_nonsense(shop: Moonq, host: Host) -> None:
    assert shop("tail", "--for", "20ms").code == 0
    assert shop("tail", "--event", "rain").code == 2
    assert shop("tail", "--grep", "(").code == 2
    assert shop("tail", "--where", "1 +").code == 1


def test_lua_is_evaluated_on_the_host(shop: Moonq, host: Host) -> None:
    host.queues.publish(b"app:idle", b"1")
    assert shop("eval", 'queue.info("app:idle").ready').out == "1\n"
    assert shop("eval", 'queue.info("app:idle").ready', "--json").out == "1\n"
    assert shop("eval", 'print("hi") return { a = 1 }, "x"').out == 'hi\n{ a = 1 }\n"x"\n'
    assert shop("eval", "42;").out == ""


@pytest.mark.parametrize(
    ("code", "exit_code", "text"),
    [
        ("error('no')", 1, "console:1: no"),
        ("x = = 1", 1, "line 1: "),
        ("for i = 1,", 1, "line 1: "),
        ('queue.publish("app:nope", 1)', 1, "NOT_FOUND"),
        ("while true do end", 8, "stopped (timeout)"),
    ],
)
def test_an_evaluation_that_fails_says_so(
    shop: Moonq, host: Host, code: str, exit_code: int, text: str
) -> None:
    said = shop("eval", code, "--timeout", "200ms")
    assert (said.code, said.out) == (exit_code, "")
    assert text in said.err
    said = shop("eval", code, "--timeout", "200ms", "--json")
    assert json.loads(said.err)["schema"] == "moonq.error/1"


def test_a_program_gets_an_error_for_a_value_that_json_cannot_carry(
    shop: Moonq, host: Host
) -> None:
    for code, says in (
        ("print", "value is a function, which JSON cannot carry"),
        ("{ a = { 1, 0 / 0 } }", "value.a[2] is NaN, which JSON cannot carry"),
        ("'\\xff', 2", "value 1 is not valid UTF-8 (byte 1)"),
        ("{ [1] = 1, [3] = 3 }", "value is a list with holes"),
    ):
        said = shop("eval", code, "--json")
        assert (said.code, said.out) == (1, "")
        error = json.loads(said.err)["error"]
        assert error["code"] == "INVALID"
        assert error["message"].startswith(says)
        assert shop("eval", code).code == 0, "a person can read the text"


@pytest.mark.parametrize(
    "command",
    ["publish idle -", "publish idle --ndjson -", "call work -", "eval -", "call work - --json"],
)
def test_stdin_that_is_no_text_is_refused_with_the_place(
    shop: Moonq, host: Host, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    data = io.BytesIO(b'{"a":\n"\xc3\xa4\xff"}')
    if "ndjson" in command:
        data = io.BytesIO(b'{"a":1}\n"\xc3\xa4\xff"')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data, "utf-8"))
    said = shop(*command.split())
    assert said.code == 1
    assert "stdin: line 2, byte 4: 0xff is not UTF-8" in said.err


def test_a_faulty_edit_is_shown_and_the_host_goes_on(shop: Moonq, host: Host) -> None:
    (host.project.root / "work.lua").write_text("return function( end")
    said = shop("reload")
    assert said.code == 3
    assert "work.lua:1" in said.err
    assert "^" in said.err
    host.queues.publish(b"app:jobs", b'{"id":1,"total":1}')
    until(lambda: host.report().acked == 1)


def test_a_good_edit_is_told_in_one_line(shop: Moonq, host: Host) -> None:
    (host.project.root / "work.lua").write_text("return function() end")
    said = shop("reload")
    assert "changed  app:work" in said.out
    assert "1 worker switched" in said.out
    assert shop("reload").out == "nothing has changed\n"


def test_a_call_runs_on_the_host_and_shows_the_frame_where_it_failed(
    shop: Moonq, host: Host
) -> None:
    said = shop("call", "work", '{"id":1,"total":-1}', "--as-message")
    assert said.code == 1
    assert said.out.startswith("would go to dead letters (max_attempts)  ")
    assert "work.lua:6" in said.err


def test_entries_are_listed_shown_and_drawn(shop: Moonq, host: Host) -> None:
    assert shop("ls", "--kind", "queue.queue").out.split()[::3] == ["app:jobs", "app:idle"]
    assert "max_attempts: 1" in shop("show", "jobs").out
    assert shop("show", "jobs", "--field", "retry.max_attempts").out == "1\n"
    assert shop("show", "jobs", "--field", "retry.nope").code == 4
    tree = shop("graph", "jobs").out
    assert "├─ driver  app:memory  queue.driver.memory" in tree
    assert "└─ app:worker  queue.consumer" in tree
    assert '"app:worker" -> "app:jobs" [label="queue"]' in shop("graph", "--format", "dot").out
    assert shop("graph", "--format", "mermaid").out.startswith("flowchart LR\n")


def test_a_name_that_is_not_there_is_4_with_what_was_meant(shop: Moonq, host: Host) -> None:
    for command in ("peek", "purge", "pause", "show", "graph", "dead ls"):
        said = shop(command, "jbos")
        assert said.code == 4, command
        assert "jobs" in said.err


def test_completion_offers_live_ids_with_what_is_in_them(
    shop: Moonq, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    from moonq.cli.completing import completer

    host.queues.publish(b"app:idle", b"1")
    context = click.Context(click.Command("peek"))
    context.params["project"] = host.project.root

    def offered(complete: Any, typed: str, **params: Any) -> list[tuple[str, Any]]:
        context.params.update(params)
        found = complete(context, click.Argument(["queue"]), typed)
        return [(item.value, item.help) for item in found]

    assert offered(completer("queue"), "id") == [("app:idle", "1 ready"), ("app:idle.dead", None)]
    assert ("app:worker", "queue.consumer") in offered(completer("target"), "app:")
    assert offered(completer("function"), "spi") == [("app:spin", "function.lua")]
    assert offered(completer("speaker"), "spi") == [("app:spin", "function.lua")]
    assert offered(completer("driver"), "") == [("app:memory", "queue.driver.memory")]


def test_completion_offers_ids_of_messages_in_the_queue_that_was_typed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = host.queues.publish(b"app:idle", b"1")
    host.queues.publish(b"app:jobs", b'{"id":1,"total":-5}', False, 0, 1, b"id", b"ill")
    until(lambda: host.queues.info("app:jobs.dead").ready == 1)
    root = host.project.root
    for typed, message in (("peek idle --id", here), ("dead drop jobs", "ill")):
        monkeypatch.setenv("_MOONQ_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", f"moonq -C {root} {typed} ")
        monkeypatch.setenv("COMP_CWORD", str(3 + len(typed.split())))
        done = subprocess.run(
            [sys.executable, "-m", "moonq"], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"plain,{message}"), done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_the_shell_wants(moonq: Moonq, shell: str) -> None:
    said = moonq("completion", shell)
    assert said.code == 0
    assert "_MOONQ_COMPLETE" in said.out
