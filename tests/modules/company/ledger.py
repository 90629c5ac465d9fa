"""A ledger with one thread."""

import threading

__all__ = ["let_go", "wait"]

_GO = threading.Event()


def wait(seconds: float) -> bool:
    """Wait until somebody says so."""
    return _GO.wait(seconds)


async def let_go() -> None:
    """End all waits."""
    _GO.set()
    _GO.clear()
