"""Tests that mostly wait run in processes of their own, beside the others.

Those with the marker `aside(NAME)`, one process for each name, begin with the first of all tests,
and are told of behind the last: waiting for servers costs the run of all tests no time. A run of
one such name alone, or with a debugger, is an ordinary one.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers.process import Process

#: What goes by no real time lets the others go first.
PATIENT = {"suite"}
#: Real seconds within which the report of the next test must come, on a busy machine too.
LIMIT = 420.0
_ROOT = Path(__file__).parents[1]


class Beside:
    """One process that runs tests, and what it has reported of them."""

    def __init__(self, name: str, items: list[pytest.Item], config: pytest.Config) -> None:
        self._config = config
        self._reports: dict[str, list[pytest.TestReport]] = {}
        folder = Path(tempfile.mkdtemp(prefix=f"moonq-aside-{name}-"))
        self._told = folder / "reports.jsonl"
        self._told.touch()
        wanted = folder / "wanted.txt"
        wanted.write_text("\n".join(item.nodeid for item in items), encoding="utf-8")
        plugins = ["-p", "tests.aside", f"--aside-to={self._told}", f"--rootdir={_ROOT}"]
        argv = [sys.executable, "-m", "pytest", *plugins, f"@{wanted}"]
        if name in PATIENT:
            argv = ["nice", *argv]
        self._process = Process(argv, folder, lambda: True, {"PYTHONPATH": str(_ROOT)}, _ROOT)
        self._process.start()
        self._lines = self._follow()

    def reports(self, nodeid: str) -> list[pytest.TestReport]:
        """Wait for what became of one test, which was set up, called and torn down."""
        while True:
            found = self._reports.get(nodeid, [])
            if _is_last(found):
                return found
            line = next(self._lines, None)
            if line is None:
                return [*found, self._broken(nodeid)]
            hook = self._config.hook
            report = hook.pytest_report_from_serializable(
                config=self._config, data=json.loads(line)
            )
            self._reports.setdefault(report.nodeid, []).append(report)

    def _take(self, data: dict[str, Any]) -> None:
        config = self._config
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        self._reports.setdefault(report.nodeid, []).append(report)

    def _follow(self) -> Iterator[str]:
        """Yield each line that is written; it ends with the process, or when none comes."""
        with self._told.open(encoding="utf-8") as told:
            give_up = time.monotonic() + LIMIT
            while time.monotonic() < give_up:
                is_over = self._process.is_over()
                while (line := told.readline()).endswith("\n"):
                    yield line
                    give_up = time.monotonic() + LIMIT
                if is_over:
                    return
                told.seek(told.tell() - len(line.encode()))
                time.sleep(0.05)

    def _broken(self, nodeid: str) -> pytest.TestReport:
        place = (nodeid.partition("::")[0], None, nodeid)
        said = f"the process beside gave no report of it:\n{self._process.log}"
        return pytest.TestReport(nodeid, place, {}, "failed", said, "call")


class Reporter:
    """Writes the reports of this process to the file that somebody reads."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._to = Path(config.getoption("aside_to"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell of one phase of a test."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._to.open("a", encoding="utf-8") as told:
            told.write(json.dumps(data) + "\n")


class Runner:
    """Has tests run aside, and tells of them as if they had run here."""

    def __init__(self) -> None:
        self._beside: dict[str, Beside] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put what runs aside behind the rest."""
        items.sort(key=lambda item: _name(item) is not None)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Have it begin."""
        option = session.config.option
        names = {_name(item) for item in session.items}
        if option.collectonly or option.usepdb or len(names) < 2:
            return
        for name in sorted(filter(None, names)):
            items = [item for item in session.items if _name(item) == name]
            self._beside[name] = Beside(name, items, session.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Tell of a test that runs aside, when it has."""
        beside = self._beside.get(_name(item) or "")
        if beside is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in beside.reports(item.nodeid):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


def _is_last(reports: list[pytest.TestReport]) -> bool:
    """Return whether no further try follows; see `conftest.pytest_configure`."""
    if not reports or reports[-1].when != "teardown":
        return False
    tries = [getattr(report, "rerun", 0) for report in reports]
    last = [report for report, one in zip(reports, tries, strict=True) if one == tries[-1]]
    return all(report.outcome != "rerun" for report in last)


def _name(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("aside")
    return mark.args[0] if mark else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know where to report to."""
    parser.addoption("--aside-to", default="", help="write reports of tests to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Report to whoever asked, or run aside what is marked so."""
    is_aside = config.getoption("aside_to")
    config.pluginmanager.register(Reporter(config) if is_aside else Runner(), "aside")
