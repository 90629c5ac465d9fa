"""A reload of named entries only: the others stay as they run."""

from __future__ import annotations

from typing import Any

import pytest

from moonq.errors import Invalid, NotFound, ProjectInvalid
from moonq.host import Host
from moonq.operations.performing import Operations

from .conftest import HEAD, MakeHost

ENTRIES = """
  - {name: jobs, kind: queue.queue, driver: memory, max_body: 1000}
  - {name: worker, kind: queue.consumer, queue: jobs, func: first}
  - {name: first, kind: function.lua, source: "return function() return 1 end"}
  - {name: second, kind: function.lua, source: "return function() return 1 end"}
"""


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    return make_host(ENTRIES)


def edit(host: Host, entries: str) -> None:
    (host.project.root / "_index.yaml").write_text(HEAD + entries)


def both_edited(host: Host) -> None:
    edit(host, ENTRIES.replace("return 1", "return 2"))


def answers(host: Host) -> list[Any]:
    return [host.call(name).values[0] for name in ("app:first", "app:second")]


def test_only_what_is_named_is_replaced(host: Host) -> None:
    both_edited(host)
    report = host.reload(["first"])
    assert (report.changed, report.replaced) == (("app:first",), ("app:worker",))
    assert answers(host) == [2, 1]


def test_the_rest_is_replaced_by_the_next_reload(host: Host) -> None:
    both_edited(host)
    host.reload(["app:second"])
    assert host.reload().changed == ("app:first",)
    assert answers(host) == [2, 2]


def test_an_entry_that_was_added_comes_alone(host: Host) -> None:
    more = '  - {name: third, kind: function.lua, source: "return function() return 3 end"}\n'
    edit(host, ENTRIES.replace("return 1", "return 2") + more)
    assert host.reload(["third"]).added == ("app:third",)
    assert host.call("app:third").values == [3]
    assert answers(host) == [1, 1]


def test_an_entry_that_is_gone_goes_alone(host: Host) -> None:
    edit(host, "".join(ENTRIES.splitlines(keepends=True)[:-1]).replace("1000", "2000"))
    report = host.reload(["second"])
    assert (report.removed, report.changed) == (("app:second",), ())


def test_a_consumer_needs_its_new_function_named_too(host: Host) -> None:
    edit(host, ENTRIES.replace("first", "other"))
    with pytest.raises(Invalid, match="app:worker needs app:other, which would not be there"):
        host.reload(["worker"])
    with pytest.raises(Invalid, match="app:worker needs app:first, which would not be there"):
        host.reload(["first"])
    report = host.reload(["worker", "app:other", "app:first"])
    assert (report.added, report.removed) == (("app:other",), ("app:first",))


def test_a_driver_of_another_kind_needs_its_queues_named_too(host: Host) -> None:
    index = host.project.root / "_index.yaml"
    index.write_text(index.read_text().replace("driver.memory}", "driver.sqlite, path: a.db}"))
    with pytest.raises(Invalid, match=r"app:jobs needs app:memory, which would be a .*sqlite"):
        host.reload(["memory"])


def test_versions_that_would_need_each_other_are_refused(make_host: MakeHost) -> None:
    libraries = """
  - {name: a, kind: library.lua, source: "return {}", imports: [b]}
  - {name: b, kind: library.lua, source: "return {}"}
"""
    host = make_host(libraries)
    edit(
        host,
        """
  - {name: a, kind: library.lua, source: "return {}"}
  - {name: b, kind: library.lua, source: "return {}", imports: [a]}
""",
    )
    with pytest.raises(Invalid, match="would need itself"):
        host.reload(["b"])
    assert host.reload(["a"]).changed == ("app:a",)


def test_a_fault_elsewhere_changes_nothing(host: Host) -> None:
    edit(host, ENTRIES.replace("return 1", "return 2").replace("max_body: 1000", "max_body: x"))
    with pytest.raises(ProjectInvalid):
        host.reload(["first"])
    assert answers(host) == [1, 1]


def test_a_name_that_nothing_has_changes_nothing(host: Host) -> None:
    both_edited(host)
    with pytest.raises(NotFound, match="nix"):
        host.reload(["first", "nix"])
    assert answers(host) == [1, 1]


def test_consoles_may_name_entries(host: Host) -> None:
    both_edited(host)
    assert Operations(host, "console:alice").reload(ids=["first"])["changed"] == ("app:first",)
    assert answers(host) == [2, 1]
