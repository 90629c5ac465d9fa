"""What people see of a host: queues, messages, dead letters, entries.

Every function takes the host's answer and returns lines. What the host does not know is shown as
`·`, never as zero.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from moonq.console.ink import Ink
from moonq.console.tables import lua, quoted, table
from moonq.log import value_text, visible
from moonq.text.wording import UNKNOWN, age, number, plural, rate, short, size, written

Found = Mapping[str, Any]


def queues(found: Found, ink: Ink) -> list[str]:
    """Return the table of all queues."""
    heads = ["queue", "ready", "in-flight", "delayed", "oldest", "in/s", "out/s", "consumers"]
    rows = [_queue(one) for one in found["queues"]]
    return table(heads, rows, ink, right=range(1, 7)) if rows else ["no queues"]


def _queue(one: Found) -> list[str]:
    flying = [one[name] for name in ("leased", "running") if name in one]
    consumers = ", ".join(one.get("consumers", [])) or "none"
    return [
        one["id"],
        number(one.get("ready")),
        number(sum(flying) if flying else None),
        number(one.get("delayed")),
        age(one.get("oldest_age")),
        rate(one.get("in_rate")),
        rate(one.get("out_rate")),
        f"{consumers} (paused)" if one.get("paused") else consumers,
    ]


def messages(found: Found, ink: Ink) -> list[str]:
    """Return what lies in a queue."""
    info = found.get("info", {})
    head = f"{found['queue']} · {number(info.get('ready'))} ready"
    if info.get("oldest_age") is not None:
        head += f" · oldest {age(info['oldest_age'])}"
    rows = [_message(one, ink) for one in found["messages"]]
    if not rows:
        return [ink.plain(f"{head} · nothing to see")]
    lines = table(["id", "state", "age", "try", "size", "body"], rows, ink, right=(2, 3, 4))
    return [ink.plain(head), *(f"  {line}" for line in lines)]


def _message(one: Found, ink: Ink) -> list[str]:
    text = body(one)
    room = max(20, ink.width - 50)
    return [
        one["id"],
        one["state"],
        age(one["age"]),
        str(one["attempt"]),
        size(one["size"]),
        text if len(text) <= room else f"{text[: room - 1]}…",
    ]


def body(one: Found) -> str:
    """Return a message's body on one line."""
    if "body" in one:
        return lua(one["body"])
    if "text" in one:
        return quoted(one["text"]) + (" …" if one.get("cut") else "")
    return f"base64 {one['base64']}" if "base64" in one else "(too large to show)"


def letters(found: Found, ink: Ink) -> list[str]:
    """Return dead letters by kind of error, and the newest ones."""
    groups = found["groups"]
    if not groups:
        return [f"no dead letters in {found['dead_queue']}"]
    kinds = f"{plural(len(groups), 'kind')} of error"
    head = f"{plural(found['count'], 'dead letter')} in {found['dead_queue']}, {kinds}"
    rows = [
        [
            one["fingerprint"],
            number(one["count"]),
            f"{age(time.time() - one['last'])} ago",
            one["where"] or UNKNOWN,
            visible(one["error"])[: max(20, ink.width - 50)],
            one["example"],
        ]
        for one in groups
    ]
    lines = table(["fp", "n", "last", "where", "error", "for example"], rows, ink, right=(1,))
    return [head, *(f"  {line}" for line in lines)]


def letter(found: Found, ink: Ink) -> list[str]:
    """Return one dead letter: body, headers, and every attempt that is remembered."""
    lines = [
        f"{found['id']} · dead letter of {found['queue']} · published {age(found['age'])} ago",
        f"body     {ink.lua(body(found))}",
    ]
    for index, (name, value) in enumerate(sorted(found["headers"].items())):
        lines.append(f"{'headers' if index == 0 else '':8} {visible(name)} = {value_text(value)}")
    records = found.get("errors", [])
    for index, record in enumerate(records, 1):
        moment = time.strftime("%H:%M:%S", time.localtime(record["time"]))
        kind = ink.paint("red", record["kind"])
        lines.append(f"try {index:<4} {moment}  {kind}  {visible(record['message'])}")
        if index == len(records):
            stack = str(record.get("traceback") or "").splitlines()
            lines += [ink.paint("dim", f"         at {visible(line)}") for line in stack[:10]]
    return [ink.plain(line) for line in lines]


def entries(found: Found, ink: Ink) -> list[str]:
    """Return a list of entries."""
    rows = [[one["id"], one["kind"], f"{one['file']}:{one['line']}"] for one in found["entries"]]
    return table(["entry", "kind", "written at"], rows, ink) if rows else ["no entry fits"]


def entry(found: Found, ink: Ink) -> list[str]:
    """Return one entry with its fields."""
    lines = [f"{found['id']}  {found['kind']}  {found['file']}:{found['line']}"]
    for key, value in found["fields"].items():
        if value not in (None, {}, []):
            lines.append(f"  {key:14} {lua(value)}")
    lines += [
        f"  {name:14} {', '.join(found[name])}"
        for name in ("depends_on", "used_by")
        if found.get(name)
    ]
    return [ink.plain(line) for line in lines]


def graph(found: Found, ink: Ink) -> list[str]:
    """Return entries, each with what it refers to."""
    kinds = {node["id"]: node["kind"] for node in found["nodes"]}
    lines = []
    for name, kind in sorted(kinds.items()):
        lines.append(f"{name}  {kind}")
        edges = [edge for edge in found["edges"] if edge["from"] == name]
        for edge in edges:
            branch = "└─" if edge is edges[-1] else "├─"
            if not ink.unicode:
                branch = "`-" if edge is edges[-1] else "|-"
            lines.append(f"  {branch} {edge['field']:12} {edge['to']}")
    return [ink.plain(line) for line in lines]


def called(found: Found, ink: Ink, *, as_message: bool) -> list[str]:
    """Return what a call by hand did: its results, what it would have published, its logs."""
    fault = found.get("error")
    outcome = ", ".join(lua(value) for value in found["values"])
    if fault:
        retryable = {True: "yes", False: "no", None: "not said"}[fault["retryable"]]
        outcome = f"{ink.paint('red', fault['kind'])}: {visible(fault['message'])}"
        outcome += f"   (retryable: {retryable})"
    head = f"would {found['verdict']}" if as_message and found.get("verdict") else ""
    head = head or ("failed" if fault else "returned")
    lines = [f"{head:12} {outcome}".rstrip()]
    if fault and fault.get("traceback"):
        lines += [
            ink.paint("dim", f"{'':12} at {visible(line)}")
            for line in fault["traceback"].splitlines()[:10]
        ]
    lines += [f"{what:12} {visible(one)}" for what, one in written(found)]
    for index, one in enumerate(found["logs"]):
        shown = " ".join(f"{visible(k)}={value_text(v)}" for k, v in one["fields"].items())
        line = f"{one['level'].upper():5} {visible(one['message'])}  {shown}".rstrip()
        lines.append(f"{'logs' if not index else '':12} {line}")
    took = f"took {found['took_ms']:.1f} ms · {found['memory_bytes'] / 1024:.0f} KB"
    return [ink.plain(line) for line in (*lines, took)]


def event(found: Found, ink: Ink) -> str:
    """Return one event of a message's life, or a log line, on one line."""
    moment = float(found.get("time", time.time()))
    clock = time.strftime("%H:%M:%S", time.localtime(moment))
    kind = str(found.get("event", "?"))
    color = {"dead": "red", "nack": "yellow", "ack": "green"}.get(kind, "dim")
    parts = [
        f"{clock}.{int(moment % 1 * 1000):03}",
        ink.paint(color, f"{found.get('level', kind):7}"),
        visible(str(found.get("queue") or found.get("logger") or "")),
        short(str(found.get("id") or "")),
        f"try {found['attempt']}" if found.get("attempt") else "",
        _words(found),
    ]
    return ink.plain("  ".join(part for part in parts if part))


def _words(found: Found) -> str:
    """What an event tells beside its place in the table."""
    error = found.get("error")
    if error:
        return visible(f"{error['kind']} {error['message']}  {error['where']}".rstrip())
    if found.get("event") == "log":
        fields = found.get("fields") or {}
        shown = " ".join(f"{visible(str(k))}={value_text(v)}" for k, v in fields.items())
        return f"{visible(str(found['message']))}  {shown}".rstrip()
    return visible(str(found.get("reason") or found.get("verdict") or ""))
