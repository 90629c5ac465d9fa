"""What 10 000 rows of a view cost, beside a loop that only formats as many lines.

Run it with the package installed: `python tests/bench/views_bench.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from moonq import views
from moonq.views import Screen

ROWS = 10_000
QUEUES: list[dict[str, Any]] = [
    {
        "id": f"app:orders_{number}",
        "ready": number,
        "leased": 16,
        "running": 4,
        "delayed": 3,
        "dead": 12,
        "dead_letter": "app:orders.dead",
        "oldest_age": 192.0 + number,
        "in_rate": 84.0,
        "out_rate": 81.5,
        "consumers": ["app:orders.consumer"],
    }
    for number in range(ROWS)
]
MESSAGES: list[dict[str, Any]] = [
    {
        "id": f"01a21838-bffe-70a3-b44c-{number:012}",
        "state": "ready",
        "age": 192.3,
        "attempt": 1,
        "size": 142,
        "body": {"order": number, "user": {"name": "Ann", "tags": ["a", "b"]}, "total": 12.5},
    }
    for number in range(ROWS)
]
PLAIN = "{id:20}  {ready:>6}  {leased:>6}  {delayed:>6}  {dead:>6}  {oldest_age:>9}  {in_rate:>6}"


def seconds(work: Callable[[], Iterable[str]]) -> float:
    """How much processor time all lines take."""
    began = time.process_time()
    for _ in work():
        pass
    return time.process_time() - began


def main() -> None:
    loop = seconds(lambda: [PLAIN.format(**row) for row in QUEUES])
    print(f"{ROWS} lines of str.format  {loop:.3f} s")
    for name, screen in (("pipe", Screen()), ("terminal", Screen(color=True, width=100))):
        for kind, work in (
            ("queues", lambda screen=screen: views.queues({"queues": QUEUES}, screen)),
            (
                "messages",
                lambda screen=screen: views.messages({"queue": "q", "messages": MESSAGES}, screen),
            ),
        ):
            took = seconds(work)
            print(f"{kind:8} on a {name:8}  {took:.3f} s  {took / loop:.1f} times as much")


if __name__ == "__main__":
    main()
