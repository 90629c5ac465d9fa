"""A host that dies: takes one message of `q`, starts it, says so, and waits to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from moonq.clock import SystemClock
from moonq.drivers import descriptor
from moonq.model import QueueSpec


def main(url: str) -> None:
    kind = descriptor("queue.driver.amqp")
    fields = kind.fields.model_validate({"name": "d", "kind": kind.kind, "url": url})
    driver = kind.make(fields, SystemClock(), Path())
    driver.open(lambda event: None)
    driver.declare(QueueSpec("q", dead_letter="q.dead"))
    subscription = driver.subscribe("q", 10, timeout=60.0)
    while True:
        for delivery in subscription.take(1, 10.0):
            if subscription.start(delivery):
                print(delivery.message.id, delivery.interruptions, flush=True)
                time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
