"""Python modules from outside of Lua: their findings, dry runs of what calls them, their lives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.checking import check
from moonq.errors import MoonqError, ProjectInvalid
from moonq.host import Host
from moonq.kinds import load
from moonq.operations import overview
from moonq.operations.acting import call_object
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.modules.module import time_of
from moonq.sandbox.watchdog import Guard
from moonq.text.findings import render

from .conftest import until

INDEX = """\
namespace: app
entries:
  - name: bank
    kind: module.python
    source: file://bank.py
    FIELDS
  - {name: mem, kind: queue.driver.memory}
  - {name: mails, kind: queue.queue, driver: mem}
  - name: pay
    kind: function.lua
    source: file://pay.lua
    modules: [funcs, queue]
    imports: {bank: bank}
  - name: deeper
    kind: function.lua
    source: "return function(n) return require('funcs').call('app:pay', n) end"
    modules: [funcs]
"""
BANK = '''\
"""A bank."""
import pathlib, threading
__all__ = ["charge", "wait", "log"]
LOG = pathlib.Path(__file__).with_name("log.txt")
GO = threading.Event()

def log(word):
    with LOG.open("a") as file:
        file.write(word + "\\n")

def open(options):
    log(f"open {options.get('rate', 1)}")

def close():
    log("close")

def charge(cents: int) -> int:
    """Take money."""
    log(f"charge {cents}")
    return cents

def wait(seconds):
    log("wait")
    return GO.wait(seconds)
'''
PAY = """\
local bank, queue = require("bank"), require("queue")
return function(cents)
  queue.publish("mails", "before")
  local paid = bank.charge(cents)
  queue.publish("mails", "after")
  return paid
end
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    def write(fields: str = "max_threads: 2", bank: str = BANK, pay: str = PAY) -> Path:
        (tmp_path / "_index.yaml").write_text(INDEX.replace("FIELDS", fields), "utf-8")
        (tmp_path / "bank.py").write_text(bank, "utf-8")
        (tmp_path / "pay.lua").write_text(pay, "utf-8")
        return tmp_path

    return write


def logged(root: Path) -> list[str]:
    log = root / "log.txt"
    return log.read_text("utf-8").split("\n")[:-1] if log.exists() else []


# What is said before anything runs ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "bank", "code", "place", "words"),
    [
        ("functions: [charge, refnd]", "def charge(x): ...\ndef refund(): ...", "R250",
         "_index.yaml:6:25", "bank.py has no function `refnd`"),
        ("functions: [items]", "def items():\n  yield 1", "R251", "_index.yaml:6:17",
         "`items` of bank.py is a generator"),
        ("functions: [Bank]", "class Bank: ...", "R251", "_index.yaml:6:17", "is a class"),
        ("functions: [RATE]", "RATE = 3", "R251", "_index.yaml:6:17", "is no function"),
        ("functions: [pay]", "def pay(*, cents): ...", "R251", "_index.yaml:6:17",
         "wants `cents` by its name"),
        ("functions: [_pay]", "def _pay(): ...", "R207", "_index.yaml:6:16", "`_pay` is no name"),
        ("max_threads: 1", "def pay(): ...", "R252", "_index.yaml:3:11",
         "add `functions: [pay]` here"),
        ("max_threads: 1", "__all__ = ['pay']", "R250", "_index.yaml:5:13", "no function `pay`"),
        ("max_threads: 1", "def pay(:", "P122", "bank.py:1:9", "bank.py is no Python"),
        ("import: os", "", "R207", "", "either `source` or `import`"),
        ("functions: [pay]\n    options: {a: 1}", "def pay(): ...", "R254", "_index.yaml:7:14",
         "bank.py has no `open`"),
        ("functions: [pay]\n    errors: {KeyError: GONE}", "def pay(): ...", "R207",
         "_index.yaml:7:24", "`errors.KeyError.kind` must be"),
    ],
)  # fmt: skip
def test_a_faulty_module_is_refused_with_its_place_and_never_run(
    project: Callable[..., Path], fields: str, bank: str, code: str, place: str, words: str
) -> None:
    root = project(fields, f"{bank}\nprint('it runs')\n", "return function() end")
    findings = [one for one in check(root, env={}).findings if one.code == code]
    assert findings, render(check(root, env={}).findings)
    drawn = render(findings)
    assert place in drawn
    assert words in drawn


def test_what_only_running_would_tell_is_refused_at_the_start(
    project: Callable[..., Path],
) -> None:
    root = project("functions: [pay]", "pay = (x for x in 'a')", "return function() end")
    with pytest.raises(MoonqError, match="`pay` is no function but of type generator"):
        Host(load(root)).start()


def test_an_import_is_looked_for_where_python_and_the_project_are(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "company_of_this_test").mkdir()
    (tmp_path / "company_of_this_test" / "bank.py").write_text("def pay(): ...\n", "utf-8")

    def written(dotted: str) -> None:
        text = INDEX.replace("source: file://bank.py", f"import: {dotted}")
        (tmp_path / "_index.yaml").write_text(text.replace("FIELDS", "functions: [pay]"), "utf-8")

    project(pay="return function() end")
    written("company_of_this_test.bank")
    load(tmp_path)
    written("company_of_this_test.bnk")
    with pytest.raises(ProjectInvalid) as raised:
        load(tmp_path)
    assert "there is no Python module `company_of_this_test.bnk`" in render(raised.value.findings)


def test_a_script_that_takes_out_what_is_not_lent_is_told_so(project: Callable[..., Path]) -> None:
    root = project(pay="local b = require('bank')\nreturn function() return b.chrge(1) end")
    (finding,) = [one for one in check(root, env={}).findings if one.code == "L312"]
    assert finding.place == ("pay.lua", 2, 28)
    assert finding.message == "`bank` lends no function `chrge`"
    assert finding.helps == ("did you mean `charge`?",)


# Dry runs -----------------------------------------------------------------------------------------


@pytest.fixture
def host(project: Callable[..., Path]) -> Any:
    host = Host(load(project()))
    host.start()
    yield host
    host.stop(timeout=5)


@pytest.mark.parametrize("as_message", [False, True])
@pytest.mark.parametrize("function", ["app:pay", "app:deeper"])
def test_a_dry_run_ends_where_it_needs_the_answer(
    host: Host, function: str, as_message: bool
) -> None:
    found = call_object(host.call(function, "7", send=False, as_message=as_message))
    assert found["unknown_after"] == "would call app:bank.charge(7)"
    assert found["error"] is None
    assert [one["body"] for one in found["would_publish"]] == ['"before"']
    assert found["verdict"] == ("unknown" if as_message else "")
    assert logged(host.project.root) == ["open 1"]


def test_a_dry_run_goes_on_where_stubs_answer(host: Host) -> None:
    stubs = 'require("test").module("bank", { charge = function(c) return 2 * c end })'
    for function in ("app:pay", "app:deeper"):
        found = call_object(host.call(function, "7", send=False, stubs=("s.lua", stubs)))
        assert found["values"] == [14]
        assert found["unknown_after"] is None
        assert len(found["would_publish"]) == 2
    assert logged(host.project.root) == ["open 1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return", ""),
        ("x = = 1", "s.lua:1: unexpected symbol"),
        ("error('no')", "no"),
        ("require('test').stub('bank', 'refund')", "s.lua:1: test.stub: no function 'refund'"),
        ("require('test').queue('mails')", "s.lua:1: this works in tests only"),
        ("while true do end", "s.lua: "),
    ],
)
def test_stubs_that_do_not_load_are_refused_in_words(
    host: Host, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr("moonq.run.calling.stubbed.PATIENCE", 0.5)
    if not words:
        assert host.call("app:pay", "7", send=False, stubs=("s.lua", text)).unknown
        return
    with pytest.raises(MoonqError) as raised:
        host.call("app:pay", "7", send=False, stubs=("s.lua", text))
    assert words in raised.value.message


def test_a_real_dry_run_does_what_is_outside_and_publishes_nothing(host: Host) -> None:
    found = call_object(host.call("app:pay", "7", send=False, real=True))
    assert (found["values"], found["unknown_after"]) == ([7], None)
    assert len(found["would_publish"]) == 2
    assert logged(host.project.root) == ["open 1", "charge 7"]
    assert host.queues.info("app:mails").message_count == 0


# Lives --------------------------------------------------------------------------------------------


def test_a_module_opens_with_the_host_and_closes_with_it(project: Callable[..., Path]) -> None:
    host = Host(load(project("options: {rate: 3}")))
    host.start()
    host.call("app:pay", "1", send=True)
    host.stop()
    assert logged(host.project.root) == ["open 3", "charge 1", "close"]


def test_a_module_that_does_not_open_keeps_the_host_from_starting(
    project: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    bank = BANK.replace('log(f"open', 'raise RuntimeError("no key"); log(f"open')
    with pytest.raises(MoonqError, match="app:bank: open raised RuntimeError: no key"):
        Host(load(project(bank=bank))).start()


ASYNC = """
import asyncio

async def wait(seconds):
    log("wait")
    return await asyncio.to_thread(GO.wait, seconds)
"""


@pytest.mark.parametrize("more", ["", ASYNC], ids=["plain", "async"])
def test_a_reload_replaces_a_changed_file_and_calls_in_flight_finish_on_the_old(
    host: Host, more: str
) -> None:
    root = host.project.root
    (root / "pay.lua").write_text("return require('bank').wait", "utf-8")
    (root / "bank.py").write_text(BANK + more, "utf-8")
    host.reload()
    until(lambda: "close" in logged(root) or not more)
    (root / "log.txt").write_text("open 1\n", "utf-8")
    found: list[Any] = []
    call = threading.Thread(target=lambda: found.append(host.call("app:pay", "9", send=True)))
    call.start()
    until(lambda: "wait" in logged(root))
    old: Any = host.services.modules["app:bank"]
    (root / "bank.py").write_text(BANK.replace("return GO.wait", "return 7, GO.wait"), "utf-8")
    report = host.reload()
    assert report.changed == ("app:bank",)
    assert logged(root) == ["open 1", "wait", "open 1"]
    assert host.call("app:pay", "0", send=True).values == [7, False]
    assert "close" not in logged(root)
    old._module.GO.set()
    call.join()
    assert found[0].values == [True]
    until(lambda: logged(root)[-1] == "close")


def test_a_reload_that_breaks_a_module_changes_nothing(host: Host) -> None:
    root = host.project.root
    (root / "bank.py").write_text(BANK + "\nraise RuntimeError('half done')\n", "utf-8")
    with pytest.raises(MoonqError, match="half done"):
        host.reload()
    assert host.call("app:pay", "7", send=True).values == [7]


def test_a_call_that_is_cut_off_waits_for_nothing(host: Host) -> None:
    root = host.project.root
    (root / "pay.lua").write_text("return require('bank').wait", "utf-8")
    host.reload()
    calls: list[Any] = []
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(host.call("app:pay", "99", send=True, begun=calls.append))
    )
    thread.start()
    until(lambda: "wait" in logged(root))
    calls[0].cut_off()
    thread.join(5)
    assert found[0].fault.message == "stopped (stop)"


@pytest.mark.parametrize(
    ("handlers", "own", "seconds"),
    [(10, None, 9.75), (0.5, None, 0.4), (10, 1, 1), (10, 20, 9.75), (None, 3, 3)],
)
def test_a_call_has_what_its_handler_has_left_less_a_moment_to_say_so(
    handlers: float | None, own: float | None, seconds: float
) -> None:
    caller = Caller(CallContext("app:pay"))
    caller.guard = Guard(None, lambda: None)
    caller.guard.begin(handlers)
    assert time_of(caller, own) == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt"])
def test_what_ends_a_program_ends_one_async_call_alone(
    project: Callable[..., Path], name: str
) -> None:
    bank = f"async def end(): raise {name}('enough')\nasync def go(): return 7\n"
    pay = "local bank = require('bank') return function(name) return bank[name]() end"
    host = Host(load(project("functions: [end, go]", bank, pay)))
    host.start()
    ended = host.call("app:pay", '"end"', send=True).fault
    assert ended is not None
    assert ended.message == f"app:bank.end raised {name}: enough"
    assert host.call("app:pay", '"go"', send=True).values == [7]
    host.stop()


def test_health_names_a_module_whose_threads_are_lost(project: Callable[..., Path]) -> None:
    root = project("max_threads: 1\n    timeout: 20ms", pay="return require('bank').wait")
    host = Host(load(root))
    host.start()
    module: Any = host.services.modules["app:bank"]
    assert host.call("app:pay", "9", send=True).fault.kind == "TIMEOUT"  # type: ignore[union-attr]
    (service,) = [one for one in overview.status(host, None)["services"] if one["id"] == "app:bank"]
    assert service["problem"].startswith("1 of 1 threads lost: app:bank.wait for 0s")
    module._module.GO.set()
    until(lambda: not module.health())
    host.stop()


def test_what_comes_too_late_is_dropped_and_logged(
    project: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    root = project("max_threads: 1\n    timeout: 20ms", pay="return require('bank').wait")
    host = Host(load(root))
    host.start()
    host.call("app:pay", "9", send=True)
    module: Any = host.services.modules["app:bank"]
    module._module.GO.set()
    until(lambda: not module.health())
    said = [one.getMessage() for one in caplog.records if one.name == "moonq.modules"]
    assert said
    assert said[0].startswith("app:bank.wait returned 0.")
    assert said[0].endswith("after its caller had gone; that is dropped")
    host.stop()


def test_the_traceback_of_an_exception_is_in_the_log_only(
    project: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    bank = BANK.replace("return cents", "raise RuntimeError('out of paper')")
    pay = "return function(n) return require('bank').charge(n) end"
    host = Host(load(project(bank=bank, pay=pay)))
    host.start()
    fault = host.call("app:pay", "9", send=True).fault
    host.stop()
    assert fault is not None
    assert "bank.py" not in json.dumps(fault._asdict())
    assert any("out of paper" in (one.exc_text or str(one.exc_info)) for one in caplog.records)


# For people -------------------------------------------------------------------------------------


@pytest.fixture
def cli(project: Callable[..., Path], moonq: Callable[..., Any]) -> Callable[..., Any]:
    root = project()

    def run(*arguments: object) -> Any:
        return moonq(arguments[0], "-C", root, *arguments[1:])

    return run


def test_a_call_by_hand_says_after_what_nothing_is_known(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    said = cli("call", "pay", '{"note": "a\\u0000", "list": [1, true, null]}')
    assert said.code == 0
    assert (
        "outcome        unknown after: would call app:bank.charge({ list = { 1, true, json.null }, "
        'note = "a\\u0000" })'
    ) in said.out
    assert logged(tmp_path) == []  # it is not even opened


def test_a_real_call_asks_first(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("call", "pay", "7", "--real").code == 7
    assert logged(tmp_path) == []
    said = cli("call", "pay", "7", "--real", "--yes")
    assert "returned       7" in said.out
    assert logged(tmp_path) == ["open 1", "charge 7", "close"]


def test_a_call_may_be_given_stubs(cli: Callable[..., Any], tmp_path: Path) -> None:
    stubs = tmp_path / "stubs.lua"
    stubs.write_text('require("test").stub("bank", "charge", function() return 3 end)', "utf-8")
    assert "returned       3" in cli("call", "pay", "7", "--stub", stubs).out
    stubs.write_text("local = 1", "utf-8")
    said = cli("call", "pay", "7", "--stub", stubs)
    assert "stubs.lua:1: <name> expected near '='" in said.err
    assert cli("call", "pay", "7", "--stub", tmp_path / "none.lua").code == 2


def test_type_hints_and_docstrings_are_the_help(cli: Callable[..., Any]) -> None:
    help_ = cli("repl", "-e", "?bank.charge").out
    assert "bank.charge(cents) -> integer|nil, errors.Error|nil" in help_
    assert "Take money." in help_
    assert "A bank." in cli("repl", "-e", "?bank").out
    annotations = cli("show", "bank", "--field", "annotations").out
    assert "---@param cents integer\n---@return integer|nil\n" in annotations
    assert "function bank.wait(seconds) end" in annotations
