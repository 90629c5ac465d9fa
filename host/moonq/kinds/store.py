"""`store.memory`: keys and values that end with the process."""

from __future__ import annotations

from typing import ClassVar

from moonq.registry.common import Config
from moonq.registry.kind import Kind


class MemoryStore(Config):
    """`store.memory`: keys and values that end with the process."""

    is_service: ClassVar[bool] = True


KIND = Kind("store.memory", MemoryStore)
