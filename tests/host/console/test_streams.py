"""The console without a terminal: data on stdout, talk on stderr, an exit code at the end."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_code_from_the_command_line_is_run_in_order(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "local x = 20", "-e", "x * 2 + 2", "-e", "x;")
    assert said == (0, "42\n", "")


def test_the_command_has_a_second_name(moonq: Run, shop: Path) -> None:
    assert moonq("console", "-C", shop, "-e", '"a", 1.5').out == '1: "a"\n2: 1.5\n'


def test_a_script_on_stdin_runs_statement_by_statement(
    moonq: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "total = 0\nfor i = 1, 4 do\n  total = total + i\nend\n\ntotal\n\\ls *emails\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(script))
    code, out, _ = moonq("repl", "-C", shop)
    assert code == 0
    assert out.splitlines()[0] == "10"
    assert "app:emails  queue.queue" in out


def test_what_fails_is_told_on_stderr_and_by_the_exit_code(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", 'error("boom")', "-e", "1")
    assert said.code == 1
    assert said.out == "1\n"
    assert said.err.startswith("error UNKNOWN  console:1: boom\n")


def test_what_is_no_lua_is_shown_in_a_frame(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "x +* 2")
    assert said.code == 1
    assert "error[P110]: Lua did not expect `*` here" in said.err
    assert "1 │ x +* 2" in said.err


def test_a_file_is_run_too(moonq: Run, shop: Path) -> None:
    (shop / "more.lua").write_text("a = { 1, 2 }\n", encoding="utf-8")
    said = moonq("repl", "-C", shop, "-f", shop / "more.lua", "-e", "#a")
    assert said == (0, "2\n", "")


def test_what_destroys_is_refused_without_anybody_to_ask(moonq: Run, shop: Path) -> None:
    publish = 'queue.publish("app:emails", 1);'
    said = moonq("repl", "-C", shop, "-e", publish, "-e", "\\purge emails", "-e", "\\queues")
    assert said.code == 1
    assert "nobody is there to be asked" in said.err
    assert "app:emails           1 " in said.out


def test_code_that_destroys_must_name_the_queue(moonq: Run, shop: Path) -> None:
    publish = 'queue.publish("app:emails", 1);'
    said = moonq("repl", "-C", shop, "-e", publish, "-e", 'mq.purge("emails")')
    assert "[S603]" in said.err
    confirmed = 'mq.purge("emails", { confirm = "app:emails" }).dropped'
    assert moonq("repl", "-C", shop, "-e", publish, "-e", confirmed).out == "1\n"


def test_a_session_that_only_looks_changes_nothing(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "--read-only", "-C", shop, "-e", 'queue.publish("app:emails", 1)')
    assert said.code == 1
    assert "PERMISSION_DENIED" in said.err
    assert "read-only" in said.err


def test_a_private_host_leaves_its_consumers_off(moonq: Run, shop: Path) -> None:
    script = ["-e", 'queue.publish("app:orders", { total = 1 });', "-e", "mq.consumers()[1].state"]
    assert moonq("repl", "-C", shop, *script).out == '"stopped"\n'
    script[-1] = "for _ = 1, 100 do if mq.status().acked == 1 then break end time.sleep(0.02) end"
    assert moonq("repl", "--start", "-C", shop, *script, "-e", "mq.status().acked").out == "1\n"


def test_a_statement_ends_with_its_time_limit(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "--timeout", "50ms", "-C", shop, "-e", "while true do end")
    assert said.code == 1
    assert said.err.startswith("stopped by its time limit after ")


def test_output_can_be_json(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\set output json", "-e", "{ a = { 1 } }")
    assert said.out == '{\n  "a": [\n    1\n  ]\n}\n'


def test_a_host_that_does_not_run_is_not_replaced_when_it_was_named(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "--attach", shop, "-e", "1")
    assert said.code == 4
    assert "no moonq host is running for shop" in said.err
    assert moonq("repl", "--attach", "999999999", "-e", "1").code == 4


@pytest.mark.usefixtures("running")
def test_a_running_host_is_attached_to(
    moonq: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    own = moonq("repl", "-C", shop, "-e", "mq.status().pid")
    assert own.code == 0
    assert moonq("repl", "--attach", own.out.strip(), "-e", "mq.status().pid").out == own.out
    assert moonq("repl", "--attach", shop, "-e", "mq.status().pid").out == own.out
    private = moonq("repl", "--local", "-C", shop, "-e", "mq.status().pid")
    assert private.out != own.out


def test_a_variable_brings_code_as_one_text(
    moonq: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_REPL_E", "1 + 1")
    assert moonq("repl", "-C", shop).out == "2\n"
