"""What a profile of `moonq.yaml` does to a project, and what it may not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from moonq.checking import check
from moonq.checking.mending import mend
from moonq.drivers.memory.entry import MemoryFields
from moonq.drivers.sqlite.entry import SqliteFields
from moonq.errors import Finding, ProjectInvalid
from moonq.kinds import load, read
from moonq.kinds.queue import Queue
from moonq.registry import Project
from moonq.registry.yaml import reading
from moonq.registry.yaml.merging import merged
from moonq.registry.yaml.values import Values
from moonq.text.findings import Source

ENTRIES = """\
namespace: app
entries:
  - {name: driver, kind: queue.driver.memory, max_length: 50, meta: {team: shop}}
  - name: orders
    kind: queue.queue
    driver: driver
    retry: {max_attempts: 5, max_delay: 1m}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: work}
  - {name: work, kind: function.lua, source: return function() end}
"""
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a project with this `moonq.yaml`, its entries in a folder of their own."""

    def write(settings: str, entries: str = ENTRIES) -> Path:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "_index.yaml").write_text(entries)
        (tmp_path / "moonq.yaml").write_text(settings)
        return tmp_path

    return write


def prod(fields: str) -> str:
    """A `moonq.yaml` whose profile says *fields* of the driver."""
    return f"profiles:\n  prod:\n    entries:\n      app:driver: {{{fields}}}\n"


def fields(project: Project, name: str) -> Any:
    return project.entries[f"app:{name}"].config


def wrong(folder: Path, profile: str = "prod", **env: str) -> list[Finding]:
    with pytest.raises(ProjectInvalid) as raised:
        load(folder, env=env, profile=profile)
    return list(raised.value.findings)


def told(finding: Finding) -> tuple[str, str, str]:
    """Code, message and place of a finding."""
    file, line, column = finding.place
    return finding.code, finding.message, f"{file}:{line}:{column}"


# What it changes ------------------------------------------------------------------------------


def test_without_a_profile_nothing_of_it_counts(make: Make) -> None:
    folder = make(
        "profiles:\n  prod: {production: true, entries: {app:nothing: {x: '${env:X}'}}}\n"
    )
    project = load(folder, env={})
    assert (project.profile, project.profiles) == ("", ("prod",))
    assert not project.settings.production
    assert isinstance(fields(project, "driver"), MemoryFields)


def test_another_kind_drops_the_fields_of_the_old_one(make: Make) -> None:
    project = load(make(prod("kind: queue.driver.sqlite, path: shop.db")), profile="prod")
    driver = fields(project, "driver")
    assert isinstance(driver, SqliteFields)
    assert (driver.path, driver.meta) == ("shop.db", {"team": "shop"})
    entry = project.entries["app:driver"]
    assert entry.place("path") == ("moonq.yaml", 4, 53)
    assert entry.place("meta") == ("src/_index.yaml", 3, 69)


@pytest.mark.parametrize("kind", ["kind: queue.driver.memory, ", ""])
def test_the_same_kind_keeps_the_fields_that_are_not_named(make: Make, kind: str) -> None:
    project = load(make(prod(f"{kind}overflow: drop_oldest")), profile="prod")
    driver = fields(project, "driver")
    assert (driver.max_length, driver.overflow) == (50, "drop_oldest")


def test_maps_are_merged_and_null_takes_a_field_away(make: Make) -> None:
    folder = make(
        "profiles:\n  prod:\n    entries:\n"
        "      app:orders: {retry: {max_attempts: 3}}\n"
        "      app:driver: {max_length: null, meta: null}\n"
    )
    project = load(folder, profile="prod")
    orders = fields(project, "orders")
    assert isinstance(orders, Queue)
    assert (orders.retry.max_attempts, orders.retry.max_delay) == (3, 60)
    assert (fields(project, "driver").max_length, fields(project, "driver").meta) == (10_000, {})


def test_lists_are_replaced(make: Make) -> None:
    entries = ENTRIES.replace("end}", "end, modules: [json, time]}")
    folder = make("profiles: {p: {entries: {app:work: {modules: [logger]}}}}", entries)
    assert fields(load(folder, profile="p"), "work").modules == ["logger"]


def test_settings_are_laid_over_by_the_same_rules(make: Make) -> None:
    folder = make(
        "redact: [card]\nlog: {level: warn, levels: {app.a: info}}\nprofiles:\n"
        "  prod: {production: true, redact: [name], log: {levels: {app.b: debug}}}\n"
    )
    settings = load(folder, profile="prod").settings
    assert (settings.production, settings.redact) == (True, ["name"])
    assert (settings.log.level, settings.log.levels) == (
        "warn",
        {"app.a": "info", "app.b": "debug"},
    )


def test_variables_are_filled_in_where_the_profile_is_chosen(make: Make) -> None:
    folder = make(prod('kind: queue.driver.sqlite, path: "${env:DB}"'))
    project = load(folder, env={"DB": "a.db"}, profile="prod")
    assert fields(project, "driver").path == "a.db"
    [finding] = wrong(folder)
    assert told(finding) == (
        "R213", "the environment variable `DB` is not set", "moonq.yaml:4:53"
    )  # fmt: skip


def test_bare_names_are_those_of_the_entrys_namespace(make: Make) -> None:
    entries = f"{ENTRIES}  - {{name: other, kind: queue.driver.memory}}\n"
    folder = make("profiles: {p: {entries: {app:orders: {driver: other}}}}", entries)
    assert fields(load(folder, profile="p"), "orders").driver == "app:other"


def test_a_path_is_seen_from_the_file_that_names_it(make: Make) -> None:
    folder = make("profiles: {p: {entries: {app:work: {source: file://fake.lua}}}}")
    (folder / "fake.lua").write_text("return function() end")
    assert load(folder, profile="p").entries["app:work"].source_name == "fake.lua"


def test_lua_in_a_profile_fails_at_its_line_of_moonq_yaml(make: Make) -> None:
    folder = make(
        "profiles:\n  p:\n    entries:\n      app:work:\n        source: |\n"
        "          return function()\n            retrun 1\n          end\n"
    )
    [finding] = wrong(folder, "p")
    assert finding.place[:2] == ("moonq.yaml", 7)


# What it may not ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected", "help_"),
    [
        (
            "profiles: {prod: {entries: {app:drvier: {max_length: 3}}}}",
            ("R241", "profile `prod` changes an entry that does not exist", "moonq.yaml:1:29"),
            "did you mean `app:driver`?",
        ),
        (
            "profiles: {prod: {entries: {driver: {max_length: 3}}}}",
            ("R241", "profile `prod` changes an entry that does not exist", "moonq.yaml:1:29"),
            "did you mean `app:driver`?",
        ),
        (
            prod("name: other"),
            ("R242", "a profile cannot rename an entry", "moonq.yaml:4:26"),
            "remove it: ids are the same in every profile",
        ),
        (
            prod("kind: store.memory"),
            (
                "R242",
                "a profile cannot make a store.memory of a queue.driver.memory",
                "moonq.yaml:4:26",
            ),
            "name another queue.driver.*, or declare an entry of its own",
        ),
        (
            prod("kind: queue.driver.sqlte"),
            ("R201", "unknown entry kind `queue.driver.sqlte`", "moonq.yaml:4:26"),
            "did you mean `queue.driver.sqlite`?",
        ),
        (
            prod("kind: null"),
            ("R207", "`kind` must be text", "moonq.yaml:4:26"),
            "",
        ),
        (
            prod("kind: [a]"),
            ("R207", "`kind` must be text", "moonq.yaml:4:26"),
            "",
        ),
        (
            prod("kind: queue.driver.sqlite, max_length: 3"),
            ("R206", "a queue.driver.sqlite has no field `max_length`", "moonq.yaml:4:47"),
            "",
        ),
        (
            prod("namespace: shop"),
            ("R206", "a queue.driver.memory has no field `namespace`", "moonq.yaml:4:20"),
            "",
        ),
        (
            "profiles: {prod: {prodution: true}}",
            ("R206", "profile `prod` has no field `prodution`", "moonq.yaml:1:19"),
            "did you mean `production`?",
        ),
        (
            "profiles: {prod: {production: 1}}",
            ("R207", "`production` must be true or false", "moonq.yaml:1:31"),
            "",
        ),
        (
            "profiles: {prod: {entries: {app:driver: 3}}}",
            ("R207", "`app:driver` must be a map of fields", "moonq.yaml:1:41"),
            "",
        ),
        (
            "profiles: {prod: {entries: [app:driver]}}",
            (
                "R207",
                "`entries` of profile `prod` must be a map of entries by their ids",
                "moonq.yaml:1:28",
            ),
            'write `"app:name": {…}`, an id and the fields that differ',
        ),
        (
            "profiles: {prod: 3}",
            ("R207", "profile `prod` must be a map", "moonq.yaml:1:18"),
            "write settings and `entries:` below it",
        ),
        (
            "profiles: {'a b': {}, prod: {}}",
            ("R212", "`a b` is no name for a profile", "moonq.yaml:1:12"),
            "use letters, digits, `_`, `.` and `-`",
        ),
        (
            "profiles: {prdo: {}}",
            ("R240", "there is no profile `prod`", "moonq.yaml:1:1"),
            "did you mean `prdo`?",
        ),
        (
            "name: x",
            ("R240", "there is no profile `prod`", ":0:0"),
            "declare it in moonq.yaml",
        ),
    ],
)
def test_what_a_profile_may_not_is_said_at_its_place(
    make: Make, settings: str, expected: tuple[str, str, str], help_: str
) -> None:
    found = wrong(make(settings))
    assert [told(one) for one in found] == [expected]
    if help_:
        assert found[0].helps == (help_,)


def test_a_field_that_a_new_kind_needs_is_missed_where_the_kind_is_written(make: Make) -> None:
    folder = make("profiles: {p: {entries: {app:orders: {kind: queue.consumer, func: work}}}}")
    missing = [told(one) for one in wrong(folder, "p") if one.code == "R211"]
    assert missing == [("R211", "a queue.consumer needs a field `queue`", "moonq.yaml:1:45")]


def test_profiles_must_be_a_map(make: Make) -> None:
    found = read(make("profiles: [prod]")).findings
    assert [told(one) for one in found] == [
        ("R207", "`profiles` must be a map of profiles by name", "moonq.yaml:1:11")
    ]


@pytest.mark.parametrize(
    "settings", ["profiles:\n", "profiles:\n  prod:\n", "profiles: {prod: {entries: }}"]
)
def test_what_is_empty_changes_nothing(make: Make, settings: str) -> None:
    assert load(make(settings), profile="prod" if "prod" in settings else "")


# Checking -------------------------------------------------------------------------------------


def test_check_looks_at_every_profile_and_names_them_in_findings(make: Make) -> None:
    folder = make(
        "profiles:\n  a: {entries: {app:driver: {max_lenght: 3}}}\n"
        "  b: {entries: {app:driver: {kind: queue.driver.sqlite, path: '${env:DB}'}}}\n"
        "  c: {}\n"
    )
    checked = check(folder, env={})
    assert checked.profiles == ("a", "b", "c")
    assert checked.project is not None
    assert [(one.severity, one.code, one.profiles) for one in checked.findings] == [
        ("error", "R206", ("a",)),
        ("note", "R213", ("b",)),  # it is set where that profile is used
    ]


def test_what_is_so_in_several_profiles_is_said_once(make: Make) -> None:
    shared = "&same {entries: {app:driver: {max_lenght: 3}}}"
    checked = check(make(f"profiles: {{a: {shared}, b: *same}}"))
    assert [one.profiles for one in checked.findings] == [("a", "b")]


def test_what_is_so_without_a_profile_is_not_repeated_for_each(make: Make) -> None:
    folder = make("profiles: {a: {}, b: {}}", ENTRIES.replace("driver: driver", "driver: drive"))
    assert [(one.code, one.profiles) for one in check(folder).findings] == [("R202", ())]


def test_check_of_one_profile_looks_at_nothing_else(make: Make) -> None:
    folder = make("profiles: {a: {entries: {app:no: {}}}, b: {}}")
    checked = check(folder, profile="b")
    assert (checked.findings, checked.profiles) == ([], ("b",))


def test_modules_of_a_profile_are_mended_in_moonq_yaml(make: Make) -> None:
    entries = ENTRIES.replace("return function() end}", 'return require("json").decode}')
    folder = make("profiles: {p: {entries: {app:work: {modules: [logger]}}}}", entries)
    mend(folder, "p")
    written = yaml.safe_load((folder / "moonq.yaml").read_text())
    assert written["profiles"]["p"]["entries"]["app:work"]["modules"] == ["json"]
    assert (folder / "src" / "_index.yaml").read_text() == entries


# Merging --------------------------------------------------------------------------------------

_WORDS = st.sampled_from(["a", "b", "c"])
_TREES = st.recursive(
    st.integers(0, 9) | st.none() | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)
_MAPS = st.dictionaries(_WORDS, _TREES, max_size=3)


def patched(target: Any, patch: Any) -> Any:
    """The algorithm as RFC 7396 has it in section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


@given(_MAPS, _MAPS)
def test_merging_is_that_of_rfc_7396(below: Any, above: Any) -> None:
    nodes = [reading.read(source, data)[0] for source, data in map(_yaml, (below, above))]
    values = Values(Source("", ""), {}, []).of(merged(nodes[0], nodes[1] or nodes[0]))  # type: ignore[arg-type]
    assert values == patched(below, above)


def _yaml(value: Any) -> tuple[Source, bytes]:
    text = yaml.safe_dump(value)
    return Source("", text), text.encode()
