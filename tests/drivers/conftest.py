"""The drivers that play the delivery contract: to have one tested here, add a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports them: then a failing case shows the values on both sides.
pytest.register_assert_rewrite("moonq.conformance")

from moonq.clock import Clock  # noqa: E402
from moonq.conformance import Scene  # noqa: E402
from moonq.drivers.base import Driver  # noqa: E402
from moonq.drivers.memory.driver import MemoryDriver  # noqa: E402
from moonq.drivers.sqlite.driver import SqliteDriver  # noqa: E402


def _memory(clock: Clock, _folder: Path) -> Driver:
    return MemoryDriver(clock)


def _sqlite(clock: Clock, folder: Path) -> Driver:
    return SqliteDriver(clock, folder / "queues.db", durability="normal", ballast_mb=0)


DRIVERS: dict[str, Callable[[Clock, Path], Driver]] = {"memory": _memory, "sqlite": _sqlite}


@pytest.fixture(params=sorted(DRIVERS))
def driver_name(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def make_scene(driver_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes fresh scenes of one driver."""
    scenes: list[Scene] = []

    def make() -> Scene:
        folder = tmp_path_factory.mktemp(driver_name)
        scenes.append(Scene(lambda clock: DRIVERS[driver_name](clock, folder)))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.driver.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    return make_scene()
