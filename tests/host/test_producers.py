"""Programs that are not the command line publish as the page of the example says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moonq.run.publishing import _READERS as OPTIONS

from .conftest import until

Publish = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example with its host running."""
    folder = tmp_path_factory.mktemp("p") / "producers"
    shutil.copytree(root / "examples/producers", folder, ignore=shutil.ignore_patterns(".moonq"))
    log = folder.parent / "log"
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder.parent)}
    with log.open("w", encoding="utf-8") as stream:
        host = subprocess.Popen(
            [sys.executable, "-m", "moonq", "run", folder, "--log", "json"],
            stderr=stream,
            env=environment,
        )
    until(lambda: listens(folder) or host.poll() is not None)
    yield folder
    host.send_signal(signal.SIGTERM)
    assert host.wait(20) == 0, log.read_text("utf-8")


def listens(folder: Path) -> bool:
    record = folder / ".moonq/run/host.json"
    return record.exists() and Path(json.loads(record.read_text("utf-8"))["socket"]).exists()


def greeted(folder: Path) -> list[dict[str, Any]]:
    lines = (folder.parent / "log").read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["message"] == "hello"]


def node() -> str:
    """Return where node is; without it a test is skipped, or fails where CI is set."""
    found = shutil.which("node")
    if found is None and os.environ.get("CI"):
        pytest.fail("node is not installed")
    if found is None:
        pytest.skip("node is not installed")
    return found


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(params=["python", "node"])
def publish(request: pytest.FixtureRequest, folder: Path) -> Publish:
    """Run the script in one language."""
    script = {"python": "publish.py", "node": "publish.mjs"}[request.param]
    program = sys.executable if request.param == "python" else node()
    return lambda *args: run(program, folder / script, folder, *args)


def test_a_script_in_another_language_publishes(folder: Path, publish: Publish) -> None:
    before = len(greeted(folder))
    done = publish("app:greetings", '{"name": "Zoë"}')
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[0-9a-f-]{36}\n", done.stdout)
    until(lambda: len(greeted(folder)) > before)
    last = greeted(folder)[-1]
    assert (last["name"], last["from"] in ("python", "node")) == ("Zoë", True)


def test_a_script_says_why_it_was_refused(publish: Publish) -> None:
    missing = publish("app:nothing", "1")
    assert missing.returncode == 1
    assert "no entry 'app:nothing' in producers" in missing.stderr
    wrong = publish("app:greetings", "{")
    assert wrong.returncode == 1
    assert "the body is not JSON" in wrong.stderr


def page(root: Path) -> str:
    return (root / "examples/producers/README.md").read_text("utf-8")


def test_the_client_on_the_page_publishes(root: Path, folder: Path) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", page(root), re.MULTILINE | re.DOTALL)
    done = run(sys.executable, "-c", code.replace("examples/producers", str(folder)))
    assert done.returncode == 0, done.stderr
    until(lambda: any(line["name"] == "Alan" for line in greeted(folder)))


def test_the_frames_on_the_page_are_what_travels(root: Path, folder: Path) -> None:
    blocks = re.findall(r"(?:^    .*\n)+", page(root), re.MULTILINE)
    frames = [re.sub(r"\s+", "", one) for one in blocks if one.startswith("    {")]
    hello, request, result, refusal = frames
    record = json.loads((folder / ".moonq/run/host.json").read_text("utf-8"))
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw") as lines:
        connection.connect(record["socket"])
        first = json.loads(lines.readline())
        assert json.loads(hello.replace(",…", "")).items() <= first.items()
        print(request, file=lines, flush=True)
        answer = json.loads(lines.readline())
        wanted = json.loads(result)
        assert answer["value"]["answers"][0].keys() == wanted["value"]["answers"][0].keys()
        wanted["value"]["answers"] = answer["value"]["answers"]
        assert answer == wanted
        print(request.replace("app:greetings", "app:nothing"), file=lines, flush=True)
        error = json.loads(lines.readline())
        wanted = json.loads(refusal.replace(",…", ""))
        assert error.keys() == wanted.keys()
        assert wanted["error"].keys() <= error["error"].keys()


def test_the_page_names_every_option(root: Path) -> None:
    assert set(re.findall(r"`options\.(\w+)`", page(root))) == set(OPTIONS)


def test_the_scripts_stay_short(root: Path) -> None:
    for name in ("publish.py", "publish.mjs"):
        text = (root / "examples/producers" / name).read_text("utf-8")
        assert len([line for line in text.splitlines() if line.strip()]) <= 20
