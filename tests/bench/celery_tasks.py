"""The handler of `redis_bench.py` as a task of Celery, settled behind the handler as ours is."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery

app = Celery("celery_tasks", broker=os.environ["BROKER"])
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_pool_limit=10)


@app.task
def handle(order: dict[str, Any]) -> None:
    assert order["total"] == sum(item["price"] for item in order["items"])


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        items = [{"name": "tea", "price": number}, {"name": "cup", "price": 7}]
        handle.delay({"id": number, "items": items, "total": number + 7})
