"""Which queues a process has made at a place, so that a twin can be erased.

Brokers do not list their queues. A twin's have an incarnation in their names: what still comes down
the ladder for an earlier one belongs nowhere. Those of a process that was killed go away by
themselves, see `topology.EXPIRES`.
"""

from __future__ import annotations

import itertools
import os
import threading

from moonq.drivers.amqp.entry import AmqpFields

_LIFE = os.urandom(4).hex()
_incarnations = itertools.count(1)
_lock = threading.Lock()
_places: dict[tuple[str, ...], Place] = {}


class Place:
    """The queues of one place, by their names at the broker."""

    def __init__(self, key: tuple[str, ...], prefix: str) -> None:
        self.prefix = prefix
        self._key = key
        self._names: set[str] = set()

    def add(self, name: str) -> None:
        """Note a queue that is about to be made."""
        with _lock:
            self._names.add(name)

    def end(self) -> list[str]:
        """Forget the place and return what was made there."""
        with _lock:
            if _places.get(self._key) is self:
                del _places[self._key]
            names, self._names = sorted(self._names), set()
        return names


def place_of(fields: AmqpFields) -> Place:
    """Return the place of *fields*, the same for all that name it until it is erased."""
    key = (*fields.addresses, fields.vhost or "", fields.prefix)
    with _lock:
        if key not in _places:
            prefix = fields.prefix
            if fields.is_twin:
                prefix += f"{_LIFE}{next(_incarnations)}."
            _places[key] = Place(key, prefix)
        return _places[key]
