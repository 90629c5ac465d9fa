"""What `--set` and `--override` do to a project, and how they say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.errors import Finding, ProjectInvalid
from moonq.kinds import load, read
from moonq.kinds.queue import Queue
from moonq.registry import Project
from moonq.registry.overrides import Flag, Said

ENTRIES = """\
namespace: app
entries:
  - {name: driver, kind: queue.driver.memory, max_length: 50}
  - name: orders
    kind: queue.queue
    driver: driver
    retry: {max_attempts: 5, max_delay: 1m}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: return function() end}
  - {name: limit, kind: registry.entry, most: 3}
"""
MORE = "namespace: more\nentries:\n  - {name: orders, kind: queue.queue, driver: app:driver}\n"
Opened = Callable[..., Project]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    (tmp_path / "moonq.yaml").write_text(
        "log: {level: warn}\nprofiles: {prod: {log: {level: error}, "
        "entries: {'app:orders': {retry: {max_attempts: 9}}}}}\n"
    )
    return tmp_path


def said(*fields: str, settings: tuple[str, ...] = ()) -> Said:
    return Said(
        tuple(Flag("--set", one) for one in settings),
        tuple(Flag("--override", one, is_field=True) for one in fields),
    )


def queue(project: Project) -> Any:
    return project.entries["app:orders"].fields(Queue)


def wrong(root: Path, what: Said) -> Finding:
    with pytest.raises(ProjectInvalid) as raised:
        load(root, said=what)
    [found] = raised.value.findings
    return found


def test_a_field_of_an_entry_is_as_the_command_says(root: Path) -> None:
    retry = queue(load(root, said=said("app:orders:retry.max_attempts=3"))).retry
    assert (retry.max_attempts, retry.max_delay) == (3, 60)


def test_what_a_command_says_lies_above_the_profile(root: Path) -> None:
    what = said("app:orders:retry.max_attempts=3", settings=("log.level=debug",))
    project = load(root, profile="prod", said=what)
    assert queue(project).retry.max_attempts == 3
    assert project.settings.log.level == "debug"


def test_of_two_values_the_later_one_counts(root: Path) -> None:
    what = said(settings=("log.level=debug", "log.level=info"))
    assert load(root, said=what).settings.log.level == "info"


def test_null_takes_a_value_away(root: Path) -> None:
    what = said("app:orders:retry.max_attempts=null", settings=("log.level=null",))
    project = load(root, said=what)
    assert project.settings.log.level == "info"
    assert queue(project).retry.max_attempts == 10


def test_a_text_may_look_like_a_number(root: Path) -> None:
    assert load(root, said=said(settings=("name=007",))).settings.name == "007"


def test_a_free_field_is_as_yaml_has_it(root: Path) -> None:
    limit: Any = load(root, said=said("limit:most=9")).entries["app:limit"].config
    assert limit.most == 9


def test_the_name_of_a_logger_may_have_dots(root: Path) -> None:
    what = said(settings=("log.levels.app.queue=debug",))
    assert load(root, said=what).settings.log.levels == {"app.queue": "debug"}


def test_a_bare_name_will_do(root: Path) -> None:
    assert queue(load(root, said=said("orders:max_body=1000"))).max_body == 1000


def test_another_driver_begins_anew(root: Path) -> None:
    what = said("app:driver:kind=queue.driver.sqlite", "app:driver:path=a.db")
    assert load(root, said=what).entries["app:driver"].kind == "queue.driver.sqlite"


def test_a_variable_of_the_environment_is_filled_in(root: Path) -> None:
    what = said("app:orders:max_body=${env:MOST}")
    assert queue(load(root, said=what, env={"MOST": "2000"})).max_body == 2000


def test_origins_name_the_option(root: Path) -> None:
    what = said("app:orders:retry.max_attempts=3", settings=("log.level=debug",))
    project = load(root, profile="prod", said=what)
    origin = project.origins["log", "level"]
    assert (origin.file, origin.profile) == ("--set", None)
    origin = project.entries["app:orders"].origins("prod")["retry", "max_attempts"]
    assert (origin.file, origin.profile) == ("--override", None)


@pytest.mark.parametrize(
    ("what", "message", "place"),
    [
        (said("app:ordres:max_body=1"), "there is no entry `app:ordres`", ("--override", 1, 1)),
        (said("orders:retry.max_atempts=2"), "has no field `max_atempts`", ("--override", 1, 14)),
        (said("orders:max_body=many"), "`max_body`", ("--override", 1, 17)),
        (said("orders:max_body="), "`max_body` has no value", ("--override", 1, 8)),
        (said("orders:driver=nix"), "does not exist", ("--override", 1, 15)),
        (said("limit:most={a: 1"), "this `{` is never closed", ("--override", 1, 12)),
        (said("limit:kind=queue.queue"), "--override cannot make a", ("--override", 1, 12)),
        (said("limit:name=other"), "--override cannot rename", ("--override", 1, 12)),
        (said(settings=("log.level=loud",)), "`log.level` must be", ("--set", 1, 11)),
        (said(settings=("log.lvl=info",)), "`log` has no field `lvl`", ("--set", 1, 5)),
        (said(settings=("profiles.x.name=a",)), "profiles are not set", ("--set", 1, 1)),
    ],
)
def test_a_mistake_is_shown_in_the_option(
    root: Path, what: Said, message: str, place: tuple[str, int, int]
) -> None:
    found = wrong(root, what)
    assert message in found.message
    assert found.place == place


def test_a_name_that_two_entries_have_is_refused(root: Path) -> None:
    (root / "more.yaml").write_text(MORE)
    found = wrong(root, said("orders:max_body=1000"))
    assert found.message == "`orders` is ambiguous"
    assert found.helps == ("write app:orders or more:orders",)


def test_a_password_is_not_shown(root: Path) -> None:
    found = wrong(root, said("app:driver:password=geheim"))
    assert "geheim" not in str(found)


@given(path=st.text(min_size=1, max_size=20), value=st.text(max_size=20))
def test_whatever_is_written_is_taken_or_said(
    tmp_path_factory: pytest.TempPathFactory, path: str, value: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "_index.yaml").write_text(ENTRIES)
    text = f"{path}={value}".replace("\n", " ")
    loaded = read(folder, said=said(f"app:orders:{text}", settings=(text,)), env={})
    assert loaded.project or loaded.findings
