"""Text of others reaches no terminal and no runner of CI as an order: every door, every field."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq import log, views
from moonq.cli.drawing import Lines
from moonq.cli.options import Options
from moonq.cli.reporters import Reporter, Tally, github, junit, machine, plain, pretty
from moonq.cli.streams import Door, doors
from moonq.errors import NotFound
from moonq.log import JsonFormatter, PrettyFormatter
from moonq.operations.verbs import VERBS
from moonq.testing.results import Case, LogLine, Problem, Report, Result
from moonq.testing.sources import SuiteSource
from moonq.text.findings import Source, error
from moonq.text.plain import printed, safe
from moonq.views import Screen

RECORDED = Path(__file__).parent / "documents" / "recorded"
#: Every control character, and every one that turns the direction of text.
CONTROLS = "".join(
    char
    for char in map(chr, range(0x3000))
    if unicodedata.category(char) in ("Cc", "Zl", "Zp")
    or char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
ORDERS = "\n::error file=x::forged\n  ::set-output name=x::y\n##[error]z ##vso[t.x] ##teamcity[y]"
EVIL = f"{CONTROLS}\x1b]0;title\x07\x1b[35mpink\x1b[8mhidden\x9b2J{ORDERS}"
#: What colours of ours begin with: the theme is drawn in 256 of them.
OURS = re.compile(r"\x1b\[(?:[01347]|22|23|24|27|[34]8;5;\d+)(?:;(?:[01347]|[34]8;5;\d+))*m")
SCREENS = [Screen(), Screen(width=60), Screen(width=100, color=True), Screen(color=True)]


def orders_in(text: str) -> list[str]:
    """What of *text* a terminal or a runner would obey."""
    rest = OURS.sub("", text)
    found = [f"U+{ord(char):04X}" for char in rest if char in CONTROLS and char not in "\n\t"]
    found += [line for line in rest.split("\n") if line.lstrip().startswith("::")]
    return found + re.findall(r"##(?:vso|teamcity)?\[", rest)


def evil(value: Any) -> Any:
    """*value* with every text in it, and every name in its maps of free names, made evil."""
    if isinstance(value, dict):
        found = {key: evil(one) for key, one in value.items()}
        for free in ("headers", "fields", "options", "lost"):
            if isinstance(found.get(free), dict):
                found[free][f"key{EVIL}"] = 1 if free == "lost" else f"value{EVIL}"
        return found
    if isinstance(value, list):
        return [evil(one) for one in value]
    placeholders = {"<number>": 1.5, "<integer>": 2, "<boolean>": True}
    if isinstance(value, str):
        return placeholders.get(value, f"{value}{EVIL}")
    return value


def answers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every recorded answer that a view shows."""
    for path in sorted(RECORDED.glob("*.json")):
        recorded = json.loads(path.read_text())
        for found in recorded["out"] if isinstance(recorded["out"], list) else []:
            if isinstance(found, dict) and "schema" in found:
                yield found.pop("schema"), found


VIEWS = {verb.schema: verb for verb in VERBS.values() if verb.schema and verb.view}
ANSWERS = list(answers())
EVENTS = [found for schema, found in ANSWERS if schema == "moonq.event/1"]


def told(lines: Any) -> str:
    """*lines* as a command writes them, without its door."""
    written = io.StringIO()
    views.show(lines, written)
    return written.getvalue()


def check(text: str) -> None:
    """A view itself lets through what begins a line with two colons, and nothing else."""
    assert not [one for one in orders_in(text) if not one.lstrip().startswith("::")], text
    assert not orders_in(safe(text)), text


def test_no_view_passes_on_what_a_terminal_obeys() -> None:
    shown = set()
    for schema, found in ANSWERS:
        verb = VIEWS.get(schema)
        if verb and ("hosts" not in found or verb.view == "hosts"):
            shown.add(schema)
            for screen in SCREENS:
                view = getattr(views, verb.view)
                check(told(view(evil(found), screen, **dict(verb.shown_as))))
                for note, _ in views.notes(evil(found)) if verb.view in views.NOTED else ():
                    check(note)
    assert len(shown) >= 18


@pytest.mark.parametrize("form", ["dot", "mermaid", "tree"])
def test_no_graph_does(form: str) -> None:
    found = next(found for schema, found in ANSWERS if schema == "moonq.graph/1")
    check(told(views.graph(evil(found), Screen(), form=form)))


def test_no_full_message_and_no_host_of_many_does() -> None:
    found = evil(next(one for schema, one in ANSWERS if schema == VERBS["peek"].schema))
    rows = [{"name": EVIL, "pid": 1, "paused": EVIL}, {"name": EVIL, "problem": EVIL}]
    for screen in SCREENS:
        check(told(views.messages(found, screen, full=True)))
        check(told(views.by_host(rows, screen, views.done)))


@pytest.mark.parametrize("output", ["lua", "json", "yaml", "table"])
def test_no_value_does(output: str) -> None:
    for value in (EVIL, {EVIL: EVIL}, [{"id": EVIL, EVIL: [EVIL]}]):
        for screen in SCREENS:
            check(told(views.value(value, screen, output=output)))
            check(told(views.value(value, screen, text=f"return {EVIL}")))


def test_no_event_does() -> None:
    for found in EVENTS:
        for screen in SCREENS:
            check(views.event({**evil(found), "host": EVIL}, screen))
            check(
                views.plain_event({**evil(found), "message": EVIL, "event": "log"} | LOGGED, screen)
            )


LOGGED = {"level": EVIL, "logger": EVIL, "fields": {EVIL: EVIL}}


def test_no_error_does() -> None:
    raised = NotFound(EVIL, hint=EVIL)
    for screen in SCREENS:
        check(told(views.problem(raised, screen)))
        words = {"kind": EVIL, "message": EVIL, "code": EVIL, "stack": EVIL}
        check(told(views.fault(words, screen, EVIL)))
        source = Source(f"{EVIL}.yaml", EVIL * 3)
        finding = error("R1", EVIL, source.span(1, 1, 3, EVIL), help=EVIL, note=EVIL)
        check("\n".join(screen.findings([finding])))


# Commands -------------------------------------------------------------------------------------


class Answering:
    """A host whose every answer is made by others."""

    is_private, is_production, is_partial, name = False, False, False, f"shop{EVIL}"
    among, is_live, silent = (), True, (EVIL,)

    def __init__(self) -> None:
        self.client = self
        self.read_only = False
        self.hello = {"pid": 1, "project": self.name, "profile": EVIL, "name": EVIL}

    def request(self, kind: str, *, on_output: Any = None, **_: Any) -> Any:
        if kind == "eval":
            on_output(EVIL)
            return evil(_EVALUATED) | {"status": "done"}
        found = (one for schema, one in ANSWERS if schema == VERBS[kind].schema)
        return {
            "next": None,
            "consumers": [],
            **evil(max(found, key=lambda one: len(json.dumps(one)), default={})),
        }

    def write(self) -> None:
        """Nothing is asked."""


def texts_of(value: Any) -> Iterator[str]:
    """Every text in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_of(one)


_EVALUATED = {"texts": ["x"], "values": ["x"], "muted": False, "fault": None}
COMMANDS = [
    ["peek", "orders"],
    ["peek", "orders", "--full"],
    ["dead"],
    ["dead", "ls", "orders"],
    ["dead", "show", "orders", "bad"],
    ["ls"],
    ["show", "orders"],
    ["graph"],
    ["call", "process"],
    ["eval", "1"],
    ["queues"],
    ["pause", "orders"],
]


@pytest.mark.parametrize("form", ["--color=always", "--color=never", "--json"])
@pytest.mark.parametrize("typed", COMMANDS, ids=" ".join)
def test_no_command_passes_it_on(
    moonq: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, typed: list[str], form: str
) -> None:
    @contextlib.contextmanager
    def reach(*_: Any, **__: Any) -> Iterator[Answering]:
        yield Answering()

    monkeypatch.setattr("moonq.control.reaching.reach", reach)
    monkeypatch.setattr("moonq.cli.commands.queues._asked", reach)
    said = moonq(*typed, form)
    assert said.code != 70, said.err
    assert not orders_in(said.out), said.out
    assert not orders_in(said.err), said.err
    assert said.out
    if form == "--json" and typed[0] not in ("call", "eval"):
        document = json.loads(said.out)
        assert EVIL in " ".join(texts_of(document))


def test_what_json_escapes_is_the_same_value() -> None:
    written = io.StringIO()
    Door(written).write(json.dumps({EVIL: [EVIL, {"a": EVIL}]}, ensure_ascii=False))
    assert json.loads(written.getvalue()) == {EVIL: [EVIL, {"a": EVIL}]}
    assert not orders_in(written.getvalue())


def test_a_bug_and_a_usage_error_show_no_argument_as_it_is(moonq: Callable[..., Any]) -> None:
    for typed in (["peek", EVIL], ["show", EVIL], ["nothing" + EVIL], ["ls", f"--{EVIL}"]):
        for form in ("--json", "--color=always"):
            said = moonq(form, *typed)
            assert not orders_in(said.out + said.err), said


def test_whoever_writes_to_a_standard_stream_comes_through_the_door(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with doors():
        print(EVIL)
        sys.stderr.write(EVIL)
        sys.stdout.writelines([EVIL])
    # What a view draws has colours, so they pass.
    assert set(orders_in("".join(capsys.readouterr()))) == {"U+001B"}


def test_styles_of_ours_pass_and_what_hides_text_does_not() -> None:
    assert safe("\x1b[1;38;5;163mdead\x1b[0m\n") == "\x1b[1;38;5;163mdead\x1b[0m\n"
    assert safe("\x1b[8mhidden\x1b[2J") == "\\x1b[8mhidden\\x1b[2J"
    assert printed("a\tb\n\x1b[31mc") == "a\tb\n\\x1b[31mc"


# Logs and reporters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formatter", [JsonFormatter(), PrettyFormatter(color=True), PrettyFormatter(width=lambda: 50)]
)
def test_no_log_line_passes_it_on(formatter: logging.Formatter) -> None:
    record = logging.LogRecord(EVIL, logging.INFO, "", 0, EVIL, (), None)
    record.fields, record.entry, record.message_id = {EVIL: {EVIL: EVIL}}, EVIL, EVIL
    try:
        raise ValueError(EVIL)
    except ValueError:
        record.exc_info = sys.exc_info()
    written = io.StringIO()
    handler = log._Handler(written, formatter)
    handler.emit(record)
    assert not orders_in(written.getvalue()), written.getvalue()


def run_of_tests() -> Report:
    line = LogLine("info", EVIL, {EVIL: EVIL, "message_id": EVIL}, EVIL)
    source = Source(EVIL, f"{EVIL}\n{EVIL}")
    problem = Problem(EVIL, EVIL, (EVIL,), 1, source, (EVIL, EVIL), {"error": EVIL}, (line,))
    problem = Problem(EVIL, f"{EVIL}\n{EVIL}", (EVIL,), 1, source, (EVIL,), {}, (line,), (problem,))
    case = Case(EVIL, 1, (EVIL,), EVIL, 3, (EVIL,))
    return Report(
        SuiteSource(Path("/"), Path(f"/{EVIL.replace('/', '')[1:]}"), EVIL),
        (
            Result(case, "failed", problem=problem, logs=(line,)),
            Result(case, "skipped", reason=EVIL),
            Result(case, "passed"),
        ),
    )


def reporter_of(name: str, stream: Any) -> Reporter:
    if name in ("json", "tap"):
        kind = {"json": machine.Json, "tap": machine.Tap}[name]
        return kind(lambda text: stream.write(f"{text}\n"))
    kinds = {"pretty": pretty.Pretty, "plain": plain.Plain, "github": github.Github}
    return kinds[name](Lines(Options(), stream), logs=True)


@pytest.mark.parametrize("name", ["pretty", "plain", "github", "json", "tap"])
def test_no_reporter_of_tests_gives_a_runner_orders_of_a_script(name: str) -> None:
    written = io.StringIO()
    report = run_of_tests()
    reporter = reporter_of(name, Door(written))
    reporter.suite(report)
    reporter.end(Tally([report]), [])
    text = written.getvalue()
    if name == "github":
        *text_lines, annotation = text.rstrip("\n").split("\n")
        assert annotation.startswith("::error file=")
        assert not orders_in(annotation.removeprefix("::"))
        text = "\n".join(text_lines)
    assert not orders_in(text), text
    if name == "json":
        result = json.loads(text.split("\n")[0])
        assert result["name"] == EVIL


def test_no_report_for_machines_holds_what_is_no_text(tmp_path: Path) -> None:
    junit.write(tmp_path / "junit.xml", Tally([run_of_tests()]))
    text = (tmp_path / "junit.xml").read_text()
    assert not [one for one in orders_in(text) if one.startswith("U+")], text


# A whole project --------------------------------------------------------------------------------

BAD = r"\27[2J\27]0;t\7\r\n::error file=x::forged\n##[error]z\194\155\226\128\174"
PROJECT = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: "fail\\e[2J", kind: nothing}
"""
TEST = f"""
local test = require("test")
test.describe("{BAD}", function()
  test.it("{BAD}", function() error("{BAD}") end)
  test.it("equal {BAD}", function() test.eq({{ a = "{BAD}" }}, {{ a = 1 }}) end)
  test.it("{BAD}", function() require("logger").error("{BAD}", {{ ["{BAD}"] = "{BAD}" }}) end)
end)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "_index.yaml").write_text(PROJECT.rpartition("  - ")[0])
    (tmp_path / "bad_test.lua").write_text(TEST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["pretty", "plain", "github", "json", "tap"])
def test_no_test_of_a_script_gives_a_runner_orders(
    moonq: Callable[..., Any], folder: Path, name: str
) -> None:
    said = moonq("test", "--reporter", name, "--show-logs", "--color=always")
    assert said.code == 1, said
    lines = said.out.split("\n")
    ours = [line for line in lines if name == "github" and line.startswith("::error file=bad_test")]
    assert len(ours) == (2 if name == "github" else 0)
    rest = "\n".join(line for line in lines if line not in ours)
    assert not orders_in(rest + said.err), rest


def test_what_code_prints_and_answers_is_written_out(
    moonq: Callable[..., Any], folder: Path
) -> None:
    typed = f'(function() print("{BAD}") return "{BAD}", {{ ["{BAD}"] = 1 }} end)()'
    said = moonq("eval", typed, "--color=always")
    assert said.code == 0
    assert "\\x1b[2J" in said.out
    assert not orders_in(said.out + said.err)
    assert not orders_in("".join(moonq("eval", f'error("{BAD}")')[1:]))


def test_names_in_files_are_written_out(moonq: Callable[..., Any], folder: Path) -> None:
    (folder / "_index.yaml").write_text(PROJECT)
    for form in ("--color=always", "--json"):
        for command in ("check", "ls", "doctor"):
            said = moonq(command, form)
            assert said.code != 70
            assert not orders_in(said.out + said.err), said


def test_hosts_of_others_are_written_out(
    moonq: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evil(next(one for schema, one in ANSWERS if schema == VERBS["status"].schema))
    rows = iter(found["hosts"] * 2)
    monkeypatch.setattr("moonq.cli.commands.status.records", lambda _: ([{}], []))
    monkeypatch.setattr("moonq.cli.commands.status.facts_of", lambda _: next(rows))
    for form in ("--color=always", "--json"):
        said = moonq("status", form)
        assert "forged" in said.out
        assert not orders_in(said.out + said.err), said


def test_no_name_is_offered_to_a_shell_that_it_would_not_take_as_it_is() -> None:
    from moonq.cli.completing import _offer

    names = [
        "order-1",
        "app:jobs",
        "$(reboot)",
        "a b",
        "a;b",
        "-rf",
        "a\x1b[2J",
        "`x`",
        "~/x",
        "a'b",
    ]
    assert [one.value for one in _offer("", [(name, "") for name in names])] == [
        "app:jobs",
        "order-1",
    ]
