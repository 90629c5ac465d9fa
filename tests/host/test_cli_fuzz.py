"""Any bytes in any argument of any command: an answer and a code, never a bug, never a hang."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moonq.cli import COMMANDS
from moonq.cli import moonq as group
from moonq.cli.failures import guarded
from moonq.cli.options import Options
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.host import Host
from moonq.kinds import load

PROJECT = """\
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite, path: q.db, durability: normal}
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: file, retry: {max_attempts: 1}}
  - {name: notes, kind: queue.queue, driver: mem}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: "return function(x) return x end"}
"""
#: Options that make a command go on until it is told to end.
ENDLESS = {"--watch", "--start", "--wait", "--rate"}
#: Seconds after which a command hangs.
LIMIT = 30

ODD = st.sampled_from(
    ["", "-", "--", "=", "=1", "%s", "{", "[[", "[" * 9_000, "{{}", "9" * 400, "1e999", "nan", "-1",
     "0", "5s", "\udcff", "a\udcfe=\udcff", "\x1b[2J", "é", "💥", "app:", ":jobs", "a:b:c", "None",
     "\\ls", "@", ".", "q.db", "_index.yaml", "x" * 5_000]
)  # fmt: skip
GOOD = st.sampled_from(
    ["jobs", "app:jobs", "notes", "worker", "work", "file", "1", '{"a":1}', "{ a = 1 }", "a=1", "3",
     "1s", "queue", "return 1", "bash", "name"]
)  # fmt: skip
# Without what leads out of the test's own folder, and without what no argument can hold.
BYTES = st.binary(max_size=12).map(
    lambda data: os.fsdecode(data.replace(b"/", b"\\").replace(b"\0", b"\1").replace(b"..", b"."))
)
WORD = ODD | GOOD | BYTES


def words_of(name: str) -> st.SearchStrategy[list[str]]:
    """Command lines of one command: its arguments and some of its options, with any values."""
    command = group.get_command(click.Context(group), name)
    if isinstance(command, click.Group):
        members = sorted(command.commands.items())
        return st.one_of([_line([name, member], one) for member, one in members])
    assert command is not None
    return _line([name], command)


def _line(path: list[str], command: click.Command) -> st.SearchStrategy[list[str]]:
    parts = [st.just(path)]
    options = []
    for one in command.params:
        if isinstance(one, click.Option) and not ENDLESS & set(one.opts):
            flag = st.just([one.opts[-1]])
            options.append(flag if one.is_flag else flag.flatmap(_with_word))
        elif isinstance(one, click.Argument):
            most = 1 if one.required else 2
            parts.append(st.lists(WORD, min_size=int(one.required), max_size=most))
    if path == ["run"]:
        parts.append(st.just(["--until-idle", "--idle-timeout", "100ms", "--socket", "none"]))
    if path == ["top"]:
        parts.append(st.just(["--once"]))  # --json goes on for as long as the host
    if path == ["doctor"]:
        # With a driver that exists it takes seconds, and other tests see to that.
        parts.append(st.just(["--driver", "app:\udcff"]))
    parts.append(st.lists(st.one_of(options), max_size=3).map(_joined))
    return st.tuples(*parts).map(_joined)


def _joined(lists: Iterable[list[str]]) -> list[str]:
    return list(chain.from_iterable(lists))


def _with_word(flag: list[str]) -> st.SearchStrategy[list[str]]:
    return WORD.map(lambda word: [*flag, word])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "project").mkdir()
    # A short name, for a socket.
    (tmp_path / "runtime").mkdir()
    (tmp_path / "project" / "_index.yaml").write_text(PROJECT)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.chdir(tmp_path / "project")

    def hangs(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    yield tmp_path
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


Check = Callable[[list[str], bytes], None]


@pytest.fixture
def check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Run one command line; a bug, a traceback or a hang fails."""

    def check(words: list[str], stdin: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        # As `use_standard_streams` makes them.
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace") for _ in "oe")
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        code = guarded(words, Options())
        signal.setitimer(signal.ITIMER_REAL, 0)
        err.seek(0)
        said = err.read()
        assert code in {*range(11), 130}, said
        assert "Traceback" not in said

    return check


@pytest.fixture
def host(folder: Path) -> Iterator[None]:
    """A host of the project, with its socket."""
    host = Host(load(folder / "project"))
    server = Server(host, place_of(folder / "project"), lambda _: None)
    server.claim()
    host.start()
    server.listen()
    yield
    server.stop()
    host.stop(timeout=1)


def fuzz(check: Check, name: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(words_of(name), st.binary(max_size=20))
    def run(words: list[str], stdin: bytes) -> None:
        check(words, stdin)

    run()


# `dev` is `run --watch` where there is no terminal.
NAMES = sorted({*COMMANDS} - {"dev"})
# These do not ask the host, or wait until it has gone.
LIVE = sorted({*NAMES} - {"check", "completion", "doctor", "new", "run", "stop", "tail", "test"})


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["peek", "\udcff"], "Invalid value for 'QUEUE': it is not UTF-8"),
        (["publish", "jobs", "1", "--id", "\udcff"], "Invalid value for '--id': it is not UTF-8"),
        (["publish", "jobs", "1", "-H", "a=\udcff"], "'--header': it is not UTF-8"),
        (["eval", "return '\udcff'"], "Invalid value for 'CODE': it is not UTF-8"),
        (["run", "--call", "work=\udcff"], "Invalid value for '--call': it is not UTF-8"),
    ],
)
def test_bytes_that_are_no_text_are_wrong_usage_and_named(
    moonq: Callable[..., Any], folder: Path, words: list[str], complaint: str
) -> None:
    said = moonq(*words)
    assert said.code == 2
    assert complaint in said.err


def test_files_may_have_any_name(moonq: Callable[..., Any], folder: Path) -> None:
    name = folder / "\udcff"
    assert moonq("new", name).code == 0
    assert moonq("check", "-C", name).code == 0


@pytest.mark.parametrize("name", NAMES)
def test_whatever_the_arguments_are_it_is_no_bug(name: str, check: Check) -> None:
    fuzz(check, name, 3)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", LIVE)
def test_whatever_a_running_host_is_asked_it_is_no_bug(name: str, check: Check) -> None:
    fuzz(check, name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_arguments_are_no_bug(name: str, check: Check) -> None:
    fuzz(check, name, 100)


@pytest.mark.slow
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", LIVE)
def test_many_questions_to_a_running_host_are_no_bug(name: str, check: Check) -> None:
    fuzz(check, name, 100)
