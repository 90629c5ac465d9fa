"""The drivers that play the delivery contract: all that the table names, or that are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports them: then a failing case shows the values on both sides.
pytest.register_assert_rewrite("moonq.conformance")

from moonq import drivers  # noqa: E402
from moonq.clock import Clock  # noqa: E402
from moonq.conformance import Scene  # noqa: E402
from moonq.drivers.base import Driver  # noqa: E402

#: Settings that make a driver quick where no test is about them.
QUICK: dict[str, dict[str, Any]] = {
    "queue.driver.sqlite": {"durability": "normal", "ballast_mb": 0},
}
DRIVERS = {drivers.descriptor(kind).name: drivers.descriptor(kind) for kind in drivers.names()}


def make_driver(name: str, clock: Clock, folder: Path) -> Driver:
    """A driver of the short *name* whose place is in *folder*."""
    driver = DRIVERS[name]
    fields = {"name": "driver", "kind": driver.kind, **QUICK.get(driver.kind, {})}
    return driver.make(driver.fields.model_validate(fields), clock, folder)


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
        scenes.append(Scene(lambda clock: make_driver(driver_name, clock, folder)))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.driver.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    return make_scene()
