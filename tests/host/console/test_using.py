"""Commands about the console itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from moonq import views
from moonq.console import commands, settings, toolbar
from moonq.console.terminal import Terminal
from moonq.errors import Invalid
from moonq.views import Screen

Run = Callable[..., Any]


def test_a_session_is_saved_as_lua_and_loaded_again(moonq: Run, shop: Path) -> None:
    script = ["-e", "x = 20", "-e", "x = x + 1", "-e", "\\save kept.lua"]
    moonq("repl", "-C", shop, *script)
    assert (shop / "kept.lua").read_text() == "x = 20\nx = x + 1\n"
    assert moonq("repl", "-C", shop, "-e", "\\load kept.lua", "-e", "x").out == "21\n"


def test_lua_s_own_libraries_can_be_required(moonq: Run, shop: Path) -> None:
    script = ["-e", 'require("string") == string', "-e", 'require("math").pi > 3']
    assert moonq("repl", "-C", shop, *script).out == "true\ntrue\n"


def test_a_session_is_saved_as_a_test_that_runs(moonq: Run, shop: Path) -> None:
    script = ["-e", 'local uuid = require("uuid")', "-e", "uuid.v4()", "-e", "for i = 1, 2 do end"]
    said = moonq("repl", "-C", shop, *script, "-e", "\\save test/typed_test.lua")
    assert said.code == 0
    assert 'test.describe("typed"' in (shop / "test" / "typed_test.lua").read_text()
    assert moonq("test", "-C", shop).code == 0


TYPED = [
    "total = 1",
    "a, b = 2, 3",
    "function double(n) return 2 * n end",
    "total = double(total) + a",
    "1 + 1 -- a remark",
    "local t = { name = 'x' } return t, 2",
    "return",
    "t.name = 'y'",
    "for i = 1, 2 do total = total + i end",
    'queue.publish("app:orders", { total = total })',
    'mq.peek("orders")',
    'queue.info("app:orders").ready',
    "_ == 1 or error('nothing there')",
    "=total",
    "logger.info('so', { total = total });",
]


def test_whatever_was_typed_is_saved_as_a_test_that_runs(moonq: Run, shop: Path) -> None:
    script = [part for text in TYPED for part in ("-e", text)]
    assert moonq("repl", "-C", shop, *script, "-e", "\\save test/all_test.lua").code == 0
    said = moonq("test", "-C", shop)
    assert said.code == 0, said.out
    text = (shop / "test" / "all_test.lua").read_text()
    assert "-- only in a session: mq.peek" in text
    assert "    local _, a, b, double, total\n" in text


def test_whatever_was_typed_is_saved_as_a_file_that_loads(moonq: Run, shop: Path) -> None:
    script = [part for text in TYPED for part in ("-e", text)]
    assert moonq("repl", "-C", shop, *script, "-e", "\\save all.lua").code == 0
    said = moonq("repl", "-C", shop, "-e", "\\load all.lua", "-e", "total")
    assert (said.code, said.out) == (0, "7\n")


def test_the_last_value_goes_through_a_shell_command(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "{ ready = 3 };", "-e", "\\pipe tr a-z A-Z")
    assert said.out == '{"READY": 3}\n'


def test_a_program_is_not_given_what_json_cannot_carry(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "{ a = { print } };", "-e", "\\pipe cat")
    assert said[:2] == (1, "")
    assert "value.a[1] is a function, which JSON cannot carry" in said.err


def test_a_file_that_is_loaded_is_one_chunk(moonq: Run, shop: Path) -> None:
    (shop / "kept.lua").write_text("local a = 1\nprint(a)\n::top::\nb = a\n", encoding="utf-8")
    assert moonq("repl", "-C", shop, "-e", "\\load kept.lua", "-e", "type(a), b").out == (
        '1\n1: "nil"\n2: 1\n'
    )
    (shop / "kept.lua").write_bytes(b"-- \xff\n")
    said = moonq("repl", "-C", shop, "-e", "\\load kept.lua")
    assert "kept.lua: line 1, byte 4: 0xff is not UTF-8" in said.err


def test_a_pipe_without_a_value_says_what_to_do(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\pipe cat")
    assert said.code == 1
    assert "write \\pipe jq .ready after a value" in said.err


def test_settings_are_listed_and_wrong_ones_refused(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\set", "-e", "\\set outptu json")
    assert "output  lua   how values are printed" in said.out
    assert "did you mean `output`?" in said.err
    said = moonq("repl", "-C", shop, "-e", "\\set output x")
    assert "choose from lua, json, yaml, table" in said.err


def test_output_formats_follow_each_other(moonq: Run, shop: Path) -> None:
    script = ["-e", "\\x", "-e", "\\x", "-e", "{ a = 1 }", "-e", "\\x", "-e", "{ { a = 1 } }"]
    assert moonq("repl", "-C", shop, *script).out == "a: 1\na\n1\n"


def test_commands_explain_themselves(moonq: Run, shop: Path) -> None:
    listed = moonq("repl", "-C", shop, "-e", "\\?").out
    for name, command in commands.COMMANDS.items():
        assert f"\\{command.usage}" in listed, name
        assert command.about in listed, name
    assert moonq("repl", "-C", shop, "-e", "?watch").out.startswith("\\watch [2s] EXPR | off\n")
    for asked in ("\\purge?", "\\? \\purge", "\\help \\purge"):
        told = moonq("repl", "-C", shop, "-e", asked).out
        assert "in Lua: mq.purge(queue, { confirm = queue })" in told


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize(("command", "part"), [("\\?", "\\purge QUEUE"), ("\\set", "timing  off")])
def test_lists_of_the_console_fit_the_terminal(command: str, part: str, width: int) -> None:
    shown: list[str] = []
    face = SimpleNamespace(screen=lambda: Screen(width=width), show=shown.extend)
    console: Any = SimpleNamespace(face=face, settings=settings.defaults())
    commands.run(console, command)
    assert max(map(len, shown)) <= width
    assert any(part in line for line in shown)
    # One or two lines for each at 80, not a narrow column beside the longest usage.
    assert len(shown) * width < 80 * 2 * len(commands.COMMANDS)


def test_a_command_says_how_it_is_typed_when_words_are_missing_or_too_many() -> None:
    for typed, given in (("\\save", "0 arguments"), ("\\x lua", "1 argument")):
        with pytest.raises(Invalid, match=f"^{given} given\n"):
            commands.run(cast("Any", None), typed)


def test_what_is_said_on_a_terminal_wraps_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(terminal, "screen", lambda: Screen(width=24))
    terminal.notice("your session has its own Lua state\nCtrl-D leaves")
    said = capsys.readouterr().out
    assert said == "your session has its own\nLua state\nCtrl-D leaves\n"


def test_the_toolbar_leaves_off_whole_parts() -> None:
    queues = [{"id": f"app:q{number}", "ready": number} for number in range(9)]
    live = SimpleNamespace(heard=1.0, numbers={"queues": queues}, tails=True)
    client = SimpleNamespace(hello={"project": "shop", "profile": "dev"}, read_only=False)
    console: Any = SimpleNamespace(
        live=live,
        client=client,
        is_production=False,
        attached=SimpleNamespace(is_private=False, called="shop"),
        face=SimpleNamespace(screen=Screen),
    )
    whole = toolbar.line(console, 200, now=1.0)
    assert whole.split(" │ ")[1:3] == ["q8 8  q7 7  q6 6  q5 5  +5  dead 0", "1 tail"]
    for room in range(30, 90):
        line = toolbar.line(console, room, now=1.0)
        assert len(line) <= room
        assert set(line.split(" │ ")[:-1]) <= set(whole.split(" │ "))
        assert "q8 8  q7" not in line or "dead 0" in line


def test_the_toolbar_takes_no_unknown_count_for_zero() -> None:
    queues = [
        {"id": "app:known", "ready": 0, "dead_letter": "app:known.dead"},
        {"id": "app:vague", "dead_letter": "app:vague.dead"},
        {"id": "app:known.dead", "ready": 2},
        {"id": "app:vague.dead"},
    ]
    assert toolbar._depths({"queues": queues}).startswith("vague ")
    assert toolbar._depths({"queues": queues}).endswith("known 0  dead 2+!")
    assert toolbar._depths({"queues": [queues[3], *queues[:2]]}).endswith("dead 0+!")


def test_a_number_of_messages_is_one_that_can_be_counted(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\peek emails 1", "-e", "\\peek emails ²")
    assert said.code == 1
    assert "'²' is no number" in said.err
    assert "nothing to see" in said.out


def test_an_entry_and_what_refers_to_it_are_shown(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\show worker", "-e", "\\graph worker")
    assert "app:worker  queue.consumer  _index.yaml:6" in said.out
    assert "├─ queue  app:orders  queue.queue" in said.out
    assert "└─ func  app:process  function.lua" in said.out


def test_a_function_is_called_with_a_lua_literal_and_sends_nothing(moonq: Run, shop: Path) -> None:
    call = '\\call "process" { id = 7, total = 1 }'
    said = moonq("repl", "-C", shop, "-e", call)
    assert said.out.startswith("returned ")
    assert 'would publish  app:emails  {"order_id":7}' in said.out
    said = moonq("repl", "-C", shop, "-e", f"{call} --as-message", "-e", "\\peek emails")
    assert said.out.startswith("would ack")
    assert 'would publish  app:emails  {"order_id":7}' in said.out
    assert "app:emails · 0 ready · nothing to see" in said.out


def test_text_of_a_terminal_that_calls_itself_ascii_is_still_text(moonq: Run, shop: Path) -> None:
    typed = '"Zoë"'.encode().decode("ascii", "surrogateescape")
    assert moonq("repl", "-C", shop, "-e", typed).out == '"Zoë"\n'


def test_a_value_is_shown_as_deep_as_it_is_set(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\set depth 1", "-e", "{ a = { b = { c = 1 } } }")
    assert said.out == "{ a = { --[[deeper than 1]] } }\n"
    said = moonq("repl", "-C", shop, "-e", "\\set depth 0")
    assert "choose from 8, 1..50" in said.err


def test_a_bench_says_how_often_how_long_and_what_memory(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "mq.bench(function() return { 1 } end, 0.01)")
    for name in ("runs", "mean", "quickest", "slowest", "cpu", "bytes"):
        assert f"{name} = " in said.out
    bench = {"runs": 1000, "seconds": 1.0, "mean": 1e-3, "quickest": 5e-4, "slowest": 0.02}
    text = "\n".join(views.bench({**bench, "cpu": 2e-6, "bytes": 72.4}, Screen()))
    assert "1 000 runs in 1.0 s · 1 000 a second" in text
    assert "2.00 µs of it" in text
    assert "72 B allocated" in text


def test_a_bench_of_what_fails_shows_why(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\bench error('so')")
    assert "console:1: so" in said.err
    assert "write \\bench CODE" in moonq("repl", "-C", shop, "-e", "\\bench 1 +").err


def test_a_trace_is_a_call_that_shows_its_lines(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\trace process { id = 1, total = 2 }")
    assert 'logger.info("processing", { order = order.id })' in said.out
    assert "would publish" in said.out
    assert "write \\trace FUNCTION" in moonq("repl", "-C", shop, "-e", "\\trace").err


def test_an_editor_needs_a_terminal(moonq: Run, shop: Path) -> None:
    said = moonq("repl", "-C", shop, "-e", "\\edit process")
    assert "there is no terminal for \\edit" in said.err


@pytest.mark.usefixtures("running")
def test_what_is_saved_in_the_editor_is_run_or_reloaded(
    console: Callable[..., Any], shop: Path
) -> None:
    editor = shop.parent / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/20/22/; s/processing/handling/' \"$1\"\n")
    editor.chmod(0o755)
    screen = console(EDITOR=str(editor), VISUAL="")
    screen.enter("20 * 2")
    screen.shows(r"^40$")
    screen.enter("\\edit")
    screen.shows(r"^22 \* 2\n44$")
    screen.enter("\\edit process")
    screen.shows(r"changed  app:process")
    assert "handling" in (shop / "process.lua").read_text()
    screen.enter("\\edit process")
    screen.shows(r"is as it was")
