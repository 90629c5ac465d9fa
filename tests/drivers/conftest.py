"""The drivers that play the delivery contract: all that the table names, or that are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports them: then a failing case shows the values on both sides.
pytest.register_assert_rewrite("moonq.conformance")

from tests.servers import elastic, rabbit, redis  # noqa: E402

from moonq import drivers  # noqa: E402
from moonq.clock import Clock  # noqa: E402
from moonq.conformance import Scene  # noqa: E402
from moonq.drivers.base import Driver  # noqa: E402

#: Settings that make a driver quick where no test is about them.
QUICK: dict[str, dict[str, Any]] = {
    "queue.driver.sqlite": {"durability": "normal", "ballast_mb": 0},
}
#: What starts the server of a kind where none runs yet, and returns the fields of a place at it
#: that nobody has used: one row for each kind that needs a server, see `tests/servers`.
PLACES: dict[str, Callable[[], dict[str, Any]]] = {
    "queue.driver.redis": redis.place,
    "queue.driver.amqp": rabbit.place,
    "queue.driver.sqs": elastic.place,
}
DRIVERS = {drivers.descriptor(kind).name: drivers.descriptor(kind) for kind in drivers.names()}


#: Those that go by the clock they are given; the others have tests of their own, in real time.
VIRTUAL = sorted(name for name, driver in DRIVERS.items() if driver.pace.is_virtual)


def place(name: str) -> dict[str, Any]:
    """The fields of a place that nobody has used, of the driver of the short *name*."""
    kind = DRIVERS[name].kind
    return {"name": "driver", "kind": kind, **QUICK.get(kind, {}), **PLACES.get(kind, dict)()}


def make_driver(
    name: str, clock: Clock, folder: Path, fields: dict[str, Any] | None = None
) -> Driver:
    """A driver of the short *name* at *fields*, else at a fresh place; files in *folder*."""
    driver = DRIVERS[name]
    return driver.make(driver.fields.model_validate(fields or place(name)), clock, folder)


@pytest.fixture(params=VIRTUAL)
def driver_name(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def make_scene(driver_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes fresh scenes of one driver."""
    scenes: list[Scene] = []

    def make() -> Scene:
        folder, fields = tmp_path_factory.mktemp(driver_name), place(driver_name)
        scenes.append(Scene(lambda clock: make_driver(driver_name, clock, folder, fields)))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.driver.close()


@pytest.fixture
def scene(make_scene: Callable[[], Scene]) -> Scene:
    return make_scene()
