"""One of several processes on one file: publishes, handles, and says what it did as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from moonq.clock import SystemClock
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import ACK, Message, QueueSpec, Receipt


def main(path: str, name: str, seconds: str) -> None:
    driver = SqliteDriver(SystemClock(), Path(path), ballast_mb=0)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("q"))
    end = time.monotonic() + float(seconds)
    published: list[str] = []
    handled: list[str] = []
    stalls = [0.0]

    def publish() -> None:
        while time.monotonic() < end:
            begun = time.monotonic()
            batch = [Message(f"{name}-{len(published) + n}", b"x" * 200, 0.0) for n in range(5)]
            answers = driver.publish("q", batch, 5.0)
            stalls.append(time.monotonic() - begun)
            published.extend(answer.id for answer in answers if isinstance(answer, Receipt))
            if len(answers) != sum(isinstance(answer, Receipt) for answer in answers):
                raise SystemExit(f"refused: {answers}")

    publisher = threading.Thread(target=publish)
    publisher.start()
    subscription = driver.subscribe("q", 20)
    # Whoever ends first leaves the last messages of the others to them.
    while time.monotonic() < end + 1:
        handled += [
            delivery.message.id
            for delivery in subscription.take(10, 0.2)
            if subscription.start(delivery) and subscription.settle(delivery, ACK)
        ]
    publisher.join()
    subscription.stop()
    subscription.close(time.monotonic() + 5)
    driver.close()
    print(json.dumps({"published": published, "handled": handled, "stall": max(stalls)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
