"""`store.memory`: keys and values that end with the process."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from moonq.registry.common import Config
from moonq.registry.fields import Size, bytes_between
from moonq.registry.project import Entry
from moonq.run.stores import memory as stores
from moonq.run.parts import Parts, Renewal, Service, ServiceKind


class MemoryStore(Config):
    """`store.memory`: keys and values that end with the process."""

    is_service: ClassVar[bool] = True

    max_bytes: Annotated[Size, bytes_between(1024, 1024**4)] = Field(
        stores.MAX_BYTES, description="of keys and values in all"
    )


class StoreKind(ServiceKind):
    """What a store holds outlasts every reload but the one that removes it."""

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return an empty store."""

        def start() -> None:
            most = entry.fields(MemoryStore).max_bytes
            parts.services.stores[entry.id] = stores.MemoryStore(entry.id, parts.clock, most)

        return Service(start, detail=entry.kind)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Begin a store that is new; an old one keeps what it holds, within its new bound."""
        store = renewal.old.services.stores.get(entry.id)
        if renewal.is_new(entry):
            self.service(renewal.new, entry).start()
        elif isinstance(store, stores.MemoryStore):
            store.max_bytes = entry.fields(MemoryStore).max_bytes

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Drop the store, with everything in it."""
        renewal.old.services.stores.pop(entry.id, None)


KIND = StoreKind("store.memory", MemoryStore)
