"""A bank that does not answer one time out of three.

Chance depends on nothing but the seed, the order and the attempt: every run tells the same.
"""

from __future__ import annotations

import random
from typing import TypedDict

from moonq.errors import Failure

__all__ = ["charge"]

SEED = 102433
SILENCE = 1 / 3


class Order(TypedDict):
    """What the bank must know of an order."""

    id: int
    total_cents: int


class Receipt(TypedDict):
    """What was taken."""

    order: int
    cents: int


_receipts: dict[int, Receipt] = {}


def charge(order: Order, attempt: int) -> Receipt:
    """Take the total of *order* from its customer.

    A second charge of the same order changes nothing. Attempts count from 1; one that the bank
    does not answer is a TIMEOUT, worth another try.
    """
    if random.Random(f"{SEED} {order['id']} {attempt}").random() < SILENCE:
        raise Failure("the bank did not answer", kind="TIMEOUT")
    new: Receipt = {"order": order["id"], "cents": order["total_cents"]}
    return _receipts.setdefault(order["id"], new)
