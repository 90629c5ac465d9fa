"""A host's standing at the server: begun, kept by heartbeats, lost when it is not heard of.

What it holds is its own as long as the session lasts, and goes to other hosts afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from moonq import __version__, log
from moonq.clock import Clock
from moonq.drivers.base import LEASE, machine
from moonq.drivers.redis.desk import RedisDesk
from moonq.drivers.redis.front import PATIENCE
from moonq.drivers.redis.landing import Lander
from moonq.drivers.redis.lines import Line
from moonq.drivers.redis.planning import Planner
from moonq.drivers.redis.scripts import source
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.wiring import Wire
from moonq.errors import Conflict, QueueError

_log = log.get("moonq.redis")
#: Seconds before the end of a lease from which on the server is asked before anything starts.
MARGIN = 2.0
Remind = Callable[[Callable[[str, list[Any]], Any]], None]


class Session:
    """See the module."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        store_time: StoreTime,
        planner: Planner,
        lander: Lander,
        look_around: Callable[[Any], None],
        remind: Remind,
    ) -> None:
        self.id = ""
        self.lines = {"publish": Line(), "work": Line()}
        """Its numbered calls; the publishes have a line of their own, which outlasts it."""
        self.heard = -math.inf
        """When the heartbeat that was answered last had been sent."""
        self._wire = wire
        self._clock = clock
        self._time = store_time
        self._planner = planner
        self._lander = lander
        self._look_around = look_around
        """Holds a server against what we need; what it raises keeps the driver away from it."""
        self._remind = remind
        """Tells a server what queues there are, by the calls that it is given the way for."""
        self._about: list[Any] = []

    def introduce(self, name: str, pid: int) -> None:
        """Note what the others are told of this host."""
        self._about = [name, machine(), pid, repr(self._time.now())]
        if not self.lines["publish"].owner:
            self.lines["publish"].begin(uuid4().hex)

    def is_sure(self, desk: RedisDesk) -> bool:
        """Whether the leases of *desk* hold without asking; not after this process stood still."""
        margin = min(MARGIN, desk.lease / 4)
        return self._clock.monotonic() < self.heard + desk.lease - margin

    def join(self, *, is_calm: bool) -> None:
        """Connect, look around, and begin the session or go on with it; see `open`."""
        self._wire.connect(PATIENCE, self._look_around)
        try:
            self.open(is_calm=is_calm)
        except BaseException:
            self._wire.close()
            raise

    def open(self, *, is_calm: bool) -> None:
        """Begin the session, or go on with it; *is_calm*: nothing is under way.

        Raises:
            Conflict: A newer moonq keeps its messages there.
            QueueError: The connection is lost, or it was refused.
        """
        is_new = not self.id
        self.id = self.id or uuid4().hex
        sent = self._clock.monotonic()
        term = max([LEASE, *self._planner.leases()])
        about = [*self._about, __version__, source().digest]
        answer = self._wire.call("open", [self.id, self._time.given(), repr(term), *about])
        if answer[0] == b"newer":
            raise _newer(self._wire.where, *answer[1:])
        self._time.learn(sent, answer[1])
        self._lander.tell(answer[3])
        self._wire.discard(answer[4])
        self._remind(self._wire.call)
        if is_new:
            self.heard = sent
        if is_new or is_calm:
            self.lines["work"].begin(self.id, answer[2])

    def begin_anew(self) -> None:
        """Begin another one, for this one has ended: what it held belongs to others."""
        _log.warning("%s: the session was not heard of and has ended", self._wire.where)
        for queue in list(self._planner.queues.values()):
            self._planner.drop(queue)
        self.id = ""
        self.open(is_calm=True)

    def leave(self) -> None:
        """End it; it holds nothing."""
        writer = self.lines["publish"]
        try:
            self._wire.call("leave", [self.id, self._time.given(), writer.owner])
        except QueueError:
            _log.warning("%s: the session ends with its lease", self._wire.where)
            return
        writer.begin("")
        self.id = ""
        self._planner.forget()


def _newer(where: str, layout: int, ours: int, by: bytes) -> Conflict:
    return Conflict(
        f"{where}: what lies there was written by moonq {by.decode()}, in layout {layout};"
        f" this one, {__version__}, knows {ours}",
        hint="update moonq, or give the driver another `prefix`",
    )
