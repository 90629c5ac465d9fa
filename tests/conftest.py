"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine is slow at odd moments: a deadline would fail tests for that alone.
settings.register_profile("moonq", deadline=None)
settings.load_profile("moonq")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).parents[1]
