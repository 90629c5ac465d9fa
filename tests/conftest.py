"""What every test may use."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings
from tests.servers.process import end_below

from moonq.cli.failures import guarded
from moonq.cli.options import Options

pytest_plugins = ["tests.aside"]
#: How many more objects there are when the garbage collector looks at the new ones again.
OBJECTS = 50_000

# Tests start moonq hundreds of times: what is compiled once serves them all.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# On a runner of GitHub, what tests expect is no other.
os.environ.pop("GITHUB_ACTIONS", None)

# Under nohup the one, in the background of a script the other is ignored, and whatever a test
# starts would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared machine is slow at odd moments: a deadline would fail tests for that alone.
settings.register_profile("moonq", deadline=None)
settings.load_profile("moonq")


def pytest_configure(config: pytest.Config) -> None:
    """Try what fails twice more where `CI` is set, and name it behind the last test.

    Thousands of tests share two busy cores with six servers there. On a developer's machine what
    fails has failed: a test that needs a second try is to be mended.
    """
    if os.environ.get("CI"):
        config.option.reruns = 2
        config.option.reportchars += "R"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the garbage collector leave alone what thousands of tests consist of.

    To walk over that again and again takes half of the time of some tests, and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 10, 10)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).parents[1]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the servers that a test has started for itself."""
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if folder is not None:
        end_below(folder)


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
