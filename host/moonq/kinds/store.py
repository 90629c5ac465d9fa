"""`store.memory`: keys and values that end with the process; and what all stores have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from moonq.registry.common import Config
from moonq.registry.fields import Size, bytes_between
from moonq.registry.project import Entry
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.run.stores.base import MAX_BYTES, Store
from moonq.run.stores.memory import MemoryStore


class Memory(Config):
    """`store.memory`: keys and values that end with the process."""

    example: ClassVar[str] = """\
name: seen
kind: store.memory
max_bytes: 16M
"""

    is_service: ClassVar[bool] = True

    max_bytes: Annotated[Size, bytes_between(1024, 1024**4)] = Field(
        MAX_BYTES, description="What keys and values may weigh in all."
    )


class StoreKind(ServiceKind):
    """A store is made when its host starts, and made anew by a reload that changes its fields."""

    def __init__(
        self,
        name: str,
        model: type[Config],
        make: Callable[[Parts, Entry], Store],
        **more: Any,
    ) -> None:
        super().__init__(name, model, **more)
        self._make = make

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the store."""

        def start() -> None:
            parts.services.stores[entry.id] = self._made(parts, entry)

        def stop(_timeout: float | None) -> None:
            found = parts.services.stores.get(entry.id)
            if found is not None and not found.is_quick:
                parts.services.stores.pop(entry.id).close()

        return Service(start, stop, detail=entry.kind)

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Make a store that is new or different, as it may fail."""
        if not renewal.is_new(entry):
            before = renewal.old.project.entries[entry.id]
            if before.config == entry.config or self._kept(renewal, entry) is not None:
                return
        renewal.made[entry.id] = store = self._made(renewal.new, entry)
        renewal.undo.callback(store.close)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Put it in its place; one in memory keeps what it holds, within its new bound."""
        kept = None if renewal.is_new(entry) else self._kept(renewal, entry)
        if kept is not None:
            kept.max_bytes = getattr(entry.config, "max_bytes", None) or MAX_BYTES
        elif entry.id in renewal.made:
            before = renewal.old.services.stores.get(entry.id)
            renewal.new.services.stores[entry.id] = renewal.made[entry.id]
            if before is not None:
                before.close()

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Drop the store; what it holds elsewhere stays there."""
        found = renewal.old.services.stores.pop(entry.id, None)
        if found is not None:
            found.close()

    def _made(self, parts: Parts, entry: Entry) -> Store:
        return parts.new_store(entry, lambda: self._make(parts, entry))

    def _kept(self, renewal: Renewal, entry: Entry) -> MemoryStore | None:
        """Return the store that is, if it lies in memory and goes on."""
        store = renewal.old.services.stores.get(entry.id)
        return store if isinstance(store, MemoryStore) else None


def _memory(parts: Parts, entry: Entry) -> Store:
    return MemoryStore(entry.id, parts.clock, entry.fields(Memory).max_bytes)


KIND = StoreKind("store.memory", Memory, _memory)
