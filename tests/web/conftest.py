"""The server that the tests in Lua ask: one for all of them, from when they are collected."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from tests.servers.web import Web, settings

FOLDER = Path(__file__).parent
_kept = Path(tempfile.mkdtemp(prefix="moonq-web-"))
atexit.register(shutil.rmtree, _kept, ignore_errors=True)
WEB = Web(_kept)
os.environ.update(settings(WEB))
os.environ["MOONQ_TEST_PROXY_PORT"] = str(WEB.proxy_port)


@pytest.fixture
def web() -> Web:
    """The same server."""
    return WEB


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all of them run beside the rest: they wait for time limits."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.aside("web"))
