"""The handler of `redis_bench.py` as an actor of Dramatiq."""

from __future__ import annotations

import os
import sys
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["BROKER"]))


@dramatiq.actor
def handle(order: dict[str, Any]) -> None:
    assert order["total"] == sum(item["price"] for item in order["items"])


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        items = [{"name": "tea", "price": number}, {"name": "cup", "price": 7}]
        handle.send({"id": number, "items": items, "total": number + 7})
