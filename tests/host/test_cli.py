from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from moonq import __version__
from moonq.cli import COMMANDS
from moonq.cli import moonq as group
from moonq.errors import MoonqError, NotFound
from moonq.sandbox import native

Moonq = Callable[..., Any]


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `moonq version` raise *error*."""

    def fail(_: str) -> str:
        raise error

    monkeypatch.setattr("importlib.metadata.version", fail)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(moonq: Moonq, name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    said = moonq(name, "--help")
    assert said.code == 0
    assert f"moonq {name}" in (command.help or "").split("Example")[1]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name} has no help"


def test_the_common_options_stand_before_or_behind_the_command(moonq: Moonq) -> None:
    assert moonq("--json", "version").out == moonq("version", "--json").out
    assert json.loads(moonq("version", "--json").out)["moonq"] == __version__


def test_the_version_says_which_codec_reads_and_writes_json(moonq: Moonq) -> None:
    codec = json.loads(moonq("version", "--json").out)["json_codec"]
    assert codec == native.codec().name
    assert moonq("version").out.endswith(f" · JSON {codec}\n")


def test_an_environment_variable_stands_for_an_option(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONQ_JSON", "1")
    assert json.loads(moonq("version").out)["lua"] == "5.4"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_the_variable_that_its_name_promises(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    context = click.Context(command, auto_envvar_prefix=f"MOONQ_{name.upper()}")
    for option in command.params:
        if isinstance(option, click.Option):
            promised = f"{context.auto_envvar_prefix}_{option.opts[-1].strip('-').upper()}"
            usual = f"{context.auto_envvar_prefix}_{(option.name or '').upper()}"
            assert (option.envvar or usual) == promised.replace("-", "_")


def test_the_readme_names_every_command(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"| `moonq {name}" not in readme] == []


def test_help_answers_at_once_and_loads_nothing_heavy(root: Path) -> None:
    code = (
        "import sys, moonq.__main__ as m\n"
        "sys.argv = ['moonq', '--help']\n"
        "try: m.main()\n"
        "finally: print(sorted({'rich','pydantic','lupa','yaml','moonq.cli.forwarding',"
        "'moonq.cli.commands.run'} & set(sys.modules)))"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    assert done.stdout.rstrip().endswith("[]")
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    # 0.2 s on an idle machine; the rest is what a busy one may add.
    assert took < 1


def test_wrong_usage_is_2(moonq: Moonq) -> None:
    said = moonq("version", "--jsno")
    assert said.code == 2
    assert "--json" in said.err
    assert said.out == ""


def test_an_expected_error_is_one_line_a_hint_and_its_code(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, NotFound("no entry 'app:ordres'\x1b[2J", hint="did you mean 'app:orders'?"))
    assert moonq("version") == (
        4,
        "",
        "moonq: no entry 'app:ordres'\\x1b[2J\n  hint: did you mean 'app:orders'?\n",
    )


def test_an_error_under_json_is_a_document_on_stderr(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, NotFound("no entry", hint="make one"))
    said = moonq("version", "--json")
    assert (said.code, said.out) == (4, "")
    assert json.loads(said.err) == {
        "schema": "moonq.error/1",
        "error": {"code": "NOT_FOUND", "message": "no entry", "help": ["make one"]},
    }
    assert json.loads(moonq("version", "--jsno", "--json").err)["error"]["code"] == "USAGE"


def test_a_bug_leaves_a_report_and_no_traceback_on_the_terminal(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".moonq").mkdir()
    broken(monkeypatch, KeyError("lost"))
    said = moonq("version", "-C", tmp_path)
    assert said.code == 70
    assert len(said.err.splitlines()) == 1
    [report] = (tmp_path / ".moonq").iterdir()
    assert str(report) in said.err
    assert "KeyError: 'lost'" in report.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_no_bug(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, PermissionError(13, "Permission denied", "shop/moonq.yaml"))
    assert moonq("version") == (1, "", "moonq: shop/moonq.yaml: Permission denied\n")


def test_ctrl_c_outside_of_a_run_is_130_without_a_word(
    moonq: Moonq, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, KeyboardInterrupt())
    said = moonq("version")
    assert said.code == 130
    assert "Traceback" not in said.err


def test_a_reader_that_leaves_early_ends_it_as_any_tool() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "moonq", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.close()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 141
    assert err == ""


def test_output_survives_a_terminal_that_knows_only_ascii() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "moonq", "version"],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.startswith(b"moonq ")


def test_every_error_has_an_exit_code_of_the_table() -> None:
    table = {1, 3, 4, 5, 6, 7, 8, 9, 10}
    waiting: list[type[MoonqError]] = [MoonqError]
    while waiting:
        error = waiting.pop()
        assert error.exit_code in table, error
        waiting += error.__subclasses__()
