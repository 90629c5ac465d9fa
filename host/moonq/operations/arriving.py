"""How messages come into the queue that they are moved to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from moonq.clock import Clock
from moonq.drivers.base import adopter, capabilities
from moonq.drivers.letters import X_MOVED
from moonq.drivers.story import left_of
from moonq.errors import QueueError
from moonq.model import Receipt, Stored
from moonq.operations.leaving import Place
from moonq.run.queues import Route


def store(
    place: Place, to: Route, stored: Sequence[Stored], clock: Clock
) -> list[Receipt | QueueError]:
    """Store messages of *place* in another queue, and answer for each.

    Where the driver takes no stories they are published, as far as a publish can say what they are.
    """
    driver = adopter(to.driver)
    if driver is None:
        messages = [left_of(one, clock.now()) for one in stored]
        return to.driver.publish(to.spec.name, messages, to.publish_timeout)
    keys = [_key(place, one) for one in stored] if _is_known_again(place, to) else ()
    letters = stored if place.is_shown else [_counted(one) for one in stored]
    if keys:
        return driver.adopt(to.spec.name, letters, keys=keys)
    return driver.adopt(to.spec.name, letters)


def _is_known_again(place: Place, to: Route) -> bool:
    """Whether a message that was stored before its move was killed can be recognized.

    What lies in memory is gone then, and its numbers begin anew.
    """
    lasts = place.driver.capabilities().durable != "none"
    return lasts and capabilities(to.driver, to.spec.name).dedup != "none"


def _key(place: Place, stored: Stored) -> str:
    """Return what names this move of a message, and no other move of it or of another one.

    Where messages are numbered, one that comes back has another number; else it counts its moves.
    """
    message = stored.message
    number = stored.number if place.is_shown else 0
    told = [place.entry, place.name, number, message.id, message.published_at]
    text = json.dumps([*told, sorted(message.headers.items())], default=str)
    return f"move:{hashlib.sha256(text.encode() + message.body).hexdigest()[:40]}"


def _counted(stored: Stored) -> Stored:
    headers = dict(stored.message.headers)
    headers[X_MOVED] = int(headers.get(X_MOVED, 0)) + 1
    return stored._replace(message=stored.message._replace(headers=headers))
