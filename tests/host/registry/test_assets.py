"""The Lua trees that travel with moonq."""

from __future__ import annotations

import pytest

from moonq import assets
from moonq.errors import NotFound


def test_every_module_of_the_standard_library_can_be_read() -> None:
    assert "json" in assets.stdlib_modules()
    for name in assets.stdlib_modules():
        assert assets.stdlib_source(name)


def test_the_trusted_half_is_found() -> None:
    assert assets.lua_source("boot")


@pytest.mark.parametrize("name", ["nothing", "", "../stdlib/json", "json.lua", "/etc/passwd"])
def test_nothing_else_is_read(name: str) -> None:
    with pytest.raises(NotFound):
        assets.stdlib_source(name)
    with pytest.raises(NotFound):
        assets.lua_source(name)
