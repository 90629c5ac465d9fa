"""`store.memory`: keys and values that end with the process."""

from __future__ import annotations

from typing import ClassVar

from moonq.registry.common import Config
from moonq.registry.project import Entry
from moonq.run import stores
from moonq.run.parts import Parts, Renewal, Service, ServiceKind


class MemoryStore(Config):
    """`store.memory`: keys and values that end with the process."""

    is_service: ClassVar[bool] = True


class StoreKind(ServiceKind):
    """What a store holds outlasts every reload but the one that removes it."""

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return an empty store."""

        def start() -> None:
            parts.services.stores[entry.id] = stores.MemoryStore(entry.id, parts.clock)

        return Service(start, detail=entry.kind)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Begin a store that is new."""
        if renewal.is_new(entry):
            self.service(renewal.new, entry).start()

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Drop the store, with everything in it."""
        renewal.old.services.stores.pop(entry.id, None)


KIND = StoreKind("store.memory", MemoryStore)
