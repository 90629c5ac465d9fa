"""Where `moonq doctor` tries a driver out: never where the project's messages are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.conftest import DRIVERS, make_driver, place

from moonq.clock import ManualClock
from moonq.conformance import Scene, holding
from moonq.drivers.base import Driver
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.errors import Unsupported
from moonq.model import QueueSpec


def beside(name: str, fields: dict[str, Any], folder: Path, number: int) -> Driver:
    """The twin of that number of a driver at *fields*, in *folder*."""
    kind = DRIVERS[name]
    twin = kind.twin(kind.fields.model_validate(fields), number)
    return kind.make(twin, ManualClock(), folder)


def test_what_is_done_at_a_twin_touches_nothing_at_its_driver(
    driver_name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fields, folder = place(driver_name), tmp_path_factory.mktemp("mine")
    scene = Scene(lambda clock: make_driver(driver_name, clock, folder, fields))
    twins = [Scene(lambda _, n=n: beside(driver_name, fields, tmp_path, n)) for n in (0, 1)]  # type: ignore[misc]
    scene.publish("mine")
    twins[0].publish("twin")
    assert (twins[0].counts(), twins[1].counts()) == ({"ready": 1}, {})
    for twin in twins:
        twin.driver.close()
        twin.driver.erase()
    assert scene.consumer().finish() == ["mine"]
    scene.driver.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["queues.db", "twin.db"])
def test_nothing_is_tried_out_where_messages_would_be_erased(tmp_path: Path, name: str) -> None:
    """A descriptor whose twins are all at one place, perhaps the driver's own."""
    kind = DRIVERS["sqlite"]
    config = kind.fields.model_validate({"name": "d", "kind": kind.kind, "path": "queues.db"})
    careless = replace(kind, twin=lambda fields, _: fields.model_copy(update={"path": name}))
    with pytest.raises(Unsupported, match="not at places of their own"):
        holding.twins(careless, config, tmp_path)


def test_a_file_is_erased_with_all_that_belongs_to_it_and_nothing_else(tmp_path: Path) -> None:
    neighbour = tmp_path / "jobs.db2"
    neighbour.write_text("not ours")
    driver = SqliteDriver(ManualClock(), tmp_path / "jobs.db", ballast_mb=1)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("q"))
    consumer = driver.subscribe("q", 1)
    driver.close()
    driver.erase()
    assert list(tmp_path.iterdir()) == [neighbour]
    assert consumer.take(1, 0.0) == []


def test_each_case_begins_at_a_clean_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a doctor that was killed has left there."""
    told: list[str] = []

    class Told(MemoryDriver):
        def open(self, on_event: object, *, name: str = "") -> None:
            told.append("open")
            super().open(lambda event: None)

        def erase(self) -> None:
            told.append("erase")
            super().erase()

    monkeypatch.setattr(holding, "CASES", holding.CASES[:2])
    findings = list(holding.hold(lambda number: Told))
    assert [finding.problem for finding in findings] == ["", ""]
    assert told == ["erase", "open", "erase"] * 2
