"""What queues this host declared, told to the server, which keeps what was declared last."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from moonq import log
from moonq.drivers import refusals
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.redis.asking import Asker
from moonq.drivers.redis.times import StoreTime
from moonq.model import QueueSpec

_log = log.get("moonq.redis")


class Declarations:
    """The queues of a host by name; those of dead letters are among them."""

    def __init__(self, asker: Asker, store_time: StoreTime, session: Callable[[], str]) -> None:
        self.queues: dict[str, BufferedQueue] = {}
        self._asker = asker
        self._time = store_time
        self._session = session
        """Returns in whose name they are declared."""

    def note(self, spec: QueueSpec) -> BufferedQueue:
        """Return the queue that is as *spec* says from now on; the server is not told yet."""
        queue = self._known(spec)
        dead = None if spec.dead_letter is None else self._known(QueueSpec(spec.dead_letter))
        queue.spec, queue.dead = spec, dead
        queue.most = math.inf if spec.max_bytes is None else spec.max_bytes
        queue.let_in()
        return queue

    def _known(self, spec: QueueSpec) -> BufferedQueue:
        queue = self.queues.get(spec.name)
        if queue is None:
            queue = self.queues[spec.name] = BufferedQueue(spec, 0)
        return queue

    def tell(self, queue: BufferedQueue) -> None:
        """Tell the server of *queue*, and the log of what was otherwise by another host's word.

        Raises:
            QueueError: It could not be done.
        """
        who = self._session()
        changes, is_paused, alarm = self._asker.look(
            "declare", who, queue.spec.name, *self._declared(queue)
        )
        queue.paused = bool(is_paused)
        queue.alarm = float(alarm) if alarm else math.inf
        queue.stirred = True
        for key, before, _, other in changes:
            if other.decode() != who:
                self._say_change(queue.spec.name, key.decode(), before.decode())

    def remind(self, call: Callable[[str, list[Any]], Any]) -> None:
        """Declare queues of which the server knows nothing: it was flushed, or kept nothing."""
        for name, queue in list(self.queues.items()):
            call("declare", [self._time.given(), "", name, *self._declared(queue)])

    def _declared(self, queue: BufferedQueue) -> list[Any]:
        """Return what a queue is to be; nothing where another one only has its dead letters there.

        Whoever declares that one says what it is.
        """
        spec = queue.spec
        if spec == QueueSpec(spec.name) and any(q.dead is queue for q in self.queues.values()):
            return []
        return [
            "" if spec.max_length is None else spec.max_length,
            spec.overflow or "reject",
            "" if spec.ttl is None else repr(spec.ttl),
            spec.on_expire,
            spec.dead_letter or "",
            repr(spec.dedup_window),
            spec.group_on_failure,
            "" if spec.max_bytes is None else spec.max_bytes,
        ]

    def _say_change(self, queue: str, key: str, before: str) -> None:
        _log.warning(
            "%s: queue %r had `%s` %s by another declaration: from now on it is as declared here",
            self._asker.where,
            queue,
            key,
            before or "unset",
        )


def check(spec: QueueSpec) -> None:
    """Refuse what a queue may not ask for here.

    Raises:
        Unsupported: Names the option.
    """
    refusals.check_options(spec, {"durable"})
    if not spec.options.get("durable", True):
        raise refusals.option(
            spec.name,
            "durable",
            "is always true with the Redis driver",
            hint="set `durability: none` at the driver for messages that need not survive",
        )
