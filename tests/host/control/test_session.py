"""Lua over the socket: a world of one's own that cannot hurt the host, and can be interrupted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from moonq.control.client import Client, Pending
from moonq.control.server import Server
from moonq.errors import HostSilent, Unavailable
from moonq.host import Host
from moonq.run.calling.services import HostServices

from ..conftest import until


def evaluated(client: Client, source: str, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.request("eval", src=source, **fields)
    return answer


def texts(client: Client, source: str) -> list[str]:
    answer = evaluated(client, source)
    assert answer["status"] == "done", answer
    return list(answer["texts"])


def begun(client: Client, source: str) -> Pending:
    """Code that is at work."""
    works = threading.Event()
    running = client.begin(
        "eval", src=f'print("at work") {source}', on_output=lambda _: works.set()
    )
    assert works.wait(10)
    return running


def test_values_come_back_as_literals_and_as_json(client: Client) -> None:
    answer = evaluated(client, '{ a = { 1, 2 }, b = "x" }, 7')
    assert answer["texts"] == ['{ a = { 1, 2 }, b = "x" }', "7"]
    assert answer["values"] == [{"a": [1, 2], "b": "x"}, 7]


def test_what_json_cannot_carry_is_an_error_for_a_program_and_null_for_a_person(
    client: Client,
) -> None:
    source = "7, { a = { 1, 0 / 0 } }, ('x'):rep(600000)"
    unfit = [
        {"place": 2, "message": "value 2.a[2] is NaN, which JSON cannot carry"},
        {"place": 3, "message": "value 3 has 600002 bytes as JSON; at most 524288 are answered"},
    ]
    answer = evaluated(client, source)
    assert answer["unfit"] == unfit
    assert answer["fault"] == {"kind": "INVALID", "message": unfit[0]["message"], "stack": ""}
    answer = evaluated(client, source, marked=True)
    assert (answer.get("fault"), answer["unfit"]) == (None, unfit)
    assert answer["values"] == [7, None, None]
    assert answer["texts"][1] == "{ a = { 1, 0/0 } }"


def test_a_whole_file_is_run_without_telling_values(client: Client) -> None:
    source = "local x = 1\ngoto out\n::out::\ny = x\nreturn y"
    answer = evaluated(client, source, file="a+b.lua")
    assert (answer["status"], answer["texts"], answer["values"]) == ("done", [], [])
    assert texts(client, "y, x") == ["1"]
    assert evaluated(client, "\nerror('so')", file="a+b.lua")["fault"]["message"] == "a+b.lua:2: so"
    answer = evaluated(client, "\nx = = 1", file="a+b.lua")
    assert (answer["status"], answer["line"]) == ("invalid", 2)
    assert answer["complaint"] == "unexpected symbol near '='"


def test_variables_stay_and_so_do_locals_and_results(client: Client) -> None:
    texts(client, "x = 20")
    texts(client, "local y, z = 1, 2")
    texts(client, "local function twice(n) return 2 * n end")
    assert texts(client, "twice(x) + y + z") == ["43"]
    assert texts(client, "_ + 1") == ["44"]
    assert texts(client, "__") == ["43"]
    assert texts(client, "out[1]") == ["43"]


@pytest.mark.parametrize(
    "source", ["for i = 1, 3 do", "f(", "x =", "--[[", 'return "a" ..', "if x"]
)
def test_what_could_go_on_is_incomplete(client: Client, source: str) -> None:
    assert evaluated(client, source)["status"] == "incomplete"


@pytest.mark.parametrize("source", ["a b", "x = = 1", "end", '"open', "1 +* 2"])
def test_what_cannot_become_lua_is_invalid_and_not_run(client: Client, source: str) -> None:
    answer = evaluated(client, source)
    assert (answer["status"], answer["line"]) == ("invalid", 1)
    assert answer["complaint"]


def test_a_semicolon_mutes_and_an_equals_sign_asks(client: Client) -> None:
    assert evaluated(client, "42;")["muted"]
    assert texts(client, "=42") == ["42"]


def test_an_error_is_told_with_its_kind_and_place(client: Client) -> None:
    fault = evaluated(client, "local t = nil\nreturn t.x")["fault"]
    assert "attempt to index a nil value" in fault["message"]
    assert fault["stack"] == "console:2: in main chunk"
    fault = evaluated(client, 'error(errors.new({ message = "m", kind = "TIMEOUT" }))')["fault"]
    assert (fault["kind"], fault["message"], fault["retryable"]) == ("TIMEOUT", "m", True)
    assert texts(client, "_err:kind()") == ['"TIMEOUT"']


def test_a_pair_of_nil_and_an_error_is_told_like_one(client: Client) -> None:
    answer = evaluated(client, 'queue.publish("app:jbos", 1)')
    assert answer["fault"]["kind"] == "NOT_FOUND"
    assert "did you mean `app:jobs`?" in answer["fault"]["message"]


def test_modules_and_libraries_are_there_and_print_reaches_the_client(client: Client) -> None:
    said: list[str] = []
    source = 'print("sum", require("sums").add(1, 2), (json.encode({ 1 })))'
    client.begin("eval", src=source, on_output=said.append).wait()
    assert said == ["sum\t3\t[1]"]


def test_what_is_too_long_to_print_says_so(client: Client) -> None:
    said: list[str] = []
    client.begin("eval", src='print(("x"):rep(524288 + 7))', on_output=said.append).wait()
    assert said == ["x" * 524288 + "… (7 bytes more)"]


def test_sessions_do_not_see_each_other(clients: Callable[[], Client]) -> None:
    one, other = clients(), clients()
    texts(one, "secret = 1")
    texts(one, "string.upper = 7")
    assert texts(other, "secret, string.upper('a')") == ["nil", '"A"']


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("call", {"function": "spin"}),
        ("call", {"function": "spin", "as_message": True}),
        ("call", {"function": "nap"}),
        ("eval", {"src": 'mq.call("spin")'}),
    ],
)
@pytest.mark.parametrize("end", ["cancel", "hang up"])
def test_a_function_that_was_called_by_hand_ends_with_its_request(
    clients: Callable[[], Client], host: Host, kind: str, fields: dict[str, Any], end: str
) -> None:
    client = clients()
    running = client.begin(kind, **fields)
    until(lambda: bool(host._calls))
    began = time.monotonic()
    if end == "cancel":
        running.cancel()
        running.wait()
        assert client.request("ping") == {"pong": True}
    else:
        client.close()
    until(lambda: not host._calls)
    assert time.monotonic() - began < 5


def test_a_function_that_code_calls_by_hand_ends_when_the_time_of_the_code_is_over(
    client: Client, host: Host
) -> None:
    began = time.monotonic()
    assert evaluated(client, 'mq.call("spin")', timeout=0.2)["status"] == "stopped"
    until(lambda: not host._calls)
    assert time.monotonic() - began < 8


def test_a_session_can_begin_anew(client: Client) -> None:
    texts(client, "x = 1")
    client.request("reset")
    assert texts(client, "x") == ["nil"]


def test_a_loop_is_cancelled_within_50_ms_and_the_host_does_not_notice(
    client: Client, host: Host
) -> None:
    texts(client, "x = 5")
    running = begun(client, "while true do end")
    host.queues.publish(b"app:jobs", b'{"id":1,"total":1}')
    until(lambda: host.report().acked == 1)
    began = time.monotonic()
    running.cancel()
    answer = running.wait()
    took = time.monotonic() - began
    assert (answer["status"], answer["reason"]) == ("stopped", "cancel")
    assert answer["stack"] == "console:1: in main chunk"
    assert took < 0.05
    assert texts(client, "x") == ["5"]


@pytest.mark.parametrize(
    "source",
    [
        "pcall(function() while true do end end)",
        "coroutine.wrap(function() while true do end end)()",
        "time.sleep(1000)",
        'funcs.call("app:spin")',
        "while true do pcall(error) end",
    ],
)
def test_nothing_that_code_does_outlives_a_cancel(client: Client, host: Host, source: str) -> None:
    running = begun(client, source)
    began = time.monotonic()
    running.cancel()
    answer = running.wait()
    assert time.monotonic() - began < 1
    assert answer["status"] in ("stopped", "raised", "done")
    assert texts(client, "1") == ["1"]


def test_what_waits_behind_a_running_request_can_be_cancelled_too(
    client: Client, host: Host
) -> None:
    running = begun(client, "while true do end")
    waiting = client.begin("eval", src="x = 7")
    waiting.cancel()
    assert waiting.wait()["reason"] == "cancel"
    running.cancel()
    running.wait()
    assert texts(client, "x") == ["nil"]


def test_a_statement_has_a_time_limit(client: Client) -> None:
    answer = evaluated(client, "while true do end", timeout=0.05)
    assert (answer["status"], answer["reason"]) == ("stopped", "timeout")


def test_memory_has_a_limit_and_only_the_session_pays(client: Client, host: Host) -> None:
    texts(client, "x = 1")
    # In a block: a local of the session itself would be kept, and leave no room.
    filling = "do local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(100000) .. i end end"
    assert evaluated(client, filling)["status"] in ("stopped", "raised")
    assert texts(client, "x") == ["1"]
    host.queues.publish(b"app:jobs", b'{"id":1,"total":1}')
    until(lambda: host.report().acked == 1)


def test_a_client_that_vanishes_takes_its_code_along(client: Client, server: Server) -> None:
    [session] = server.sessions()
    begun(client, "while true do end")
    assert session.is_busy()
    client.close()
    until(lambda: not session.is_busy(), limit=2)


def test_code_that_nothing_can_stop_costs_the_session_its_state(
    client: Client, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a C function would that never looks up; here, a lent one that does not come back."""
    inside, release = threading.Event(), threading.Event()

    def never_looks_up(*_: object) -> dict[str, str]:
        inside.set()
        release.wait(20)
        return {}

    monkeypatch.setattr("moonq.sandbox.watchdog.ABANDON_AFTER", 0.05)
    monkeypatch.setattr(HostServices, "variables", never_looks_up)
    texts(client, "x = 1")
    running = client.begin("eval", src="env.names()")
    assert inside.wait(10)
    running.cancel()
    answer = running.wait()
    assert (answer["reason"], answer.get("lost")) == ("abandoned", True), answer
    assert texts(client, "x") == ["nil"]
    release.set()


def test_too_many_requests_at_once_are_refused_not_kept(client: Client, host: Host) -> None:
    running = begun(client, "while true do end")
    many = [client.begin("ping") for _ in range(150)]
    running.cancel()
    refused = 0
    for one in many:
        try:
            assert one.wait() == {"pong": True} or one.wait()["status"] == "stopped"
        except Unavailable:
            refused += 1
    assert refused == 50


def test_completion_knows_names_members_and_fields_and_runs_nothing(client: Client) -> None:
    def names(path: str) -> list[str]:
        return [one["name"] for one in client.request("complete", path=path)["items"]]

    texts(client, "shop = { open = true, orders = { 1 } }")
    trap = "trap = setmetatable({}, { __index = function() hit = true end, __pairs = error })"
    texts(client, trap)
    assert names("queue.pub") == ["publish", "publish_batch"]
    assert names("sho") == ["shop"]
    assert names("shop.o") == ["open", "orders"]
    assert names("mq.dead.") == ["all", "drop", "ls", "retry", "show"]
    assert names("trap.x") == []
    assert names("nothing.at.all") == []
    texts(client, 'queue.info("app:idle")')
    assert "ready" in names("_.")
    assert texts(client, "hit") == ["nil"]


def test_the_table_mq_does_what_the_commands_do(client: Client, host: Host) -> None:
    texts(client, 'queue.publish("app:idle", { id = 42 })')
    assert texts(client, 'mq.peek("idle").messages[1].body.id') == ["42"]
    assert texts(client, "mq.status().project") == [f'"{host.project.name}"']
    assert texts(client, 'mq.entry("jobs").kind') == ['"queue.queue"']
    assert texts(client, "#mq.queues(), #mq.consumers()") == ["4", "1"]
    texts(client, 'mq.pause("worker")')
    assert host.consumers["app:worker"].status().paused
    texts(client, 'mq.resume("worker")')
    assert texts(
        client, 'mq.call("work", { id = 1, total = 1 }, { as_message = true }).verdict'
    ) == ['"ack"']


def test_a_guard_against_destruction_sits_in_the_function_itself(
    client: Client, host: Host
) -> None:
    texts(client, 'for i = 1, 3 do queue.publish("app:idle", i) end')
    answer = evaluated(
        client, 'for i = 1, 9 do local _, e = mq.purge("idle") err = e end return nil, err'
    )
    assert "S603" in answer["fault"]["message"]
    assert 'confirm = "app:idle"' in answer["fault"]["message"]
    assert host.queues.info("app:idle").ready == 3
    assert texts(client, 'mq.purge("idle", { confirm = "app:idle" }).dropped') == ["3"]


def test_the_end_of_the_host_ends_who_waits_for_it(client: Client, server: Server) -> None:
    events = client.subscribe("tail")
    running = begun(client, "time.sleep(100)")
    server.stop()
    with contextlib.suppress(HostSilent):
        assert running.wait(5)["status"] == "stopped"
    assert events.next(5) is None
    assert events.ended
