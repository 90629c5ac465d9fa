"""What is named and is not there: one rule, whichever command it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moonq.host import Host

Moonq = Callable[..., Any]
MISSES = (
    "pause nosuch",
    "pause memory",
    "resume nosuch",
    "peek nosuch",
    "peek jobs --id nosuch",
    "publish nosuch 1",
    "publish idle --file nosuch",
    "publish idle --ndjson nosuch",
    "purge nosuch --yes",
    "call nosuch",
    "show nosuch",
    "show jobs --field nosuch",
    "graph nosuch",
    "dead ls nosuch",
    "dead ls jobs --error abc",
    "dead ls jobs --error nosuch",
    "dead show jobs nosuch",
    "dead retry jobs nosuch --yes",
    "dead retry jobs --error abc --yes",
    "dead drop jobs nosuch --yes",
    "dead drop jobs --error abc --yes",
    "doctor --driver nosuch",
    "doctor --driver jobs",
    "tail nosuch",
    "tail jobs nosuch",
    "top nosuch --once",
    "repl --attach 999999999 -e 1",
    "repl -f nosuch",
)


@pytest.mark.parametrize("command", MISSES)
def test_what_is_named_and_is_not_there_ends_with_4(moonq: Moonq, host: Host, command: str) -> None:
    head, *more = command.split()
    said = moonq(head, *more, "-C", host.project.root)
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("moonq: ")


def test_a_filter_that_nothing_fits_is_an_answer(moonq: Moonq, host: Host) -> None:
    for command in ("ls no*", "dead ls jobs", "dead drop jobs --older 1d --yes", "peek idle"):
        head, *more = command.split()
        assert moonq(head, *more, "-C", host.project.root).code == 0, command


def test_a_name_that_is_listed_is_there_or_an_error(moonq: Moonq, host: Host) -> None:
    said = moonq("ls", "jbos", "-C", host.project.root)
    assert (said.code, said.out) == (4, "")
    assert "did you mean `jobs`?" in said.err
    said = moonq("ls", "jb*", "-C", host.project.root)
    assert said == (0, "", "no entry fits\n")
    assert moonq("ls", "jobs", "--kind", "store.*", "-C", host.project.root) == said


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("call nosuch", "app:work"),
        ("pause nosuch", "app:idle, app:jobs"),
        ("eval funcs.call('nosuch')", "app:work"),
        ("eval mq.call('nosuch')", "app:work"),
        ("eval mq.start('nosuch')", "app:idle"),
        ("doctor --driver nosuch", "app:memory"),
    ],
)
def test_only_what_fits_there_is_offered(
    moonq: Moonq, host: Host, command: str, others: str
) -> None:
    said = moonq(*command.split(), "-C", host.project.root)
    offered = said.err.partition("the project has ")[2].strip().split(", ")
    assert set(others.split(", ")) <= set(offered), said.err
    kinds = {host.project.entries[one].kind for one in offered if one in host.project.entries}
    assert ("function.lua" in kinds) == ("call" in command)


@pytest.mark.parametrize(
    "target", ["jobs", "app:jobs.dead", "worker", "work", "work.mail", "moonq.control"]
)
def test_what_may_speak_can_be_followed(moonq: Moonq, host: Host, target: str) -> None:
    assert moonq("tail", target, "--for", "10ms", "-C", host.project.root).code == 0


def test_a_misspelt_target_is_answered_with_what_was_probably_meant(
    moonq: Moonq, host: Host
) -> None:
    said = moonq("tail", "jbos", "-C", host.project.root)
    assert "did you mean `jobs`?" in said.err


def test_a_dry_run_waits_for_nothing(
    moonq: Moonq, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> None:
        raise AssertionError("it waits")

    own = SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=sleep)
    monkeypatch.setattr("moonq.cli.commands.publish.time", own)
    how = ("--count", 50, "--rate", "1/m", "--dry-run")
    said = moonq("publish", "idle", "1", *how, "-C", host.project.root)
    assert said.out.startswith("would publish 50 · ")


def test_status_is_about_the_project_that_is_named(
    moonq: Moonq, host: Host, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    said = moonq("status", "-C", other)
    assert said.code == 4
    assert "no moonq host is running for other" in said.err
    [one] = json.loads(moonq("status", "-C", host.project.root, "--json").out)["hosts"]
    assert one["path"] == str(host.project.root)
    assert moonq("status").code == 0


def test_status_does_not_end_as_the_hosts_of_other_projects_do(
    moonq: Moonq, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moonq.cli.commands import status
    from moonq.errors import HostSilent

    def silent(_: object) -> None:
        raise HostSilent("it does not answer")

    monkeypatch.setattr("moonq.control.reaching.client_of", silent)
    monkeypatch.chdir(tmp_path)
    assert status.records(tmp_path)[1]
    said = moonq("status")
    assert "it does not answer" in said.out
    assert said.code == 0
    assert moonq("status", "-C", host.project.root).code == 5


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["queue"], "Did you mean 'queues'?"),
        (["consle"], "Did you mean 'console'?"),
        (["dead", "rety"], "Did you mean 'retry'?"),
        (["dead", "bury"], "There are drop, ls, retry, show."),
    ],
)
def test_a_misspelt_command_is_answered_with_what_was_probably_meant(
    moonq: Moonq, typed: list[str], meant: str
) -> None:
    said = moonq(*typed)
    assert said.code == 2
    assert f"No such command '{typed[-1]}'. {meant}" in said.err
    document = json.loads(moonq(*typed, "--json").err)
    assert document["error"]["message"].endswith(meant)
