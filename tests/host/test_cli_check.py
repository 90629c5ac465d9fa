from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Moonq = Callable[..., Any]

GOOD = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - {name: work, kind: function.lua, source: return function() end}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
"""
WRONG = GOOD.replace("driver: mem}", "driver: mme}")
UNUSED = (
    GOOD + "  - {name: f, kind: function.lua, source: return function() end, modules: [json]}\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "_index.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_sound_project_is_said_to_be_so(moonq: Moonq, project: Callable[[str], Path]) -> None:
    said = moonq("check", project(GOOD))
    assert said.code == 0
    assert said.out.startswith("checked 4 entries in ")
    assert said.out.endswith(": no errors\n")


def test_an_error_is_shown_with_its_frame_and_ends_with_1(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    said = moonq("check", "--project", project(WRONG))
    assert said.code == 1
    assert "error[R202]" in said.out
    assert "_index.yaml:4:45" in said.out
    assert "did you mean `mem`" in said.out
    assert said.out.endswith("1 error\n")


def test_json_carries_every_finding(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(WRONG)
    said = moonq("check", folder, "--json")
    document = json.loads(said.out)
    assert said.code == 1
    assert (document["schema"], document["errors"]) == ("moonq.check/1", 1)
    assert (document["findings"][0]["line"], document["findings"][0]["code"]) == (4, "R202")
    assert moonq("check", folder, "--format", "json").out == said.out


def test_a_warning_counts_only_when_strict(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(UNUSED)
    assert moonq("check", folder).code == 0
    strict = moonq("check", folder, "--strict")
    assert strict.code == 1
    assert "1 warning" in strict.out


def test_colour_is_there_when_asked_for(moonq: Moonq, project: Callable[[str], Path]) -> None:
    folder = project(WRONG)
    assert "\x1b[" not in moonq("check", folder).out
    assert "\x1b[" in moonq("check", folder, "--color", "always").out


def test_a_folder_without_a_project_is_said_so(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("check", tmp_path)
    assert said.code == 1
    assert "moonq new" in said.out + said.err


def test_a_path_that_does_not_exist_is_said_so(moonq: Moonq, tmp_path: Path) -> None:
    said = moonq("check", tmp_path / "nowhere")
    assert said.code == 1
    assert "nowhere" in said.out + said.err


def lines(out: str) -> list[str]:
    """The headlines, each with the place below it."""
    rows = out.splitlines()
    return [
        f"{row} @ {rows[at + 1].partition('┌─ ')[2]}"
        for at, row in enumerate(rows)
        if row.startswith(("error[", "warning[", "note["))
    ]


def test_lua_is_looked_at_in_functions_libraries_inline_text_and_tests(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    folder = project(
        GOOD
        + """\
  - {name: lib, kind: library.lua, source: file://lib.lua}
  - name: inline
    kind: function.lua
    modules: [logger]
    source: |
      local logger = require("logger")
      return function()
        logger.inf("x")
      end
"""
    )
    (folder / "lib.lua").write_text("local now = os.execute('date')\nloger.info(now)\nreturn {}\n")
    (folder / "deep").mkdir()
    (folder / "deep/lib_test.lua").write_text(
        'local test = require("test")\ntest.eq(queue.info("x"), tset.any())\n'
    )
    (folder / "deep/broken_test.lua").write_text("local = 1\n")
    said = moonq("check", folder)
    not_required = "`queue` is a module, and this file does not require it"
    assert lines(said.out) == [
        "warning[L312]: `logger` has no `inf` @ _index.yaml:14:16",
        "error[P110]: Lua expected a name here @ deep/broken_test.lua:1:7",
        f"warning[L310]: {not_required} @ deep/lib_test.lua:2:9",
        "warning[L310]: there is no global `tset`, so this will fail @ deep/lib_test.lua:2:26",
        "note[L311]: there is no `os.execute` in the sandbox @ lib.lua:1:16",
        "warning[L310]: there is no global `loger`, so this will fail @ lib.lua:2:1",
    ]
    assert said.out.endswith("1 error, 4 warnings, 1 note\n")
    assert json.loads(moonq("check", folder, "--json").out)["notes"] == 1


def test_what_yaml_gets_wrong_hides_nothing_in_lua(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    said = moonq("check", project(WRONG.replace("function() end", "function() loger.x() end")))
    assert [row[:13] for row in lines(said.out)] == ["error[R202]: ", "warning[L310]"]


def test_a_shared_file_is_complained_about_once_and_names_are_of_their_namespace(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    shared = "  - {{name: {}, kind: function.lua, source: file://s.lua, modules: [queue]}}\n"
    folder = project(GOOD + shared.format("f") + shared.format("g"))
    (folder / "s.lua").write_text(
        'local queue = require("queue")\nreturn function() queue.publish("jobs", 1)'
        ' queue.publish("jbos", 1) queue.publish("jobs.dead", 1) end\n'
    )
    assert len(lines(moonq("check", folder).out)) == 1
    (folder / "other.yaml").write_text("namespace: other\nentries:\n" + shared.format("h"))
    said = moonq("check", folder).out
    assert "no entry `other:jobs`" in said
    assert "did you mean `app:jobs`?" in said


def test_a_queue_that_nobody_serves_is_a_note(moonq: Moonq, project: Callable[[str], Path]) -> None:
    lonely = "  - {name: lonely, kind: queue.queue, driver: mem}\n"
    said = moonq("check", project(GOOD + lonely), "--strict")
    assert said.code == 0
    [row] = lines(said.out)
    assert row.startswith("note[R221]: no consumer serves `app:lonely`")
    assert said.out.endswith(": no errors, 1 note\n")


SHARED = """\
  - {name: file, kind: queue.driver.sqlite}
  - {name: shared, kind: queue.queue, driver: file}
"""
LETTERS = """\
  - {name: letters, kind: queue.queue, driver: mem}
  - {name: more, kind: queue.queue, driver: mem, dead_letter: {queue: letters}}
  - {name: second, kind: queue.consumer, queue: more, func: work}
"""


@pytest.mark.parametrize("entries", [SHARED, LETTERS], ids=["other hosts may", "dead letters"])
def test_a_queue_that_others_may_serve_is_no_note(
    moonq: Moonq, project: Callable[[str], Path], entries: str
) -> None:
    assert lines(moonq("check", project(GOOD + entries)).out) == []


def test_a_variable_that_is_not_set_is_a_warning(
    moonq: Moonq, project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOONQ_TEST_REGION", raising=False)
    entry = "  - {name: region, kind: env.variable, variable: MOONQ_TEST_REGION}\n"
    folder = project(GOOD + entry)
    assert "warning[R222]: the variable `MOONQ_TEST_REGION` is not set" in (
        moonq("check", folder).out
    )
    assert moonq("check", folder, "--strict").code == 1
    monkeypatch.setenv("MOONQ_TEST_REGION", "eu")
    assert lines(moonq("check", folder).out) == []
    monkeypatch.delenv("MOONQ_TEST_REGION")
    assert lines(moonq("check", project(GOOD + entry.replace("}", ", default: eu}"))).out) == []


def test_the_examples_and_a_new_project_are_beyond_doubt(
    moonq: Moonq, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "try-it-out")
    moonq("new", tmp_path / "shop")
    for folder in (*(root / "examples").iterdir(), tmp_path / "shop"):
        if folder.is_dir() and list(folder.rglob("_index.yaml")):
            assert moonq("check", folder, "--strict").out.endswith(": no errors\n"), folder


def test_help_comes_without_the_grammar_of_lua() -> None:
    code = "import sys, moonq.cli.commands.check; print('tree_sitter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_only_the_codes_that_are_asked_for_are_shown_and_count(
    moonq: Moonq, project: Callable[[str], Path]
) -> None:
    folder = project(UNUSED.replace("func: work}", "func: wrok}"))
    assert moonq("check", folder).code == 1
    said = moonq("check", folder, "--only", "l", "--json")
    found = [one["code"] for one in json.loads(said.out)["findings"]]
    assert (said.code, found) == (0, ["L302"])
    assert moonq("check", folder, "--only", "R202").code == 1
    assert moonq("check", folder, "--only", "R2,x!").code == 2


def test_code_scanning_reads_sarif(
    moonq: Moonq, project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(UNUSED.replace("driver: mem}", "driver: mme}"))
    monkeypatch.chdir(folder.parent)
    said = moonq("check", folder, "--format", "sarif")
    document = json.loads(said.out)
    assert (said.code, document["version"]) == (1, "2.1.0")
    [run] = document["runs"]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("R202", "error")
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "R202"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{folder.name}/_index.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 45, "endColumn": 48}
    assert "did you mean `mem`" in first["message"]["text"]


def test_a_fix_is_in_sarif_too(moonq: Moonq, project: Callable[[str], Path]) -> None:
    document = json.loads(moonq("check", project(UNUSED), "--format", "sarif").out)
    [found] = document["runs"][0]["results"]
    [change] = found["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["deletedRegion"]["startLine"] == 7


def test_runners_of_github_annotate_the_code(
    moonq: Moonq, project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(WRONG)
    monkeypatch.chdir(folder)
    annotated = "::error file=_index.yaml,line=4,col=45,title=R202::`driver` refers to"
    assert annotated in moonq("check", "--format", "github").out
    assert "::error" not in moonq("check").out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = moonq("check")
    assert annotated in said.out
    assert "error[R202]" in said.out
    assert "::error" not in moonq("check", "--json").out
