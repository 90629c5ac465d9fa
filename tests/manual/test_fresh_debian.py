"""The first hour of a new user, on a Debian that has nothing yet: no compiler, no broker, no Lua.

What README and getting-started.md tell to type is typed there. It takes minutes and the network,
so it is for `make soak`; see `debian.py` for what it needs here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.manual.debian import Debian
from tests.manual.page import Block, blocks_of
from tests.manual.reader import PATIENCE, Reader
from tests.manual.terminal import Second
from tests.servers.process import until

pytestmark = pytest.mark.slow

#: What a checkout has only where somebody worked in it.
MADE = (".git", ".venv*", ".tools", ".*_cache", ".hypothesis", "__pycache__", "*.native", "dist")
MINUTE = 60.0


class Newcomer(Reader):
    """Reads a page at that Debian; the current folder is hers, as seen from outside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, debian: Debian, checkout: Path) -> None:
        super().__init__(monkeypatch)
        self._debian, self._checkout = debian, checkout

    def read(self, block: Block) -> None:
        """Do what *block* shows, in `sh` as well."""
        if block.language == "sh":
            self._debian.shell(block.text, folder=self._checkout)
        super().read(block)
        if name := block.words.get("title"):
            self._debian.own(Path.cwd() / name)

    def _say(self, shown: str, args: list[str]) -> str:
        terminal = Second(self._debian.command("moonq", *args, folder=Path.cwd()), Path.cwd())
        try:
            for question, answer in re.findall(r"^ *(.+\]: )(\w+)$", shown, re.MULTILINE):
                until(lambda asked=question: terminal.said.endswith(asked), question, PATIENCE)
                terminal.type(f"{answer}\n")
            self._code = terminal.wait(PATIENCE)
            return terminal.said
        finally:
            terminal.close()

    def _open_terminal(self, args: list[str]) -> Second:
        command = self._debian.command("moonq", *args, folder=Path.cwd(), columns=1000)
        return Second(command, Path.cwd())


@pytest.fixture(scope="module")
def debian(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Debian]:
    assert request.config.cache
    cache = request.config.cache.mkdir("debian")
    with Debian.fresh(tmp_path_factory.mktemp("debian"), cache) as made:
        made.shell("! command -v cc gcc clang c99")
        yield made


@pytest.fixture(scope="module")
def checkout(debian: Debian, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a checkout, in the home of the new user."""
    clean = tmp_path_factory.mktemp("clean") / "checkout"
    shutil.copytree(root, clean, ignore=shutil.ignore_patterns(*MADE))
    return debian.give(clean, "checkout")


@pytest.fixture(scope="module")
def wheel(debian: Debian, root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a wheel that was built here, in the home of the new user."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, root]
    subprocess.run(command, check=True, capture_output=True)
    [built] = out.glob("*.whl")
    debian.give(built, built.name)
    return built.name


def test_ten_minutes_are_enough_to_get_started_from_nothing(
    debian: Debian, checkout: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = root / "host" / "moonq" / "manual" / "getting-started.md"
    monkeypatch.chdir(debian.home)
    newcomer = Newcomer(monkeypatch, debian, checkout)
    begun = time.monotonic()
    try:
        newcomer.read_page(page)
    finally:
        newcomer.close()
    assert time.monotonic() - begun < 10 * MINUTE
    assert "JSON lua" in debian.shell("moonq version")


def test_the_readme_leads_to_a_green_test_within_a_minute(
    debian: Debian, checkout: Path, root: Path
) -> None:
    told = [block.text for block in blocks_of(root / "README.md") if block.language == "sh"]
    [own] = [text for text in told if "moonq new ~/shop" in text]
    install, new, rest = own.partition("moonq new")
    debian.shell(f"rm -rf ~/moonq ~/shop\n{install}", folder=checkout)
    begun = time.monotonic()
    *steps, run = f"{new}{rest}".splitlines()
    said = debian.shell("\n".join(steps), folder=checkout)
    assert time.monotonic() - begun < MINUTE
    assert "0 failed · 2 passed" in said
    assert "would ack" in said
    assert "stopped" in debian.shell(f"{run} --until-idle", folder=debian.home / "shop")


def test_make_run_in_a_checkout_ends_well_and_leads_on(debian: Debian, checkout: Path) -> None:
    said = debian.shell("make run", folder=checkout)
    assert said.count("Verarbeite") == 5
    place, _, steps = said.partition("What to do next:\n")
    assert "moonq is in /home/ada/checkout/.venv/bin." in place
    said = debian.shell(f"rm -rf ~/shop\n{steps}", folder=checkout)
    assert "0 failed · 2 passed" in said
    assert "# Getting started" in said


def test_pipx_installs_a_wheel_with_native_json_where_there_is_no_compiler(
    debian: Debian, wheel: str
) -> None:
    debian.shell(f"rm -rf ~/moonq ~/pipped\npipx install ./{wheel}", folder=debian.home)
    assert "JSON native" in debian.shell("moonq version")
    said = debian.shell("moonq new pipped\ncd pipped\nmoonq test", folder=debian.home)
    assert "0 failed · 2 passed" in said
