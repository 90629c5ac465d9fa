"""What every test may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from moonq.cli.failures import guarded
from moonq.cli.options import Options

pytest_plugins = ["tests.aside"]

# A shared machine is slow at odd moments: a deadline would fail tests for that alone.
settings.register_profile("moonq", deadline=None)
settings.load_profile("moonq")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).parents[1]


class Said(NamedTuple):
    """What one command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def moonq(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command line in this process."""

    def run(*args: object) -> Said:
        code = guarded([str(arg) for arg in args], Options())
        return Said(code, *capsys.readouterr())

    return run
