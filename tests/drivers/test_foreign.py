"""Drivers that other packages bring: one that works like ours, and some that do not load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moonq.conformance import CASES

pytestmark = pytest.mark.aside("stores")
HERE = Path(__file__).parent / "foreign"
INDEX = """\
namespace: app
entries:
  - {{name: box, kind: queue.driver.{kind}}}
  - {{name: tasks, kind: queue.queue, driver: box}}
  - {{name: run, kind: function.lua, source: file://run.lua, method: run, modules: [queue]}}
  - {{name: worker, kind: queue.consumer, queue: tasks, func: run}}
  - {{name: fill, kind: function.lua, source: file://run.lua, method: fill, modules: [queue]}}
"""
SCRIPT = """\
local queue = require("queue")
return {
  run = function(body) print("handled " .. body.number) end,
  fill = function()
    for number = 1, 3 do
      assert(queue.publish("app:tasks", { number = number }))
    end
  end,
}
"""


def project_with(folder: Path, kind: str) -> Path:
    (folder / "_index.yaml").write_text(INDEX.format(kind=kind), encoding="utf-8")
    (folder / "run.lua").write_text(SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the tiny driver was installed from a wheel."""
    dist, site = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(HERE)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    [wheel] = dist.glob("*.whl")
    pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site)]
    subprocess.run([sys.executable, *pip, str(wheel)], check=True, capture_output=True)
    return site


def moonq(site: Path, *words: object, module: str = "moonq") -> tuple[int, str, str]:
    """What moonq says when the packages below *site* are installed beside it."""
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.returncode, done.stdout, done.stderr


def test_a_project_with_a_driver_from_a_wheel_is_checked_and_run(
    installed: Path, tmp_path: Path
) -> None:
    project = project_with(tmp_path, "tiny")
    assert moonq(installed, "check", project)[0] == 0
    code, _, err = moonq(installed, "run", project, "--call", "app:fill", "--until-idle")
    assert code == 0, err
    assert [number for number in range(1, 4) if f"handled {number}" in err] == [1, 2, 3]


def test_messages_leave_a_driver_that_has_no_method_for_it(installed: Path, tmp_path: Path) -> None:
    """It has none of a `Mover`'s methods, as one that was written before there were any."""
    project = project_with(tmp_path, "tiny")

    def ask(*steps: str) -> tuple[int, str, str]:
        return moonq(installed, "repl", "--local", "-C", project, *(f"-e{one}" for one in steps))

    code, out, err = ask(
        'queue.publish("app:tasks", 1)', 'mq.move("tasks", "tasks.dead")', "mq.queues()"
    )
    assert code == 0, err
    assert "moved = 1," in out
    assert [line.strip() for line in out.splitlines() if "message_count" in line] == [
        "message_count = 0,",
        "message_count = 1,",
    ]


def test_its_entry_is_checked_with_its_own_model(installed: Path, tmp_path: Path) -> None:
    project = project_with(tmp_path, "tiny, room: many")
    code, out, err = moonq(installed, "check", project)
    assert code != 0
    assert "room" in out + err


def test_the_suite_holds_a_driver_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    project = project_with(tmp_path, "tiny")
    code, out, _ = moonq(installed, "doctor", "--driver", "box", "-C", project, "--json")
    answer = json.loads(out)
    assert (code, answer["failed"], answer["cases"]) == (0, [], len(CASES))
    assert answer["kind"] == "queue.driver.tiny"
    assert answer["capabilities"]["durable"] == "none"


BROKEN = """
from moonq.drivers.memory.subscription import MemorySubscription

MemorySubscription.start = lambda self, delivery: True
"""


def test_its_own_tests_are_the_suite_and_show_what_is_not_kept(
    installed: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "test_tiny.py"
    mine.write_text((HERE / "contract_of_tiny.py").read_text("utf-8"), encoding="utf-8")
    words = ("-p", "no:cacheprovider", "-k", "priority or delay", "--rootdir", tmp_path, mine)
    code, out, err = moonq(installed, *words, module="pytest")
    chosen = [case for case in CASES if "priority" in str(case) or "delay" in str(case)]
    assert (code, f"{len(chosen)} passed" in out) == (0, True), out + err
    with mine.open("a", encoding="utf-8") as file:
        file.write(BROKEN)
    words = (*words, "-k", "delivery_starts_once")
    code, out, _ = moonq(installed, *words, module="pytest")
    assert code == 1
    assert "assert not True" in out


def test_the_page_about_extending_shows_this_package(root: Path) -> None:
    text = (root / "host/moonq/manual/extending.md").read_text("utf-8")
    section = text.partition("\n## A driver\n")[2].partition("\n## ")[0]
    shown = re.findall(r"^```\w+\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    written = "".join(path.read_text("utf-8") for path in sorted(HERE.glob("*.*")))
    assert len(shown) == 3
    assert [block for block in shown if block not in written] == []


def test_the_table_of_the_drivers_has_it(installed: Path) -> None:
    code, out, _ = moonq(installed, module="moonq.drivers.capabilities")
    assert code == 0
    header = out.partition("\n")[0]
    assert header.startswith("| | memory | sqlite |")
    assert header.endswith(" tiny |")


def test_without_the_package_its_kind_is_unknown(tmp_path: Path) -> None:
    code, out, err = moonq(tmp_path, "check", project_with(tmp_path, "tiny"))
    assert code != 0
    assert "unknown entry kind `queue.driver.tiny`" in out + err


def package(site: Path, name: str, point: str, source: str = "") -> None:
    """Let a package be installed that names the driver *point*."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[moonq.drivers]\n{point}\n")
    (site / f"{name}.py").write_text(source)


TINY = "from moonq_tiny import DESCRIPTOR"


@pytest.mark.parametrize(
    ("kind", "source", "says"),
    [
        ("bad", "import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("bad", "DESCRIPTOR = 7", "broken:DESCRIPTOR is no Descriptor of queue.driver.bad"),
        ("bad", TINY, "broken:DESCRIPTOR is no Descriptor of queue.driver.bad"),
        ("tiny", TINY, "claimed by 2 packages: broken, moonq-tiny"),
        ("memory", TINY, "claimed by 2 packages: moonq, broken"),
    ],
)
def test_a_package_that_is_wrong_is_named_and_harms_no_other_project(
    installed: Path, tmp_path: Path, kind: str, source: str, says: str
) -> None:
    site, mine, other = tmp_path / "site", tmp_path / "mine", tmp_path / "other"
    for folder in (site, mine, other):
        folder.mkdir()
    package(site, "broken", f"{kind} = broken:DESCRIPTOR", source)
    both = Path(f"{site}{os.pathsep}{installed}")
    code, out, err = moonq(both, "check", project_with(mine, kind))
    assert code != 0
    assert says in err
    assert "broken" in err
    assert "Traceback" not in out + err
    assert moonq(both, "check", project_with(other, "sqlite"))[0] == 0
