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


@pytest.fixture
def piped(moonq: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Any]:
    """Run a console with a script on its stdin."""

    def run(script: str | bytes, *args: object) -> Any:
        data = script if isinstance(script, bytes) else script.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        return moonq("repl", "-C", shop, *args)

    return run


SUM = """\
local total = 0
for i = 1, 4 do
  if i == 3 then goto continue end
  total = total
    + i
  ::continue::
end
local limit <const> = 5
local function twice(n)

  return n * 2
end
total
  = twice(total)
print(total, limit)
return total
"""


def test_a_script_on_stdin_is_one_chunk_that_shows_what_it_prints(piped: Run) -> None:
    assert piped(SUM) == (0, "14\t5\n", "")


def test_a_script_in_a_file_is_one_chunk_as_lua_takes_it(moonq: Run, shop: Path) -> None:
    file = shop / "sum.lua"
    marks = b"\xef\xbb\xbf#!/usr/bin/env -S moonq repl -f\r\n"
    file.write_bytes(marks + SUM.replace("\n", "\r\n").encode() + b"error('so')\r\n")
    said = moonq("repl", "-C", shop, "-f", file)
    assert (said.code, said.out) == (1, "")
    file.write_bytes(marks + SUM.replace("\n", "\r\n").encode())
    assert moonq("repl", "-C", shop, "-f", file) == (0, "14\t5\n", "")


@pytest.mark.parametrize("odd", ["\u2028", "\f", "\v", "\x1c", "\x85", "\u2029", "\\z\n  "])
def test_no_character_in_a_text_ends_a_line_of_a_script(piped: Run, odd: str) -> None:
    expected = 2 if odd.startswith("\\") else 2 + len(odd.encode())
    assert piped(f'local text = "a{odd}b"\nprint(#text)\n') == (0, f"{expected}\n", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("error('boom')", "error UNKNOWN  {0}:3: boom\n      at {0}:3: in main chunk\n"),
        ("local x = = 1", "error[P110]: Lua did not expect `=` here\n   ┌─ {0}:3:11\n"),
        ("nosuch.field = 1", "error UNKNOWN  {0}:3: attempt to index a nil value"),
    ],
)
def test_what_is_wrong_with_a_script_is_told_with_its_file_and_line(
    moonq: Run, piped: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, line: str, says: str
) -> None:
    script = f"#!/bin/sh\nlocal text = 'a\f\u2028b'\n{line}\n"
    said = piped(script)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(says.format("stdin"))
    monkeypatch.chdir(shop)
    (shop / "odd.lua").write_text(script, encoding="utf-8")
    assert moonq("repl", "-f", "odd.lua").err.startswith(says.format("odd.lua"))


def test_a_line_for_the_prompt_in_a_script_names_what_lua_has_for_it(piped: Run) -> None:
    said = piped("print(1)\n  \\purge emails\nprint(2)\n")
    assert (said.code, said.out) == (1, "")
    assert "`\\purge` is for people at a prompt, and a script has functions instead" in said.err
    assert "write `mq.purge(queue, { confirm = queue })`" in said.err
    assert "stdin:2:3" in said.err
    assert "did you mean \\queues?" in piped("\\queuse\n").err
    assert piped("text = [[\n\\queues\n]]\nprint(#text)\n").out == "8\n"


def test_nothing_runs_behind_what_fails(moonq: Run, shop: Path) -> None:
    (shop / "bad.lua").write_text("print(1) error('boom') print(2)\n", encoding="utf-8")
    (shop / "good.lua").write_text("print(3)\n", encoding="utf-8")
    bad, good = ("-f", shop / "bad.lua"), ("-f", shop / "good.lua")
    assert moonq("repl", "-C", shop, *bad, *good, "-e", "4").out == "1\n"
    said = moonq("repl", "-C", shop, *good, "-e", "5", "-e", 'error("boom")', "-e", "6")
    assert (said.code, said.out) == (1, "3\n5\n")
    assert said.err.startswith("error UNKNOWN  console:1: boom\n")
    for wrong in ("nil, 'no luck'", "x = = 1", "\\nosuch", "\\peek nosuch"):
        said = moonq("repl", "-C", shop, "-e", wrong, "-e", "6")
        assert (said.code, "6" in said.out) == (1, False)
    assert moonq("repl", "-C", shop, "-e", "7", "-e", "\\quit", "-e", "8") == (0, "7\n", "")


def test_a_chunk_on_the_command_line_shows_its_values(moonq: Run, shop: Path) -> None:
    shadow = "local x = 1\nlocal function f() return x end\nlocal x = 2\nreturn f(), x"
    assert moonq("repl", "-C", shop, "-e", shadow).out == "1: 1\n2: 2\n"


@pytest.mark.parametrize("args", [("-f", "bad.lua"), ("-f", "-"), ()])
def test_a_script_that_is_no_text_is_refused_with_the_place(
    piped: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.chdir(shop)
    script = b'x = 1\ny = "\xc3\xa4\xff"\n'
    (shop / "bad.lua").write_bytes(script)
    said = piped(script, *args)
    name = "bad.lua" if "bad.lua" in args else "stdin"
    assert said[:2] == (1, "")
    assert (
        said.err == f"moonq: {name}: line 2, byte 8: 0xff is not UTF-8\n  hint: write it as UTF-8\n"
    )


def test_code_on_the_command_line_that_is_no_text_is_refused(moonq: Run, shop: Path) -> None:
    code = b'x = 1\n"\xff"'.decode(errors="surrogateescape")
    said = moonq("repl", "-C", shop, "-e", "1", "-e", code)
    assert said[:2] == (2, "")
    assert "Invalid value for '-e': it is not UTF-8" in said.err
    said = moonq("eval", "-C", shop, code)
    assert "Invalid value for 'CODE': it is not UTF-8" in said.err


def test_code_of_a_terminal_that_calls_itself_ascii_is_read_as_text(moonq: Run, shop: Path) -> None:
    code = '"Zoë"'.encode().decode("ascii", "surrogateescape")
    assert moonq("eval", "-C", shop, code).out == '"Zoë"\n'


def test_a_script_that_is_not_there_is_no_bug(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-f", shop / "nosuch.lua", "-e", "1")
    assert said[:2] == (4, "")
    assert "nosuch.lua: No such file or directory" in said.err


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
    said = moonq("repl", "-C", shop, "-e", publish, "-e", "\\queues", "-e", "\\purge emails")
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
