"""Lets pytest collect `*_test.lua`: each `it` is one item.

    tests/stdlib/json_test.lua::json.decode refuses trailing commas

It comes with the package, so there is nothing to configure. Tests reach nothing beyond the host,
unless `--moonq-real` is given, or `moonq_real` lists their folders in the configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from moonq.testing.results import Case, Result
    from moonq.testing.sources import Projects
    from moonq.testing.suites import Suite

_PROJECTS = pytest.StashKey["Projects"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `moonq test --real` says."""
    group = parser.getgroup("moonq")
    words = "let tests in Lua reach beyond the host"
    group.addoption("--moonq-real", action="store_true", help=words)
    parser.addini("moonq_real", "folders whose tests in Lua reach beyond the host", "paths", [])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LuaFile | None:
    """Collect files whose name ends with `_test.lua`."""
    if file_path.name.endswith("_test.lua"):
        return LuaFile.from_parent(parent, path=file_path)
    return None


class LuaFile(pytest.File):
    """One file with tests in Lua."""

    _suite: Suite
    _planned = False

    def collect(self) -> Iterator[LuaItem]:
        """Load the file and yield its tests."""
        from moonq.testing.runner import in_ci
        from moonq.text.plain import visible

        self._suite = self._load()
        names: dict[str, int] = {}
        only = not in_ci() and any(case.only for case in self._suite.cases)
        for case in self._suite.cases:
            names[case.full_name] = times = names.get(case.full_name, 0) + 1
            name = visible(case.full_name)
            if case.only or not only:
                shown = name if times == 1 else f"{name} #{times}"
                yield LuaItem.from_parent(self, name=shown, case=case)

    def _load(self) -> Suite:
        from moonq.errors import ProjectInvalid
        from moonq.testing.runner import in_ci
        from moonq.testing.sources import Search
        from moonq.testing.suites import Conditions, Suite
        from moonq.text.findings import render

        projects = _projects(self.config)
        try:
            (source,) = Search(projects, None).find([str(self.path)])
            conditions = Conditions(may_store=not in_ci(), real=_is_real(self.config, self.path))
            suite = Suite(source, projects.at(source.root), conditions)
        except ProjectInvalid as problem:
            raise self.CollectError(render(problem.findings)) from None
        finding = suite.load()
        if finding:
            raise self.CollectError(render([finding]))
        return suite

    def run(self, case: Case) -> Result:
        """Run one test."""
        from moonq.testing.runner import in_ci, without_only

        if not self._planned:
            self._planned = True
            mine = (item for item in self.session.items if item.parent is self)
            self._suite.plan([item.case for item in mine if isinstance(item, LuaItem)])
        result = self._suite.run(case)
        return without_only(result) if in_ci() else result

    def teardown(self) -> None:
        """Give the state back behind the last test.

        Raises:
            Failed: A block that was left open could not be closed.
        """
        problems = self._suite.finish()
        self._suite.close()
        if problems:
            from moonq.testing.blocks import problem_rows

            pytest.fail("\n".join(row for one in problems for row in problem_rows(one)), False)


class LuaItem(pytest.Item):
    """One test."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        for tag in case.tags:
            self.keywords[tag] = tag

    def runtest(self) -> None:
        """Run it."""
        assert isinstance(self.parent, LuaFile)
        result = self.parent.run(self.case)
        if result.status == "skipped":
            pytest.skip(result.reason or "skipped in the file")
        if result.is_bad:
            raise _Failed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what `moonq test` shows."""
        if isinstance(excinfo.value, _Failed):
            from moonq.testing.blocks import block

            return "\n".join(block(excinfo.value.result))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, max(0, self.case.line - 1), self.name


class _Failed(Exception):
    """A test is not content."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.case.title)
        self.result = result


def _is_real(config: pytest.Config, path: Path) -> bool:
    folders: list[Path] = config.getini("moonq_real")
    return bool(config.getoption("--moonq-real")) or any(map(path.is_relative_to, folders))


def _projects(config: pytest.Config) -> Projects:
    from moonq.testing.sources import Projects

    return config.stash.setdefault(_PROJECTS, Projects(os.environ.get("MOONQ_PROFILE", "")))
