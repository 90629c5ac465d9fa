"""What the prompt shows while somebody types."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from .screen import Screen

pytestmark = pytest.mark.aside("terminal")

Start = Callable[..., Screen]


def test_incomplete_lua_goes_on_and_a_whole_block_runs(console: Start) -> None:
    screen = console()
    screen.enter("for i = 1, 3 do")
    screen.shows(r"^   …$")
    screen.enter("print(i * 2)")
    screen.shows(r"^   …    print\(i \* 2\)\n   …$")
    screen.enter("end")
    screen.shows(r"^2\n4\n6\nshop>")
    screen.press("Up")
    screen.shows(r"^shop> for i = 1, 3 do\n   …    print\(i \* 2\)\n   …    end\n\s*\n")


def test_invalid_lua_stays_until_a_second_enter(console: Start) -> None:
    screen = console()
    screen.enter("x +* 2")
    screen.shows(r"Lua did not expect `\*` here.*Enter again runs it anyway")
    screen.press("Enter")
    screen.shows(
        r"^error\[P110\]: Lua did not expect `\*` here\n   ┌─ console:1:4\n 1 │ x \+\* 2\n"
    )
    screen.enter("x += 1")
    screen.shows(r"write `x = x \+ 1`: Lua has no `\+=`")
    # The caret stands at the mistake: what is typed now mends it.
    screen.press("Home", "C-k")
    screen.enter("x = 5")
    screen.enter("x")
    screen.shows(r"^5$")


def test_what_is_pasted_shows_the_value_of_its_last_line(console: Start) -> None:
    screen = console()
    screen.paste("local total = 0\nfor i = 1, 4 do\n\ttotal = total + i\nend\n\ntotal * 2\n")
    screen.press("Enter")
    screen.shows(r"^20$")
    screen.enter("total")
    screen.shows(r"^10$")


def test_tabs_that_are_pasted_stay_tabs(console: Start) -> None:
    screen = console()
    screen.paste('text = "a\tb"\nif text then\n\tprint(#text, text:byte(2))\nend')
    screen.shows(r"^   …\s+print")
    screen.press("Enter")
    screen.shows(r"^3\s+9$")
    screen.press("Up")
    screen.shows(r"^   …\s+print")
    screen.press("Enter")
    screen.shows(r"^3\s+9\n[\s\S]*^3\s+9$")
    assert "^I" not in screen.text()


def test_tabs_stay_tabs_where_a_terminal_does_not_say_what_is_pasted(console: Start) -> None:
    screen = console()
    screen.type("lines = [[\n\tx\n]]\n")
    screen.enter("lines == '\\tx\\n'")
    screen.shows(r"^true$")


def test_values_can_be_pasted_back_and_are_remembered(console: Start) -> None:
    screen = console()
    screen.enter('{ name = "Ada", list = { 1, 2 } }')
    screen.shows(r'^{ list = { 1, 2 }, name = "Ada" }$')
    screen.enter("_.name, 2")
    screen.shows(r'^1: "Ada"\n2: 2$')
    screen.enter("= 40 + 2;")
    screen.enter("_ * 2")
    screen.shows(r"^84$")
    screen.enter("out[1].list[2], __")
    screen.shows(r"^1: 2\n2: 42$")


def test_an_error_value_is_a_block_of_its_own(console: Start) -> None:
    screen = console()
    screen.enter('queue.publish("app:ordrs", {})')
    screen.shows(r"^nil\nerror NOT_FOUND \(not retryable\)  .*app:ordrs")
    screen.enter("_err:kind()")
    screen.shows(r'^"NOT_FOUND"$')


def test_a_global_that_is_not_there_is_answered_with_what_was_meant(console: Start) -> None:
    screen = console()
    screen.enter("quueue.info('letters')")
    screen.shows(r"^      help: did you mean `queue`\?")


def test_names_of_queues_are_offered_with_their_depths(console: Start) -> None:
    screen = console()
    screen.enter('queue.publish("app:emails", 1)')
    screen.shows(r"● shop .*emails 1")
    screen.type('queue.info("em')
    screen.shows(r"app:emails\s+1 ready")
    screen.shows(
        r"queue\.info\(queue_id\) -> queue\.Info\|nil, errors\.Error\|nil · The numbers of"
    )
    screen.press("Tab", "Enter")
    screen.enter('").ready')
    screen.shows(r"^1$")


def test_fields_of_the_last_value_are_offered_and_no_code_of_theirs_runs(console: Start) -> None:
    screen = console()
    screen.enter("ran = 0")
    screen.enter(
        "setmetatable({ alpha = 1 }, { __index = function() ran = ran + 1 end, "
        "__pairs = function() ran = ran + 1 end })"
    )
    screen.shows(r"alpha = 1")
    screen.type("_.al")
    screen.shows(r"_\.alpha\s+number")
    screen.press("C-c", "C-c")
    screen.enter("ran")
    screen.shows(r"^shop> ran\n0$")


def test_ctrl_c_clears_the_line_and_keeps_it_as_a_draft(console: Start) -> None:
    screen = console()
    screen.type("a_draft_of_mine")
    screen.shows(r"^shop> a_draft_of_mine")
    screen.press("Escape")
    screen.press("C-c")
    screen.shows(r"^shop>$")
    screen.press("Up")
    screen.shows(r"^shop> a_draft_of_mine")


def test_help_says_what_the_annotations_say(console: Start) -> None:
    screen = console()
    screen.enter("?queue.info")
    screen.shows(
        r"^queue\.info\(queue_id\) -> queue\.Info\|nil, errors\.Error\|nil\nThe numbers of a"
    )
    screen.enter("\\peek?")
    screen.shows(r"^  in Lua: mq\.peek\(queue, { limit = n }\)")
    screen.enter("\\pek")
    screen.shows(r"did you mean \\peek\?")


def test_the_history_is_private_and_forgets_what_begins_with_a_space(
    console: Start, tmp_path: Path
) -> None:
    screen = console()
    screen.enter(" secret = 1")
    screen.enter("kept = 2")
    screen.enter("secret + kept")
    screen.shows(r"^3$")
    file = tmp_path / "state" / "moonq" / "shop.history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "kept = 2" in file.read_text()
    assert "secret = 1" not in file.read_text()


def test_production_is_spelled_out_and_only_looked_at(console: Start, shop: Path) -> None:
    (shop / "moonq.yaml").write_text("production: true\n", encoding="utf-8")
    screen = console()
    screen.shows(r"^shop!prod ro>")
    screen.shows(r"● shop PRODUCTION  private  ro")
    screen.enter('queue.publish("app:emails", 1)')
    screen.shows(r"^error PERMISSION_DENIED .*\s.*read-only")
    screen.enter("\\write")
    screen.shows(r"change things on shop \(production\)\? The host logs it")
    screen.enter("y")
    screen.shows(r"^shop!prod>")
    screen.enter('queue.publish("app:emails", 1)')
    screen.shows(r"published to app:emails")
    screen.enter("\\purge emails")
    screen.shows(r"^type the queue name to confirm:")
    screen.enter("orders")
    screen.shows(r"^nothing was done")
    screen.enter("\\purge emails")
    screen.shows(r"nothing was done[\s\S]*type the queue name to confirm:")
    screen.enter("emails")
    screen.shows(r"^purged 1 · undo: moonq publish app:emails --ndjson ")
    screen.shows(r"^saved  [\s\S]*, kept 7 days\)$")


def test_a_thousand_log_lines_a_second_leave_the_prompt_usable(console: Start, shop: Path) -> None:
    (shop / "process.lua").write_text(
        """
        local logger = require("logger")
        local time = require("time")
        return function()
          for second = 1, 100 do
            for line = 1, 100 do
              logger.info("flood", { line = line })
            end
            time.sleep(0.1)
          end
        end
        """,
        encoding="utf-8",
    )
    screen = console("--start")
    screen.enter('queue.publish("app:orders", 1)')
    screen.shows(r"… \d+ more lines in 100 ms", limit=10)
    screen.enter("6 * 7")
    screen.shows(r"^42$", limit=5)
    shown = screen.text().count("flood")
    assert shown < 3000, "the lines were not held back"
    screen.enter("\\quit")
    screen.shows(r"message in flight; leave\? \[y/N\]")
    screen.enter("y")
    screen.shows(r"code 0$")


def test_the_dashboard_can_be_looked_at_in_between(console: Start) -> None:
    screen = console()
    screen.enter("\\top")
    screen.shows(r"moonq top .* shop")
    screen.shows(r"QUEUE .*READY")
    screen.press("q")
    screen.shows(r"● shop")
    screen.enter("6 * 7")
    screen.shows(r"^42$")


def test_a_value_can_be_watched_below_the_prompt(console: Start) -> None:
    screen = console()
    screen.enter("kept = 5")
    screen.enter("kept")
    screen.enter("\\watch 200ms queue.info('app:emails').ready")
    screen.shows(r"watch every 200ms: .*close ─+\n0\n ● shop")
    screen.enter('queue.publish("app:emails", 1);')
    screen.shows(r"close ─+\n1\n ● shop")
    screen.enter("#_")
    # Before the prompt is there Ctrl-C is for what runs.
    screen.shows(r"^36\nshop>")
    screen.press("C-c")
    screen.enter("\\watch off")
    screen.shows(r"^nothing is watched")


def test_what_is_longer_than_the_screen_goes_through_a_pager_that_was_asked_for(
    console: Start, tmp_path: Path
) -> None:
    screen = console(PAGER=f"tee {tmp_path / 'paged'}")
    screen.enter("\\set pager less")
    screen.enter("?test")
    screen.shows(r"test\.describe\s+Groups tests under a name")
    screen.enter("\\set pager off")
    assert "test.describe" in (tmp_path / "paged").read_text()
    screen.enter("6 * 7")
    screen.shows(r"^42$")


def test_events_appear_above_what_is_being_typed(console: Start) -> None:
    screen = console("--start", "-q")
    screen.enter("\\tail orders --event ack,dead")
    screen.shows(r"events appear above the prompt")
    screen.shows(r"│ 1 tail │")
    screen.enter('queue.publish("app:orders", { total = -1 }); queue.publish("app:orders", 1)')
    screen.type("half a li")
    screen.shows(r"dead +app:orders  \S+…\S+  try 1  max_attempts  UNKNOWN\s+negative total")
    screen.shows(r"^shop> half a li$")
    screen.press("C-c", "C-c")
    screen.enter("\\tail off")
    screen.shows(r"^there was no tail")


def test_colours_are_there_unless_they_are_refused(console: Start) -> None:
    screen = console()
    screen.enter('error("x")')
    screen.shows(r"^error UNKNOWN")
    assert not re.search(r"\x1b\[[0-9;]+merror", screen.raw())
    screen.press("C-d")
    screen.shows(r"code 0")


def test_colours_tell_an_error_and_lua_apart(console: Start) -> None:
    screen = console(NO_COLOR="", FORCE_COLOR="1")
    screen.enter('error("x")')
    screen.shows(r"^error UNKNOWN")
    assert re.search(r"\x1b\[[0-9;]+merror UNKNOWN\x1b\[", screen.raw())


def test_a_terminal_without_a_moving_cursor_is_told_what_is_wrong(
    shop: Path, screen: Screen
) -> None:
    screen.start("repl", "-C", shop, TERM="dumb")
    screen.shows(r"^shop>")
    screen.enter("x +* 2")
    screen.shows(r"^error\[P110\]: Lua did not expect `\*` here")
    screen.enter("\\top")
    screen.shows("use `moonq top --once`")


def test_the_prompt_says_which_profile_it_is_in(console: Start, shop: Path) -> None:
    (shop / "moonq.yaml").write_text(
        "profiles: {staging: {}, eu: {production: true}}\n", encoding="utf-8"
    )
    screen = console("--profile", "staging")
    screen.shows(r"private host of shop \(profile staging\)")
    screen.shows(r"^shop:staging>")
    screen.shows(r"● shop staging  private  rw")
    screen.press("C-d")
    screen = console(MOONQ_PROFILE="eu")
    screen.shows(r"^shop!prod:eu ro>")
    screen.shows(r"● shop PRODUCTION eu  private  ro")
