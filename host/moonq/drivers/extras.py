"""The clients of brokers: they come as extras, and are imported when a driver is made."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from moonq.errors import Unsupported


def client(extra: str, module: str) -> ModuleType:
    """Return the *module* of the client that `moonq[extra]` installs.

    Raises:
        Unsupported: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        # What is missing may be a part of an installed client: that is not mended by the extra.
        if (missing.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise Unsupported(
            f"the client for queue.driver.{extra} is not installed: no module {module!r}",
            hint=f'install it: pip install "moonq[{extra}]"',
        ) from None
