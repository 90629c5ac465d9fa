"""How a message waits: down a ladder of 28 queues, in which it rests where its delay has a 1.

    key("orders", units=5)  --> ("moonq.delay.v1.2", "0.0. … .1.0.1.orders")

A level holds its messages for a tenth of a second times two to its number, and lets them fall to
the next exchange; a 0 in the key passes a level by. All queues of a virtual host share it.
"""

from __future__ import annotations

import hashlib
import math

#: What the names of exchanges and queues of the ladder begin with.
NAME = "moonq.delay.v1"
LEVELS = 28
#: Seconds of the lowest level; every delay is a multiple.
UNIT = 0.1
#: The longest delay, in seconds.
LONGEST = (2**LEVELS - 1) * UNIT
#: Where messages leave it for the queue that their key ends with.
DELIVER = f"{NAME}.deliver"
#: Binary digits that the delay of a retry keeps: it takes four levels at most, and is 12 % late.
DIGITS = 4
_ROOM = 150


def exchange(level: int) -> str:
    """Return the name of a level's exchange and queue; below the lowest one is the way out."""
    return f"{NAME}.{level}" if level >= 0 else DELIVER


def units(seconds: float, *, exact: bool = True) -> int:
    """Return how many units last *seconds* or a little longer, never shorter."""
    count = max(1, math.ceil(seconds / UNIT - 1e-6))
    if exact:
        return count
    spare = max(0, count.bit_length() - DIGITS)
    return -(-count >> spare) << spare


def key(queue: str, units: int) -> tuple[str, str]:
    """Return exchange and key for a message that is to be in *queue* after so many units."""
    bits = ".".join(f"{units:0{LEVELS}b}")
    return exchange(units.bit_length() - 1), f"{bits}.{word(queue)}"


def word(queue: str) -> str:
    """Return the name of a queue as one word of a key, which has no dots and is not long."""
    if len(queue.encode()) > _ROOM:
        return hashlib.sha256(queue.encode()).hexdigest()
    for sign, code in (("%", "%25"), (".", "%2E"), ("*", "%2A"), ("#", "%23")):
        queue = queue.replace(sign, code)
    return queue


def pattern(level: int, bit: str) -> str:
    """Return what the keys match that have *bit* at *level*."""
    return ".".join(bit if at == level else "*" for at in reversed(range(LEVELS))) + ".*"


def arrival(queue: str) -> str:
    """Return what the keys match that end with *queue*."""
    return "*." * LEVELS + word(queue)
