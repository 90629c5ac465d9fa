"""What the drivers say they can do, and who repeats it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drivers.conftest import DRIVERS

from moonq import drivers
from moonq.conformance import Scene
from moonq.conformance.scene import ASKING
from moonq.drivers import capabilities
from moonq.drivers.base import Capabilities
from moonq.kinds import KINDS


def test_the_manual_shows_the_table_as_it_is(root: Path) -> None:
    ours = list(map(drivers.descriptor, drivers.OURS))
    table = capabilities.table({driver.name: driver.capabilities for driver in ours})
    reasons = capabilities.reasons({driver.name: driver.limits for driver in ours})
    page = root / "host" / "moonq" / "manual" / "drivers.md"
    assert f"\n{table}\n\n{reasons}\n" in page.read_text(encoding="utf-8")


def test_every_kind_of_driver_is_in_the_table_and_in_the_suite() -> None:
    kinds = {kind for kind in KINDS if ".driver." in kind}
    assert kinds == set(drivers.names()) == {driver.kind for driver in DRIVERS.values()}


def test_a_folder_of_a_driver_is_in_the_table(root: Path) -> None:
    folders = (root / "host" / "moonq" / "drivers").glob("*/__init__.py")
    assert {f"moonq.drivers.{path.parent.name}" for path in folders} == set(drivers.OURS.values())


def test_whatever_a_driver_cannot_do_has_a_reason() -> None:
    for driver in DRIVERS.values():
        assert all(limit.ability != "native" and limit.reason for limit in driver.limits.values())


def test_every_ability_is_said_in_words() -> None:
    assert list(capabilities.MEANINGS) == list(Capabilities._fields)


def test_a_driver_says_of_itself_what_the_table_says(scene: Scene, driver_name: str) -> None:
    assert scene.driver.capabilities() == DRIVERS[driver_name].capabilities


@pytest.mark.parametrize("ability", ASKING)
def test_a_driver_keeps_or_refuses_each_ability(scene: Scene, ability: str) -> None:
    scene.promises(ability)


def test_what_is_asked_for_is_an_ability() -> None:
    assert set(ASKING) <= set(Capabilities._fields)
