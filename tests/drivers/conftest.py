"""The drivers that play the delivery contract: all that the table names, or that are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# Before anything imports them: then a failing case shows the values on both sides.
pytest.register_assert_rewrite("moonq.conformance")

from tests.servers import elastic, rabbit, redis  # noqa: E402

from moonq import drivers  # noqa: E402
from moonq.clock import Clock  # noqa: E402
from moonq.conformance import Scene  # noqa: E402
from moonq.drivers import capabilities  # noqa: E402
from moonq.drivers.base import Driver  # noqa: E402

#: Settings that make a driver quick where no test is about them.
QUICK: dict[str, dict[str, Any]] = {
    "queue.driver.sqlite": {"durability": "normal", "ballast_mb": 0},
}
#: What starts the server of a kind where none runs yet, and returns the fields of a place at it
#: that nobody has used: one row for each kind that needs a server, see `tests/servers`.
PLACES: dict[str, Callable[[], dict[str, Any]]] = {
    "queue.driver.amqp": rabbit.place,
    "queue.driver.redis": redis.place,
    "queue.driver.sqs": elastic.place,
}
DRIVERS = {drivers.descriptor(kind).name: drivers.descriptor(kind) for kind in drivers.names()}


#: Those that go by the clock they are given; the others have tests of their own, in real time.
VIRTUAL = sorted(name for name, driver in DRIVERS.items() if driver.pace.is_virtual)


class Run(NamedTuple):
    """What came of `tests/contract` on one driver."""

    passed: int
    skipped: list[str]
    failed: list[str]


#: The property of a test's report that says it.
TOLD = "the contract in Lua"
#: Of tests that wait for brokers with a clock of their own.
BESIDE = (pytest.mark.aside("brokers"),)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what the drivers make of the contract: kept, and how; or refused, and why."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    told = [value for one in reports for key, value in _properties(one) if key == TOLD]
    runs = {name: Run(*found) for name, *found in told}
    if not runs:
        return
    terminalreporter.section("the contract on every driver")
    for name, found in sorted(runs.items()):
        counts = f"{found.passed} kept, {len(found.skipped)} not tried, {len(found.failed)} broken"
        terminalreporter.write_line(f"{name:10} {counts}")
        for claim in found.skipped:
            terminalreporter.write_line(f"{'':10} not tried: {claim}")
    known = {name: DRIVERS[name] for name in DRIVERS if name in runs}
    abilities = capabilities.table({name: one.capabilities for name, one in known.items()})
    reasons = capabilities.reasons({name: one.limits for name, one in known.items()})
    for line in ("", *abilities.splitlines(), "", *reasons.splitlines()):
        terminalreporter.write_line(line)


def _properties(report: object) -> list[tuple[str, Any]]:
    return list(getattr(report, "user_properties", ()))


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
