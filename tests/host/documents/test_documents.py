"""`--json` of every command answers what it answered when it was recorded.

Schema, keys, their order, types, values and exit codes are compared; `masking` says what is left
out. `MOONQ_RECORD=1 pytest tests/host/documents` writes the recordings anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

from .cases import CASES, Case
from .masking import recorded

RECORDED = Path(__file__).parent / "recorded"
#: Seconds in which a number comes, or never will.
PATIENCE = 5.0

Moonq = Callable[..., Any]


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what the machine is used for otherwise change no answer."""
    for name in ("CI", "GITHUB_ACTIONS", "SHOP_REGION"):
        monkeypatch.delenv(name, raising=False)


def answer(moonq: Moonq, case: Case) -> Any:
    """Type the command, again and again where its numbers take a moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        said = moonq(*shlex.split(case.typed))
        if case.until is None or time.monotonic() > deadline or case.until(json.loads(said.out)):
            return said
        time.sleep(0.05)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_answer_is_as_it_was_recorded(
    moonq: Moonq, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    folder: Path = request.getfixturevalue(case.scene)
    monkeypatch.chdir(folder)
    for name, text in case.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for typed in case.before:
        assert moonq(*shlex.split(typed)).code in (0, 1), typed
    found = recorded(case.typed, answer(moonq, case), folder)
    path = RECORDED / f"{case.name}.json"
    if os.environ.get("MOONQ_RECORD"):
        path.write_text(found, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    differences = unified_diff(
        before.splitlines(), found.splitlines(), f"recorded/{path.name}", "now", lineterm=""
    )
    if found != before:
        pytest.fail("\n".join(differences), pytrace=False)


def test_every_command_has_a_case(moonq: Moonq) -> None:
    _, _, listed = moonq("--help").out.partition("Commands:\n")
    commands = set(re.findall(r"^  (\w+) ", listed, re.MULTILINE))
    assert "publish" in commands
    assert commands - {case.typed.split()[0] for case in CASES} == set()


def test_every_recording_has_a_case_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert sorted(path.stem for path in RECORDED.glob("*.json")) == sorted(names)
