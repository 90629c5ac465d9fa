"""Whatever has a name is explained by `moonq explain`, which knows the pages alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from moonq.cli import COMMANDS
from moonq.console.commands import COMMANDS as TYPED
from moonq.console.settings import SETTINGS
from moonq.errors import NotFound
from moonq.manual import Manual
from moonq.operations.annotations import reference
from moonq.reference import commands
from moonq.reference.lua import called
from moonq.registry.common import Lifecycle
from moonq.registry.describing import fields_of
from moonq.registry.settings import Settings
from moonq.text.codes import CODES
from moonq.text.environment import VARIABLES

from .test_pages import OURS, models


def names() -> Iterator[str]:
    """Yield everything that a user may read or type somewhere, and wonder about."""
    yield from OURS
    yield from {one.path for _, one in models() if one.path.partition(".")[0] != "profiles"}
    yield from (f"lifecycle.{one.path}" for one in fields_of(Lifecycle))
    yield from (one for one in Settings.model_fields)
    for module in reference().modules.values():
        yield module.name
        yield from (called(one.name) for one in (*module.functions, *module.methods))
        yield from (one.name for one in (*module.shapes, *module.aliases))
    yield from (f"moonq {one}" for one in COMMANDS)
    for one in commands.variables():
        yield from (one.option, one.name) if one.name.startswith("MOONQ_") else (one.option,)
    yield from (f"\\{name}" for name in TYPED)
    yield from (*SETTINGS, *CODES, *VARIABLES)


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual.of_package()


def test_everything_that_has_a_name_is_explained(manual: Manual) -> None:
    unknown = set()
    for name in names():
        try:
            manual.about(name)
        except NotFound:
            unknown.add(name)
    assert unknown == set()


def test_what_has_no_name_is_not(manual: Manual) -> None:
    with pytest.raises(NotFound):
        manual.about("queue.consumer.prefech")
