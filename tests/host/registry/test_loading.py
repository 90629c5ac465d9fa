"""What a good project becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moonq.drivers.memory.entry import MemoryFields
from moonq.errors import NotFound
from moonq.kinds import inspect, load
from moonq.kinds.consumer import Consumer
from moonq.kinds.function import Function
from moonq.kinds.queue import Queue
from moonq.registry import Project

SEED = """\
version: "1.0"
namespace: app.queue

entries:
  - name: task_consumer
    kind: queue.consumer
    queue: app.queue:tasks
    func: app.queue:task_handler
    concurrency: 4
    prefetch: 20
    lifecycle:
      auto_start: true
      depends_on:
        - app.queue:tasks

  - name: tasks
    kind: queue.queue
    driver: app.queue:memory_driver

  - name: memory_driver
    kind: queue.driver.memory
    lifecycle:
      auto_start: true

  - name: task_handler
    kind: function.lua
    source: file://task_handler.lua
    modules:
      - json
"""
HANDLER = 'local json = require("json")\nreturn function(body) return json.decode(body) end\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(SEED)
    (tmp_path / "task_handler.lua").write_text(HANDLER)
    return tmp_path


@pytest.fixture
def project(folder: Path) -> Project:
    return load(folder, env={})


def loaded(folder: Path, text: str, **env: str) -> Project:
    (folder / "_index.yaml").write_text("namespace: app\nentries:\n" + text)
    return load(folder, env=env)


MEMORY = "  - {name: mem, kind: queue.driver.memory}\n"
QUEUE = MEMORY + "  - {name: orders, kind: queue.queue, driver: mem}\n"
WORK = "  - {name: work, kind: function.lua, source: return print}\n"


def test_the_entries_of_the_specification_load(project: Project) -> None:
    consumer = project.entries["app.queue:task_consumer"]
    assert (consumer.namespace, consumer.name, consumer.kind) == (
        "app.queue",
        "task_consumer",
        "queue.consumer",
    )
    fields = consumer.fields(Consumer)
    assert (fields.concurrency, fields.prefetch) == (4, 20)
    assert consumer.lifecycle.auto_start
    assert consumer.depends_on == ("app.queue:tasks", "app.queue:task_handler")


def test_a_function_carries_its_text(project: Project) -> None:
    function = project.resolve("task_handler")
    assert function.source_text == HANDLER.encode()
    assert function.source_name == "task_handler.lua"


def test_services_start_behind_what_they_need(project: Project) -> None:
    assert [entry.name for entry in project.start_order()] == [
        "memory_driver",
        "tasks",
        "task_consumer",
    ]


def test_every_field_knows_its_place(project: Project) -> None:
    consumer = project.resolve("task_consumer")
    assert consumer.place("concurrency") == ("_index.yaml", 9, 18)
    assert consumer.place("lifecycle", "depends_on", 0) == ("_index.yaml", 14, 11)
    assert consumer.place("timeout") == ("_index.yaml", 5, 5)


def test_entries_are_found_by_kind_and_family(project: Project) -> None:
    assert [entry.name for entry in project.of_kind("queue.queue")] == ["tasks"]
    assert [entry.name for entry in project.of_kind("queue.driver.")] == ["memory_driver"]
    assert project.of_kind("queue.driver") == []


def test_a_bare_name_is_enough_where_only_one_entry_has_it(project: Project) -> None:
    assert project.resolve("tasks").id == "app.queue:tasks"
    assert project.resolve("app.queue:tasks").id == "app.queue:tasks"


def test_a_misspelt_name_is_answered_with_the_right_one(project: Project) -> None:
    with pytest.raises(NotFound, match="no entry 'taks'") as refused:
        project.resolve("taks")
    assert refused.value.hint == "did you mean `tasks`?"


def test_an_ambiguous_name_is_answered_with_the_candidates(folder: Path) -> None:
    (folder / "b.yml").write_text("namespace: b\nentries:\n  - {name: tasks, kind: registry.entry}")
    with pytest.raises(NotFound, match=r"'tasks' is ambiguous: app.queue:tasks, b:tasks"):
        load(folder, env={}).resolve("tasks")


def test_defaults_are_those_of_the_contract(project: Project) -> None:
    queue = project.resolve("tasks").fields(Queue)
    retry = queue.retry
    assert (retry.max_attempts, retry.max_interruptions) == (10, 5)
    assert (retry.initial_delay, retry.factor, retry.max_delay, retry.jitter) == (2, 3, 900, 0.2)
    assert (queue.dedup_window, queue.publish_timeout, queue.max_body) == (300, 5, 262_144)
    assert (queue.options.max_length, queue.options.overflow) == (10_000, "reject")
    assert queue.max_bytes == 256 << 20
    assert queue.dead_letter
    assert queue.dead_letter.queue == "app.queue:tasks.dead"
    limits = project.resolve("task_handler").fields(Function).limits
    assert (limits.timeout, limits.memory) == (60, 64 << 20)


def test_a_driver_gives_its_queues_their_defaults(folder: Path) -> None:
    project = loaded(
        folder,
        "  - {name: mem, kind: queue.driver.memory, max_length: 5, overflow: block}\n"
        "  - {name: a, kind: queue.queue, driver: mem}\n"
        "  - {name: b, kind: queue.queue, driver: mem, options: {max_length: 9, ttl: 1m}}\n",
    )
    assert project.resolve("mem").fields(MemoryFields).max_length == 5
    assert project.resolve("a").fields(Queue).max_bytes == 256 << 20
    a, b = (project.resolve(name).fields(Queue).options for name in "ab")
    assert (a.max_length, a.overflow, a.ttl) == (5, "block", None)
    assert (b.max_length, b.overflow, b.ttl) == (9, "block", 60)


def test_a_bound_in_bytes_may_be_the_drivers_the_queues_or_none(folder: Path) -> None:
    project = loaded(
        folder,
        "  - {name: mem, kind: queue.driver.memory, max_bytes: 1M}\n"
        "  - {name: a, kind: queue.queue, driver: mem}\n"
        "  - {name: b, kind: queue.queue, driver: mem, max_bytes: 2K}\n"
        "  - {name: c, kind: queue.queue, driver: mem, max_bytes: none}\n"
        "  - {name: file, kind: queue.driver.sqlite}\n"
        "  - {name: d, kind: queue.queue, driver: file}\n",
    )
    bounds = [project.resolve(name).fields(Queue).max_bytes for name in "abcd"]
    assert bounds == [1 << 20, 2 << 10, None, None]


@pytest.mark.parametrize(
    ("written", "prefetch"), [("", 10), ("concurrency: 40", 40), ("prefetch: 3", 3)]
)
def test_prefetch_is_never_below_concurrency(folder: Path, written: str, prefetch: int) -> None:
    consumer = "  - {name: c, kind: queue.consumer, queue: orders, func: work, " + written + "}\n"
    project = loaded(folder, QUEUE + WORK + consumer)
    assert project.resolve("c").fields(Consumer).prefetch == prefetch


@pytest.mark.parametrize(
    ("function", "consumer", "timeout"),
    [("", "", 60), ("5s", "", 5), ("none", "", None), ("5s", "2s", 2), ("5s", "none", None)],
)
def test_a_consumer_takes_the_functions_time_limit_unless_it_has_its_own(
    folder: Path, function: str, consumer: str, timeout: float | None
) -> None:
    limits = f", limits: {{timeout: {function}}}" if function else ""
    own = f", timeout: {consumer}" if consumer else ""
    project = loaded(
        folder,
        QUEUE + f"  - {{name: work, kind: function.lua, source: return print{limits}}}\n"
        f"  - {{name: c, kind: queue.consumer, queue: orders, func: work{own}}}\n",
    )
    assert project.resolve("c").fields(Consumer).timeout == timeout


def test_the_dead_letters_of_a_queue_can_be_named_without_being_declared(folder: Path) -> None:
    consumer = "  - {name: c, kind: queue.consumer, queue: orders.dead, func: work}\n"
    project = loaded(folder, QUEUE + WORK + consumer)
    assert project.implied == {"app:orders.dead": "app:orders"}
    assert project.resolve("c").fields(Consumer).queue == "app:orders.dead"
    assert project.resolve("c").depends_on == ("app:orders", "app:work")
    assert project.id_of("orders.dead", "queue.queue") == "app:orders.dead"


def test_dead_letters_can_go_elsewhere_or_nowhere(folder: Path) -> None:
    project = loaded(
        folder,
        MEMORY + "  - {name: a, kind: queue.queue, driver: mem, dead_letter: none}\n"
        "  - {name: b, kind: queue.queue, driver: mem, dead_letter: {queue: a, max_attempts: 3}}\n",
    )
    assert project.resolve("a").fields(Queue).dead_letter is None
    b = project.resolve("b").fields(Queue)
    assert b.dead_letter
    assert (b.dead_letter.queue, b.max_attempts) == ("app:a", 3)
    assert project.implied == {}
    with pytest.raises(NotFound):
        project.id_of("a.dead", "queue.queue")


def test_imports_are_a_map_or_a_list(folder: Path) -> None:
    project = loaded(
        folder,
        "  - {name: money, kind: library.lua, source: 'return {}'}\n"
        "  - {name: a, kind: function.lua, source: 'return require(\"m\")', imports: {m: money}}\n"
        "  - {name: b, kind: function.lua, source: 'return require(\"money\")',"
        " imports: ['app:money']}\n",
    )
    assert project.resolve("a").fields(Function).imports == {"m": "app:money"}
    assert project.resolve("b").fields(Function).imports == {"money": "app:money"}


def test_requires_is_another_word_for_depends_on(folder: Path) -> None:
    project = loaded(
        folder, MEMORY + "  - {name: s, kind: store.memory, lifecycle: {requires: [mem]}}\n"
    )
    assert project.resolve("s").depends_on == ("app:mem",)
    assert [entry.name for entry in project.start_order()] == ["mem", "s"]


def test_inline_lua_is_counted_by_the_lines_of_the_yaml(folder: Path) -> None:
    project = loaded(
        folder, "  - name: w\n    kind: function.lua\n    source: |\n      return print\n"
    )
    entry = project.resolve("w")
    assert entry.source_name == "_index.yaml"
    assert entry.source_text.split(b"\n")[5] == b"return print"


def test_a_number_may_come_from_the_environment(folder: Path) -> None:
    consumer = (
        "  - name: c\n    kind: queue.consumer\n    queue: orders\n    func: work\n"
        "    concurrency: ${env:WORKERS:-2}\n    timeout: ${env:TIME}\n"
        '    auto_ack: "${env:ACK}"\n    meta: {host: "${env:HOST}.${env:DOMAIN:-test}"}\n'
    )
    env = {"TIME": "5s", "ACK": "true", "HOST": "a", "WORKERS": ""}
    entry = loaded(folder, QUEUE + WORK + consumer, **env).resolve("c")
    fields = entry.fields(Consumer)
    assert (fields.concurrency, fields.timeout, fields.auto_ack) == (2, 5, True)
    assert entry.meta == {"host": "a.test"}


def test_a_variable_that_is_set_but_empty_is_set(folder: Path) -> None:
    entry = loaded(folder, '  - {name: d, kind: registry.entry, data: "${env:X}"}\n', X="")
    assert entry.resolve("d").config.model_dump()["data"] == ""


def test_a_field_of_text_keeps_a_number_from_the_environment_as_text(folder: Path) -> None:
    project = loaded(
        folder,
        '  - {name: v, kind: env.variable, variable: PORT, default: "${env:P}"}\n',
        P="8080",
    )
    assert project.resolve("v").config.model_dump()["default"] == "8080"


def test_scalars_mean_what_they_look_like(folder: Path) -> None:
    project = loaded(
        folder,
        "  - name: d\n    kind: registry.entry\n    data:\n"
        '      [on, yes, 010, 0o10, 0x1F, 12:30, 1_000, 1e3, .5, -7, ~, true, "4", 2024-01-01]\n',
    )
    assert project.resolve("d").config.model_dump()["data"] == [
        "on", "yes", 10, 8, 31, "12:30", "1_000", 1000.0, 0.5, -7, None, True, "4", "2024-01-01",
    ]  # fmt: skip


def test_what_older_yaml_reads_otherwise_is_a_warning(folder: Path) -> None:
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n  - {name: d, kind: registry.entry, data: [010, yes]}\n"
    )
    project, findings = inspect(folder, env={})
    assert project is not None
    assert [(f.severity, f.code, f.place[2]) for f in findings] == [
        ("warning", "P104", 44),
        ("warning", "P104", 49),
    ]


def test_a_module_that_is_never_required_is_a_warning(folder: Path) -> None:
    (folder / "task_handler.lua").write_text("return function(body) return body end")
    project, findings = inspect(folder, env={})
    assert project is not None
    assert [(f.severity, f.code, f.place) for f in findings] == [
        ("warning", "L302", ("_index.yaml", 29, 9))
    ]


def test_an_import_that_is_never_required_is_marked_and_not_one_that_ends_like_it(
    folder: Path,
) -> None:
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n"
        "  - {name: mylog, kind: library.lua, source: 'return {}'}\n"
        "  - {name: log, kind: library.lua, source: 'return {}'}\n"
        "  - name: work\n    kind: function.lua\n"
        "    source: 'return require(\"mylog\")'\n"
        "    imports: ['app:mylog', 'app:log']\n"
    )
    _, findings = inspect(folder, env={})
    assert [(found.code, found.place) for found in findings] == [
        ("L302", ("_index.yaml", 8, 28)),
    ]


def test_a_group_without_policies_is_a_warning(folder: Path) -> None:
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n"
        "  - {name: p, kind: security.policy, groups: [workers],"
        " policy: {actions: [store.read], resources: ['*'], effect: deny}}\n"
        "  - {name: s, kind: store.memory, lifecycle: {security: {groups: [worker]}}}\n"
    )
    project, findings = inspect(folder, env={})
    assert project is not None
    assert [(f.severity, f.code, f.place[2]) for f in findings] == [("warning", "R216", 67)]
    assert findings[0].helps == ("did you mean `app:workers`?",)


@pytest.mark.parametrize(
    "text",
    [
        "return require(name)",
        'local r = require\nreturn r("json")',
        'return pcall(require, "json")',
    ],
)
def test_names_made_at_run_time_are_left_to_run_time(folder: Path, text: str) -> None:
    (folder / "task_handler.lua").write_text(text)
    project, findings = inspect(folder, env={})
    assert project is not None
    assert findings == []


def test_what_only_looks_like_a_require_is_none(folder: Path) -> None:
    (folder / "task_handler.lua").write_text(
        'local json = require "json"\n-- require("x")\nlocal s = [[require("y")]]\n'
        "local t = {require = 1}\nt.require('z')\nt:require('z')\nreturn json, s\n"
    )
    _, findings = inspect(folder, env={})
    assert findings == []


def test_a_single_file_is_a_project_too(folder: Path) -> None:
    project = load(folder / "_index.yaml", env={})
    assert project.root == folder
    assert "app.queue:tasks" in project.entries


def test_yaml_of_other_programs_is_left_alone(folder: Path) -> None:
    for name, text in {
        "compose.yaml": "services: {a: {image: b}}",
        "kustomization.yaml": "namespace: prod\nresources: [a.yaml]",
        "chart.yaml": "a: {{ .Values.x }}",
        "broken.yml": "a: [",
        ".hidden/_index.yaml": "namespace: [",
        "node_modules/x/_index.yaml": "namespace: [",
        ".moonq/_index.yaml": "namespace: [",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert len(load(folder, env={}).entries) == 4


def test_odd_things_in_the_folder_do_no_harm(folder: Path) -> None:
    (folder / "x.yaml").mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.yaml")
    assert len(load(folder, env={}).entries) == 4


def test_settings_stand_beside_the_entries(folder: Path) -> None:
    (folder / "moonq.yaml").write_text(
        "name: shop\nproduction: true\nlog: {level: debug, levels: {app.mail: warn}}\n"
        "redact: [password]\n"
    )
    project = load(folder, env={})
    assert project.name == "shop"
    assert project.settings.production
    (folder / "moonq.yaml").unlink()
    assert not load(folder, env={}).settings.production
    assert project.settings.log.level == "debug"
    assert project.settings.log.levels == {"app.mail": "warn"}
    assert project.settings.redact == ["password"]


def test_a_project_without_settings_is_called_like_its_folder(folder: Path) -> None:
    assert load(folder, env={}).name == folder.name


def test_a_missing_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    project, findings = inspect(tmp_path / "nowhere", env={})
    assert project is None
    assert [f.code for f in findings] == ["R200"]
    assert "there is no such file or folder" in findings[0].message


def test_a_source_may_not_leave_the_project_through_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.lua"
    outside.write_text("return 1")
    (folder / "task_handler.lua").unlink()
    (folder / "task_handler.lua").symlink_to(outside)
    _, findings = inspect(folder, env={})
    assert [f.code for f in findings] == ["P121"]


def test_a_broken_file_is_told_once_however_many_entries_share_it(folder: Path) -> None:
    (folder / "work.lua").write_text("return function(")
    (folder / "_index.yaml").write_text(
        "namespace: app\nentries:\n"
        "  - {name: a, kind: function.lua, source: file://work.lua}\n"
        "  - {name: b, kind: function.lua, source: file://work.lua}\n"
    )
    _, findings = inspect(folder, env={})
    assert [f.code for f in findings] == ["P110"]


def test_a_file_that_is_too_large_to_be_lua_is_refused(folder: Path) -> None:
    (folder / "task_handler.lua").write_text("--" + "x" * 600_000)
    _, findings = inspect(folder, env={})
    assert "600002 bytes" in findings[0].message


def test_the_environment_is_that_of_the_process_by_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_TEST_NAME", "from_env")
    (folder / "moonq.yaml").write_text("name: ${env:MOONQ_TEST_NAME}\n")
    assert load(folder).name == "from_env"


def test_a_folder_of_very_many_files_is_no_project_unless_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.registry.discovery.MOST", 9)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "_index.yaml").write_text("namespace: app\nentries: []\n")
    for number in range(10):
        (tmp_path / f"{number}.txt").touch()
    project, [finding] = inspect(tmp_path)
    assert project is None
    assert finding.code == "R200"
    assert "more than 9 files; if it is a project, put a moonq.yaml there" in finding.message
    (tmp_path / "moonq.yaml").touch()
    project, _ = inspect(tmp_path)
    assert project is not None
