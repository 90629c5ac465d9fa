"""The four ways in which a state can be guarded, as the wheel of lupa allows."""

from __future__ import annotations

import pytest

from moonq.sandbox import watchdog
from moonq.sandbox.hidden_names import SWITCHED_OFF

#: How time ends, then how metatables are guarded: `+copies` is where names cannot be hidden.
MODES = ("hook", "permanent", "hook+copies", "permanent+copies")


def enter(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the states to come as *mode* says."""
    hook, _, copies = mode.partition("+")
    if hook == "permanent":
        monkeypatch.setattr(watchdog, "api", lambda: None)
    monkeypatch.setenv(SWITCHED_OFF, copies)
