"""What a host is and holds, as plain data: the process, its queues, its consumers."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from typing import Any

from moonq import __version__
from moonq.drivers.base import Billed, Driver, machine
from moonq.errors import MoonqError
from moonq.host import Host
from moonq.kinds.consumer import Consumer as ConsumerFields
from moonq.operations.meter import NO_RATES, Meter, Reading, memory_bytes
from moonq.run.queues import Route, info_object
from moonq.run.supervisor import Managed


def profile(host: Host) -> dict[str, Any]:
    """Return what a host runs as: one word to show, and how careful to be."""
    chosen, production = host.project.profile, host.project.settings.production
    return {
        "profile": chosen or ("production" if production else "dev"),
        "chosen_profile": chosen or None,
        "production": production,
    }


def own(host: Host) -> list[str]:
    """Return the queues and consumers that no other host of the project has a part in."""
    routes = map(host.queues.route, host.queues.ids())
    apart = [one.id for one in routes if one.driver.capabilities().several_hosts == "none"]
    return [*apart, *(entry.id for entry in host.project.of_kind("queue.consumer"))]


def status(host: Host, meter: Meter | None) -> dict[str, Any]:
    """Return what the process is and has done."""
    report = host.report()
    found: dict[str, Any] = {
        "project": host.project.name,
        "name": host.name,
        "path": str(host.project.root.resolve()),
        **profile(host),
        "pid": os.getpid(),
        "version": __version__,
        "up": round(report.up, 3),
        "acked": report.acked,
        "retried": report.retried,
        "dead": report.dead,
        "handed_back": report.handed_back,
        "denied": report.denied,
        "killed": report.killed,
        "services": [_service(host, one) for one in host.supervisor.all()],
    }
    billed = {name: one for name, one in host.drivers.items() if isinstance(one, Billed)}
    if billed:
        found["calls"] = {name: dict(one.calls) for name, one in billed.items()}
    memory = memory_bytes()
    if memory is not None:
        found["memory_bytes"] = memory
    if meter is not None:
        found["cpu"] = round(meter.rates().cpu, 3)
    return found


def _service(host: Host, managed: Managed) -> dict[str, Any]:
    driver = host.drivers.get(managed.id)
    is_up = driver is not None and managed.state == "running"
    module = host.services.modules.get(managed.id)
    consumer = host.consumers.get(managed.id)
    problem = managed.problem
    if driver and is_up:
        problem = "; ".join(driver.health())
    elif module is not None and managed.state == "running":
        problem = "; ".join(module.health())
    elif consumer is not None and not problem:
        problem = consumer.status().shortage or ""
    return {"id": managed.id, "kind": managed.kind, "state": managed.state, "problem": problem}


def peers(host: Host) -> list[dict[str, Any]]:
    """Return every driver with the hosts that share it, this one among them."""
    return [_sharing(host, name, driver) for name, driver in sorted(host.drivers.items())]


def _sharing(host: Host, name: str, driver: Driver) -> dict[str, Any]:
    found: dict[str, Any] = {"id": name, "kind": driver.kind}
    if driver.capabilities().several_hosts == "none":
        return found
    try:
        there = driver.peers()
    except MoonqError as problem:
        return {**found, "problem": problem.message}
    if there is None:
        return {**found, "hosts": None}
    # A private host is nobody: it is there to ask.
    nobody = None if host.name else ("", machine(), os.getpid())
    return {**found, "hosts": [one._asdict() for one in there if one[:3] != nobody]}


def queues(host: Host, meter: Meter | None) -> list[dict[str, Any]]:
    """Return every queue with its numbers."""
    rates = meter.rates() if meter is not None else NO_RATES
    seats = Counter(one.route.id for one in (*host.consumers.values(), *host.finishing()))
    serving: dict[str, list[str]] = {}
    for one in tuple(host.consumers.values()):
        serving.setdefault(one.route.id, []).append(one.settings.id)
    return [
        _queue(host, rates, host.queues.route(name), serving.get(name, []), seats[name])
        for name in host.queues.ids()
    ]


def _queue(
    host: Host, rates: Reading, route: Route, serving: list[str], seats: int
) -> dict[str, Any]:
    entry = host.project.entries.get(route.id)
    found: dict[str, Any] = {
        "id": route.id,
        "driver": route.driver.kind,
        "dead_letter": entry.target("dead_letter") if entry else None,
        "consumers": serving,
        "published": route.traffic.published,
    }
    if route.spec.max_length is not None:
        found["max_length"] = route.spec.max_length
    if route.spec.max_bytes is not None:
        found["max_bytes"] = route.spec.max_bytes
    try:
        found |= info_object(route.driver.info(route.spec.name))
    except MoonqError as problem:
        found["problem"] = problem.message
    if found.get("consumer_count", 0) > seats:
        found["elsewhere"] = found["consumer_count"] - seats  # consumers in other hosts
    if rates.time:
        found["in_rate"] = rates.published.get(route.id, 0.0)
        if serving:
            out = sum(rates.acked.get(name, 0.0) + rates.dead.get(name, 0.0) for name in serving)
            found["out_rate"] = round(out, 2)
        found["rate_seconds"] = round(rates.time, 1)
    return found


def consumers(host: Host, meter: Meter | None) -> list[dict[str, Any]]:
    """Return every consumer of the project: at work, paused, or not started."""
    rates = meter.rates() if meter is not None else NO_RATES
    return [
        _consumer(host, rates, entry.id)
        for entry in sorted(host.project.of_kind("queue.consumer"), key=lambda one: one.id)
    ]


def _consumer(host: Host, rates: Reading, name: str) -> dict[str, Any]:
    fields = host.project.entries[name].fields(ConsumerFields)
    managed = host.supervisor.get(name)
    found: dict[str, Any] = {
        "id": name,
        "queue": fields.queue,
        "function": fields.func,
        "state": managed.state if managed else "stopped",
        "concurrency": fields.concurrency,
    }
    if managed and managed.problem:
        found["problem"] = managed.problem
    consumer = host.consumers.get(name)
    if consumer is None:
        return found
    status = asdict(consumer.status())
    found |= {key: value for key, value in status.items() if value is not None}
    if "shortage" in found:
        found.setdefault("problem", found["shortage"])
    found |= {
        "prefetch": consumer.settings.prefetch,
        "running": consumer.running()[:100],
        "acked": consumer.acked(),
        "times": consumer.times(),
        "retried": host.metrics.get("retried", name),
        "dead": host.metrics.get("dead", name),
        "killed": host.metrics.get("killed", name),
    }
    if rates.time:
        for key in ("acked", "retried", "dead"):
            found[f"{key}_rate"] = getattr(rates, key).get(name, 0.0)
    return found
