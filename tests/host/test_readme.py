"""What the README shows is so: its project, its call, its test and its policy."""

from __future__ import annotations

import re
import shlex
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from moonq import drivers
from moonq.checking import check
from moonq.control.locating import place_of
from moonq.control.server import Server
from moonq.host import Host
from moonq.kinds import inspect, load
from moonq.run.security import actions
from moonq.run.security.condition import Operator

Moonq = Callable[..., Any]


def blocks(root: Path, language: str, page: str = "README.md") -> list[str]:
    """The pieces of code in *page* that are written in *language*."""
    text = (root / page).read_text("utf-8")
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language]


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with which the README begins."""
    (tmp_path / "_index.yaml").write_text(blocks(root, "yaml")[0], "utf-8")
    (tmp_path / "process_order.lua").write_text(blocks(root, "lua")[0], "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_project_at_its_head_is_without_fault(project: Path) -> None:
    found, findings = inspect(project)
    assert found
    assert findings == []


def test_its_test_passes(root: Path, project: Path, moonq: Moonq) -> None:
    (project / "process_order_test.lua").write_text(blocks(root, "lua")[1], "utf-8")
    said = moonq("test")
    assert (said.code, "1 passed" in said.out + said.err) == (0, True), said


def test_its_policy_fits_a_consumer(root: Path, project: Path, moonq: Moonq) -> None:
    index = project / "_index.yaml"
    queues = "".join(
        f"  - {{name: {name}, kind: queue.queue, driver: mem}}\n" for name in ("tasks", "mail")
    )
    handler = "  - {name: handler, kind: function.lua, source: return function() end}\n"
    [policy] = [block for block in blocks(root, "yaml") if "security.policy" in block]
    index.write_text(index.read_text("utf-8") + policy + queues + handler, "utf-8")
    found, findings = inspect(project)
    assert found
    assert findings == []
    [shown] = [block for block in blocks(root, "console") if block.startswith("$ moonq explain ")]
    command, _, answer = shown.removeprefix("$ moonq ").partition("\n")
    assert moonq(*shlex.split(command)).out.startswith(answer)


def test_a_check_shows_a_name_that_is_not_there(root: Path, project: Path, moonq: Moonq) -> None:
    script = project / "process_order.lua"
    script.write_text(script.read_text("utf-8").replace("logger.info", "logger.inf"), "utf-8")
    [shown] = [block for block in blocks(root, "console") if block.startswith("$ moonq check\n")]
    assert moonq("check").out.startswith(shown.removeprefix("$ moonq check\n"))


def test_a_program_publishes_as_it_shows(
    root: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, whole = (
        code
        for page in ("README.md", "host/moonq/manual/programs.md")
        for code in blocks(root, "python", page)
    )
    host = Host(load(project))
    with tempfile.TemporaryDirectory(prefix="mq") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        server = Server(host, place_of(project))
        server.claim()
        host.start(consumers=False)
        server.listen()
        found: dict[str, Any] = {}
        exec(short, found)
        exec(whole, found)
        server.stop()
        host.stop(timeout=1)
    assert len({found["id"], *found["answers"]}) == 4
    assert host.queues.traffic()["app:orders"] == 6


def test_its_profile_fits_the_project_at_its_head(root: Path, project: Path) -> None:
    [shown] = [block for block in blocks(root, "yaml") if block.startswith("profiles:")]
    (project / "moonq.yaml").write_text(shown, "utf-8")
    found = load(project, profile="prod")
    assert found.entries["app:mem"].kind == "queue.driver.sqlite"
    assert found.settings.production


# The pages beside it --------------------------------------------------------------------------


def pages(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "host" / "moonq" / "manual").glob("*.md"))]


def test_the_links_of_every_page_lead_somewhere(root: Path) -> None:
    for page in pages(root):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            file, _, heading = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert "://" in link or target.exists(), (page.name, link)
            assert not heading or heading in headings(target), (page.name, link)


def headings(page: Path) -> set[str]:
    """What the headings of *page* are called in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in found}


def test_every_page_is_named_in_the_readme(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    for page in pages(root)[1:]:
        assert f"]({page.relative_to(root).as_posix()})" in readme


def test_the_page_about_drivers_speaks_of_each_of_ours(root: Path) -> None:
    text = (root / "host" / "moonq" / "manual" / "which-driver.md").read_text("utf-8")
    _, *parts, _speed = text.split("\n## ")  # what is measured is pasted from one run
    for kind in drivers.OURS:
        name = kind.rpartition(".")[2]
        assert f"`{name}`" in text
        assert all(f"\n| {name} |" in part for part in parts), name


def test_the_page_about_rights_has_every_action(root: Path) -> None:
    text = (root / "host/moonq/manual/who-may-do-what.md").read_text("utf-8")
    assert f"\n{actions.table()}\n" in text, "`make actions` prints the table"
    codes = re.findall(r"R2\d\d", text)
    assert codes
    operators = {
        one
        for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
        for one in re.findall(r"`(\w+)`", row)
    }
    assert set(get_args(Operator)) <= operators


def test_the_policies_of_that_page_fit_a_project(root: Path, project: Path) -> None:
    text = (root / "host/moonq/manual/who-may-do-what.md").read_text("utf-8")
    entries, settings = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    more = "".join(
        f"  - {one}\n"
        for one in (
            "{name: tasks, kind: queue.queue, driver: mem}",
            "{name: mail, kind: queue.queue, driver: mem}",
            "{name: notes, kind: store.memory}",
            "{name: handler, kind: function.lua, source: return function() end}",
        )
    )
    index = project / "_index.yaml"
    index.write_text(index.read_text("utf-8") + more + textwrap.indent(entries, "  "), "utf-8")
    (project / "moonq.yaml").write_text(settings, "utf-8")
    found = check(project, env={})
    assert found.project is not None
    assert {one.code for one in found.findings} <= {"R221", "R225"}, found.findings
