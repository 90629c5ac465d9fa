"""What queues are called at SQS: letters, digits, `-` and `_`, at most 80 of them.

at_sqs("shop-", "app.queue:tasks", fifo=False)   --> "shop-app-queue--tasks"
at_sqs("", "orders", fifo=True)                  --> "orders.fifo"
"""

from __future__ import annotations

import re

from moonq.errors import Unsupported

FIFO = ".fifo"
LONGEST = 80
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


def at_sqs(prefix: str, name: str, *, fifo: bool) -> str:
    """Return the name at SQS of the queue called *name*.

    Raises:
        Unsupported: It would be too long.
    """
    bare = name.removesuffix(FIFO) if fifo else name
    found = prefix + _OTHER.sub("-", bare.replace(":", "--")) + (FIFO if fifo else "")
    if len(found) > LONGEST:
        raise Unsupported(
            f"queue {name!r}: its name at SQS would be {found!r}, {len(found)} characters of "
            f"{LONGEST}",
            hint="give the queue a shorter `queue_name`",
        )
    return found


def of_arn(arn: str) -> str:
    """Return the name of the queue with this *arn*."""
    return arn.rpartition(":")[2]
