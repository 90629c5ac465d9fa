"""What several hosts of a project say of themselves, as one answer.

What lies in a queue they share, each has said already; what is their own adds up: workers, rates,
counts, and the messages of queues in their memory. Keys that an answer does not have stay absent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from moonq.run import times

Found = Mapping[str, Any]
#: What is counted by each host for itself.
_STATUS = ("acked", "retried", "dead", "handed_back", "denied", "killed", "memory_bytes", "cpu")
_TRAFFIC = ("published", "in_rate", "out_rate")
#: What lies in a queue; where no other host sees it, each has some.
_STATES = ("ready", "delayed", "leased", "running", "dead", "message_count", "consumer_count")
_WORK = ("concurrency", "prefetch", "workers", "busy", "buffered", "acked", "retried", "dead",
    "killed", "acked_rate", "retried_rate", "dead_rate")  # fmt: skip


def statuses(answers: Sequence[Found]) -> dict[str, Any]:
    """Return the process that several are together: `pids` names them."""
    found = {**answers[0], **_sums(answers, _STATUS), "up": max(one["up"] for one in answers)}
    if any("calls" in one for one in answers):
        found["calls"] = _calls(answers)
    services = [one for answer in answers for one in answer["services"]]
    return {**found, "services": services, "pids": [one["pid"] for one in answers]}


def _calls(answers: Sequence[Found]) -> dict[str, Counter[str]]:
    """Return how often each driver has called its broker, whichever host did."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        for driver, calls in answer.get("calls", {}).items():
            found[driver].update(calls)
    return dict(found)


def queues(answers: Sequence[Found], own: Collection[str]) -> dict[str, Any]:
    """Return every queue once; *own* are those of which each host has its own."""
    found = {**answers[0]}
    found["queues"] = _by_id(answers, "queues", lambda rows: _queue(rows, own))
    common = [one for one in found.pop("orphans", ()) if all(_has(more, one) for more in answers)]
    return {**found, "orphans": common} if common else found


def consumers(answers: Sequence[Found]) -> dict[str, Any]:
    """Return every consumer once, with the workers that it has in all hosts."""
    return {"consumers": _by_id(answers, "consumers", _consumer)}


def _has(answer: Found, orphan: Found) -> bool:
    """Whether a host knows of no queue either for which *orphan* would be at home."""
    keys = ("queue", "driver")
    return any(all(one[key] == orphan[key] for key in keys) for one in answer.get("orphans", ()))


def _by_id(
    answers: Sequence[Found], name: str, merge: Callable[[list[Found]], dict[str, Any]]
) -> list[dict[str, Any]]:
    rows: dict[str, list[Found]] = {}
    for answer in answers:
        for row in answer[name]:
            rows.setdefault(row["id"], []).append(row)
    return [merge(several) for several in rows.values()]


def _queue(rows: list[Found], own: Collection[str]) -> dict[str, Any]:
    # One that cannot reach the broker at the moment is no reason to know less.
    rows = sorted(rows, key=lambda row: "problem" in row)
    found = {**rows[0], **_sums(rows, _TRAFFIC)}
    found["consumers"] = list(dict.fromkeys(one for row in rows for one in row["consumers"]))
    ages = [row["oldest_age"] for row in rows if "oldest_age" in row]
    if rows[0]["id"] in own:
        found |= _sums(rows, _STATES) | ({"oldest_age": max(ages)} if ages else {})
    elif "consumer_count" in found:
        here = sum(row["consumer_count"] - row.get("elsewhere", 0) for row in rows)
        found["elsewhere"] = max(0, found["consumer_count"] - here)
    return found


def _consumer(rows: list[Found]) -> dict[str, Any]:
    at_work = [row for row in rows if row["state"] == "running"] or rows
    found = {**at_work[0], **_sums(at_work, _WORK)}
    found |= {"running": [one for row in at_work for one in row.get("running", ())][:100]}
    found |= {"times": times.merged(row.get("times", ()) for row in at_work)}
    if "paused" in found:
        resting = sum(bool(row.get("paused")) for row in at_work)
        found["paused"] = resting == len(at_work)
        found |= {"resting": resting} if resting and not found["paused"] else {}
    failed = [row for row in at_work if "last_error_at" in row]
    if failed:
        last = max(failed, key=lambda row: float(row["last_error_at"]))
        found |= {key: last[key] for key in ("last_error", "last_error_at") if key in last}
    return found


def _sums(rows: Sequence[Found], names: Sequence[str]) -> dict[str, Any]:
    known = {name: [row[name] for row in rows if name in row] for name in names}
    return {name: round(sum(values), 3) for name, values in known.items() if values}
