"""What EmmyLua and LuaLS say of a project with the types that moonq writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.cli.scaffolding import TEMPLATES

Moonq = Callable[..., Any]
ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/_index.yaml"))
FAULTY = """\
local queue = require("queue")
local nope = require("nope")
queue.publish("app:ordrs", {})
queue.publsh("app:orders", {})
queue.publish("app:orders", {}, nil, { delay = true })
queue.message():atempt()
os.execute("true")
io.popen(nope)
print(os.time(), debug.traceback(), queue.message():attempt(), undefined_thing)
return nil, errors.new({ message = "no such order", kind = "NOTFOUND" })
"""


@pytest.fixture(scope="session")
def emmylua() -> str:
    """The checker, which `make tools-emmylua` puts into .tools."""
    found = shutil.which("emmylua_check", path=f"{ROOT / '.tools/bin'}:{os.environ['PATH']}")
    if found is None:
        missing = "emmylua_check is not installed: make tools-emmylua (needs cargo)"
        if os.environ.get("CI") and shutil.which("cargo"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def luals() -> str:
    found = shutil.which("lua-language-server")
    if found is None:
        pytest.skip("lua-language-server is not installed")
    return found


def said_by_emmylua(checker: str, folder: Path) -> list[tuple[str, int, str]]:
    """File, line and code of each finding, hints aside."""
    done = subprocess.run(
        [checker, "--output-format", "json", "--severity", "warn", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout) if done.stdout.strip() else []
    return sorted(
        (Path(file["file"]).name, one["range"]["start"]["line"] + 1, one["code"])
        for file in found
        for one in file["diagnostics"]
    )


def said_by_luals(checker: str, folder: Path) -> list[tuple[str, int, str]]:
    log = folder / ".moonq" / "luals"
    subprocess.run(
        [checker, f"--check={folder}", "--checklevel=Warning", f"--logpath={log}"],
        capture_output=True,
        check=False,
    )
    report = log / "check.json"
    found = json.loads(report.read_text()) if report.exists() else {}
    return sorted(
        (file.rpartition("/")[2], one["range"]["start"]["line"] + 1, one["code"])
        for file, all_of_it in (found or {}).items()
        for one in all_of_it
    )


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every example and every template of `moonq new`, each with its types."""
    from moonq.cli.failures import guarded
    from moonq.cli.options import Options

    folder = tmp_path_factory.mktemp("projects")
    for name in EXAMPLES:
        shutil.copytree(
            ROOT / "examples" / name, folder / name, ignore=shutil.ignore_patterns(".moonq")
        )
        assert guarded(["types", str(folder / name), "-q"], Options()) == 0
    for name in TEMPLATES:
        made = ["new", str(folder / f"new-{name}"), "--template", name, "-q"]
        assert guarded(made, Options()) == 0
    (folder / "new-basic" / "faulty.lua").write_text(FAULTY)
    return folder


NAMES = [*EXAMPLES, *(f"new-{name}" for name in TEMPLATES if name != "basic")]
CLEAN: list[tuple[str, list[Any]]] = [(name, []) for name in NAMES]


def test_emmylua_flags_nothing_in_our_examples_and_templates(emmylua: str, projects: Path) -> None:
    assert [(name, said_by_emmylua(emmylua, projects / name)) for name in NAMES] == CLEAN


def test_emmylua_flags_what_would_fail_and_nothing_else(emmylua: str, projects: Path) -> None:
    assert said_by_emmylua(emmylua, projects / "new-basic") == [
        ("faulty.lua", 2, "unresolved-require"),
        ("faulty.lua", 3, "param-type-mismatch"),
        ("faulty.lua", 4, "undefined-field"),
        ("faulty.lua", 5, "param-type-mismatch"),
        ("faulty.lua", 6, "undefined-field"),
        ("faulty.lua", 7, "need-check-nil"),
        ("faulty.lua", 8, "need-check-nil"),
        ("faulty.lua", 9, "undefined-global"),
        ("faulty.lua", 10, "param-type-mismatch"),
    ]


def test_luals_flags_nothing_in_our_examples_and_templates(luals: str, projects: Path) -> None:
    assert [(name, said_by_luals(luals, projects / name)) for name in NAMES] == CLEAN


def test_luals_flags_an_unknown_id_a_misspelt_member_and_what_the_sandbox_lacks(
    luals: str, projects: Path
) -> None:
    found = said_by_luals(luals, projects / "new-basic")
    assert {file for file, _, _ in found} == {"faulty.lua"}
    assert {3, 4, 5, 6, 7, 8, 9, 10} <= {line for _, line, _ in found}
