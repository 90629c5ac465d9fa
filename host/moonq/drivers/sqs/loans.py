"""What we have received and not settled: each message is lent to us, for a time that we prolong."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from moonq.drivers import buffered
from moonq.drivers.sqs.bounds import MOST_VISIBILITY
from moonq.drivers.sqs.envelope import Parcel
from moonq.drivers.story import Story
from moonq.model import Delivery

#: Seconds that the service may count more than we do.
MARGIN = 60
#: Messages of FIFO queues whose story this process remembers.
REMEMBERED = 10_000


@dataclass(slots=True, eq=False)
class Loan:
    """One message that was received."""

    handle: str
    """The receipt, as SQS calls it: good for this one receive."""
    name: str
    """What SQS calls the message."""
    parcel: Parcel
    until: float
    """Real seconds (monotonic) until which it is ours."""
    count: int = 1
    """How often it was received."""
    since: float = field(default_factory=time.monotonic)
    """When we had it, in real seconds: what it is lent for in all counts from there."""
    due: float = -math.inf
    """The moment (of the clock) before which it may not run."""
    expires: float | None = None
    """The moment by which its first run must have started; None once it has."""
    ends: float | None = None
    """The same in seconds since the epoch, as the clock counts them."""
    held: Held | None = None
    """Its delivery, while there is one."""
    is_lost: bool = False
    """Whether SQS has told that it is not ours any more."""

    def most(self, seconds: int) -> int:
        """Return for how many of *seconds* SQS still lends it: twelve hours in all."""
        left = MOST_VISIBILITY - math.ceil(time.monotonic() - self.since) - MARGIN
        return max(0, min(seconds, left))

    @property
    def group(self) -> str:
        """The line in which it stands at a FIFO queue."""
        return self.parcel.message.group or self.name

    def delivery(self, receipt: int) -> Delivery:
        """Return it as a worker sees it."""
        ends = None if self.expires is None else self.ends
        return Delivery(self.parcel.message, receipt, *self.parcel.story, ends)


@dataclass(slots=True, eq=False)
class Held(buffered.Held):
    """A loan at a desk."""

    loan: Loan = field(kw_only=True)

    @property
    def story(self) -> Story:
        """What happened to it before."""
        return self.loan.parcel.story


def seated(loan: Loan, desk: buffered.BufferedDesk, receipt: int) -> Held:
    """Return *loan* as it lies at *desk*."""
    delivery = loan.delivery(receipt)
    loan.held = Held(receipt, desk, delivery, None, loan.expires, suspect=False, loan=loan)
    return loan.held


class Stories:
    """What happened to messages of FIFO queues that are given back, as far as we were there."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Story, int, float, bool]] = OrderedDict()

    def remember(self, loan: Loan, story: Story, due: float) -> None:
        """Note *story* for when SQS delivers the message again, to whom it will not tell it."""
        self._known[loan.name] = (story, loan.count, due, loan.expires is None)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def recall(self, name: str) -> tuple[Story, int, float, bool] | None:
        """Return the story, the count of receives then, when it is due, whether it had begun."""
        return self._known.pop(name, None)


def raw_count(raw: dict[str, Any]) -> int:
    """Return how often a message was received, this time included."""
    return int((raw.get("Attributes") or {}).get("ApproximateReceiveCount", 1))
