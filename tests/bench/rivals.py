"""Celery, Dramatiq and Huey beside moonq: the same bodies, handlers that do nothing.

    rate = rivals.drain("celery", "amqp://127.0.0.1:5672/", 10_000)
    rate, cpu = rivals.huey("sqlite", 10_000)

They live in an environment of their own, `.venv-rivals` in the checkout, made on first use. What
is measured is a backlog that was there before, from the first handler to the last: each handler
writes a byte, and the file grows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-rivals" / "bin" / "python"
#: What each is installed as, and is imported as.
PACKAGES = {"celery": "celery", "dramatiq[rabbitmq]": "dramatiq", "huey": "huey"}
CELERY = """
import os
import celery

app = celery.Celery("rival", broker=os.environ["RIVAL_BROKER"])
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=256, task_acks_late=True,
    worker_send_task_events=False, broker_connection_retry_on_startup=True,
)
file = os.open(os.environ["RIVAL_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

@app.task
def handle(body):
    os.write(file, b".")
    return None

def fill(count, body):
    with app.producer_pool.acquire() as producer:
        for _ in range(count):
            handle.apply_async((body,), producer=producer)
"""
DRAMATIQ = """
import os
import dramatiq

from dramatiq.brokers.rabbitmq import RabbitmqBroker

dramatiq.set_broker(RabbitmqBroker(url=os.environ["RIVAL_BROKER"], middleware=[]))
file = os.open(os.environ["RIVAL_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

@dramatiq.actor
def handle(body):
    os.write(file, b".")

def fill(count, body):
    for _ in range(count):
        handle.send(body)
"""
SCRIPTS = {"celery": CELERY, "dramatiq": DRAMATIQ}
#: What each is fastest with on two cores.
WORKERS = {
    "celery": ["-m", "celery", "-A", "rival", "worker", "-P", "prefork", "-c", "2", "-l", "error",
               "--without-gossip", "--without-mingle", "--without-heartbeat"],
    "dramatiq": ["-m", "dramatiq", "rival", "--processes", "2", "--threads", "4"],
}  # fmt: skip
BODY = {
    "id": "task-123",
    "action": "process",
    "data": {
        "user": 42,
        "amount": 19.95,
        "items": [1, 2, 3],
        "note": "a remark that makes the whole body about two hundred bytes long, no more",
    },
    "tags": ["new", "paid", "post"],
    "ok": True,
}
#: Seconds after which a rival is taken to be stuck.
PATIENCE = 300.0


def drain(name: str, broker: str, count: int) -> float:
    """Return how many messages a second *name* works off at *broker*, an empty place."""
    _make("celery", "dramatiq[rabbitmq]")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "handled"
        (Path(folder) / "rival.py").write_text(SCRIPTS[name])
        env = {**os.environ, "RIVAL_BROKER": broker, "RIVAL_FILE": str(written)}
        # Dramatiq takes up to so many for each thread.
        env |= {"dramatiq_prefetch_multiplier": "64", "PYTHONPATH": folder}
        fill = f"import rival; rival.fill({count}, {BODY!r})"
        subprocess.run([PYTHON, "-c", fill], env=env, cwd=folder, check=True)
        worker = subprocess.Popen(
            [PYTHON, *WORKERS[name]], env=env, cwd=folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return _rate(written, count)
        finally:
            worker.terminate()
            worker.wait(60)


def huey(store: str, count: int) -> tuple[float, float]:
    """Return how many messages a second Huey works off in *store*, and CPU seconds for each."""
    _make("huey")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("huey_drain.py")
        printed = subprocess.check_output([PYTHON, script, store, str(count), folder], text=True)
    rate, cpu = map(float, printed.split())
    return rate, cpu


def _rate(written: Path, count: int) -> float:
    began, first = 0.0, 0
    give_up = time.perf_counter() + PATIENCE
    while (done := written.stat().st_size if written.exists() else 0) < count:
        if done and not first:
            began, first = time.perf_counter(), done
        if time.perf_counter() > give_up:
            sys.exit(f"stuck after {done} of {count}")
        time.sleep(0.002)
    return (count - first) / (time.perf_counter() - began)


def _make(*packages: str) -> None:
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parents[1]], check=True)
    look = f"import importlib.util as u; print(*filter(u.find_spec, {list(PACKAGES.values())}))"
    there = subprocess.check_output([PYTHON, "-c", look], text=True).split()
    missing = [one for one in packages if PACKAGES[one] not in there]
    if missing:
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *missing], check=True)
