"""What was done: answers of verbs that change something, the hosts that run, and remarks."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from moonq import durations
from moonq.control.locating import USUAL
from moonq.text.folding import Part
from moonq.text.plain import visible
from moonq.text.wording import NONE, age, clock, counted, number, plural, profile_of, size
from moonq.views.screen import Screen
from moonq.views.tables import Column, Found, get, sentence, table

#: Outcomes of published messages that are shown.
MOST_OUTCOMES = 20
#: Refused messages that are named.
MOST_ERRORS = 3
#: What says in an answer whose it is.
_WHO = ("name", "pid")


def done(found: Found, screen: Screen) -> Iterator[str]:
    """Yield what was done in its own words: `paused app:orders`, `12 messages requeued`."""
    if "retried" in found:
        yield f"{plural(found['retried'], 'message')} requeued"
        left = found.get("chosen", found["retried"]) - found["retried"]
        if left > 0:
            yield (
                f"{counted(left)} still dead: a queue that is full or gone cannot take them back,"
                " another one can (`to`)"
            )
        return
    for what, name in found.items():
        yield from sentence(screen, f"{what} {name}")


def dropped(found: Found, screen: Screen, *, verb: str = "dropped") -> Iterator[str]:
    """Yield how many messages are gone, and how to get them back."""
    told = f"{verb} {counted(found['dropped'])}"
    if "backup" in found:
        kept = f"{size(found['backup_bytes'])}, kept {found['kept_days']} days"
        yield screen.plain(visible(f"saved  {found['backup']} ({kept})"))
        told += f" · undo: {undo(found)}"
    # A path and a command are there to be copied, so the terminal breaks them, not we.
    yield screen.plain(visible(told))
    missing = found["chosen"] - found["dropped"]
    if missing > 0:
        yield f"{counted(missing)} were taken by a consumer meanwhile"


def moved(found: Found, screen: Screen) -> Iterator[str]:
    """Yield how many messages lie in another queue now, how many do not, and why."""
    old, new = visible(found["source"]), visible(found["queue"])
    about = "" if found["is_exact"] else "about "
    if found["dry_run"]:
        what = f"{about}{_with_dead(found['left'], found['left_dead'])}"
        yield screen.plain(f"would move {what} from {old} to {new}")
        for name, count in found["lost"].items():
            kept = f"{new} cannot keep {name} of {plural(count, 'message')}"
            yield screen.plain(visible(f"  {kept}: --drop {name} accepts that"))
    else:
        what = _with_dead(found["moved"], found["moved_dead"])
        yield screen.plain(f"moved {what} from {old} to {new}")
        if found["duplicates"]:
            yield f"{counted(found['duplicates'])} of them were there already, from an earlier move"
        left = found["left"] + found["left_dead"]
        are_left = f"{about}{counted(left)} {'is' if left == 1 else 'are'} left"
        if found["why"]:
            yield visible(f"{are_left}: {found['why']}")
        elif left:
            yield f"{are_left}: published meanwhile, or taken back"
    if found["at_work"] == 1:
        yield "1 at work stays where it is"
    elif found["at_work"]:
        yield f"{counted(found['at_work'])} at work stay where they are"


def _with_dead(messages: int, dead: int) -> str:
    return plural(messages, "message") + (f" and {plural(dead, 'dead letter')}" if dead else "")


def undo(found: Found) -> str:
    """Return the command that brings dropped messages back."""
    return f"moonq publish {found['queue']} --ndjson {shlex.quote(found['backup'])}"


def published(found: Found, screen: Screen) -> Iterator[str]:
    """Yield what was published, and what became of it where that was waited for."""
    verb = "would publish" if found["dry_run"] else "published"
    count, took = found["published"], found["took_ms"] / 1000
    duplicates = found["duplicates"]
    if count == 1 and not found["refused"] and duplicates:
        same = f"{found['ids'][0]} in {found['queue']}"
        yield from sentence(screen, f"duplicate of {same}: nothing new was published")
    elif count == 1 and not found["refused"]:
        name = "one message" if found["dry_run"] else found["ids"][0]
        yield from sentence(screen, f"{verb} {name} to {found['queue']}")
    else:
        speed = f" · {count / took:.0f}/s" if took > 0 and count else ""
        lasted = durations.show(took) if took else "0 s"
        told = f"{verb} {counted(count - duplicates)} · {lasted}{speed}"
        told += f" · {found['refused']} refused"
        if duplicates:
            told += f" · {plural(duplicates, 'duplicate')}"
        yield from sentence(screen, told)
    for one in found["outcomes"][:MOST_OUTCOMES]:
        yield from sentence(screen, *_outcome(one))


def _outcome(found: Found) -> tuple[Part, str]:
    took, tries = f"{found['took_ms']:.0f} ms", f"attempt {found.get('attempt', 1)}"
    if found["event"] == "ack":
        if "function" not in found:
            return ("acked", "good"), f" by a host elsewhere within {took}"
        return ("acked", "good"), f" by {found['function']} in {took} ({tries})"
    error = found.get("error") or {}
    text = f"{error.get('kind', '')} {error.get('message', '')}".strip()
    return ("dead", "bad"), f" ({found.get('reason')}) after {took} ({tries}): {text}"


def reloaded(found: Found, screen: Screen) -> Iterator[str]:
    """Yield what a reload has changed."""
    settings = [f"moonq.yaml: {one}" for one in found["settings"]]
    names = {**found, "changed": [*found["changed"], *settings]}
    changes = [what for what in ("added", "removed", "changed") if names[what]]
    for what in changes:
        yield from sentence(screen, f"{what:8} {', '.join(names[what])}")
    if not changes:
        yield "nothing has changed"
        return
    told = f"reloaded in {found['took_ms']:.0f} ms"
    if found["replaced"]:
        told += f" · {plural(found['workers'], 'worker')} switched"
    if found["finishing"]:
        told += f" · {plural(found['finishing'], 'message')} finishing on the old code"
    yield from sentence(screen, told)
    for problem in found["problems"]:
        yield from sentence(screen, (visible(f"not up: {problem}"), "bad"))
    for name in found["needs_restart"]:
        yield from sentence(screen, f"{name} is as it was until the next start")


def scaled(found: Found, screen: Screen) -> Iterator[str]:
    """Yield how many workers a consumer has now, and until when."""
    if found["from"] == found["to"]:
        told = f"{found['consumer']} has {plural(found['to'], 'worker')} already"
        yield from sentence(screen, told)
        return
    told = f"{found['consumer']}: {found['from']} to {plural(found['to'], 'worker')}"
    told += f" · prefetch {found['prefetch']} · until the next reload"
    if found["finishing"]:
        told += f" · {plural(found['finishing'], 'message')} finishing with the old ones"
    yield from sentence(screen, told)
    for problem in found["problems"]:
        yield from sentence(screen, (visible(f"not up: {problem}"), "bad"))


def by_host(
    rows: Iterable[Found], screen: Screen, view: Callable[[Found, Screen], Iterable[str]]
) -> Iterator[str]:
    """Yield what every host has answered, as *view* shows it, behind the host's name."""
    for row in rows:
        if "problem" in row:
            yield from sentence(screen, f"{row['name']}: ", (visible(row["problem"]), "bad"))
            continue
        answer = {key: value for key, value in row.items() if key not in _WHO}
        for line in view(answer, screen):
            yield f"{visible(row['name'])} (pid {row['pid']}): {line}"


def stopping(found: Found, screen: Screen) -> Iterator[str]:
    """Yield that the host ends, or which one has ended."""
    pid = f" (pid {found['pid']})" if "pid" in found else ""
    gone = f"stopped {found['project']}{pid}" if "project" in found else ""
    yield from sentence(screen, gone or "the host is stopping")


def hosts(found: Found, screen: Screen) -> Iterator[str]:
    """Yield the running hosts, a line for each."""
    paths = Counter(host["path"] for host in found["hosts"])
    for host in found["hosts"]:
        is_named = host["name"] != USUAL or paths[host["path"]] > 1
        yield from sentence(screen, " · ".join(_host(host, is_named=is_named)))


def _host(host: Found, *, is_named: bool) -> Iterator[str]:
    yield host["project"]
    if is_named:
        yield host["name"]
    yield from (f"pid {host['pid']}", profile_of(host))
    if host["problem"]:
        yield host["problem"]
        return
    yield f"up {clock(host['up'])}"
    yield from (f"{counted(host[name])} {name}" for name in ("acked", "retried", "dead"))
    for name in ("denied", "killed"):
        if host.get(name):
            yield f"{counted(host[name])} {name}"
    failing = [one["id"] for one in host["services"] if one["state"] in ("failed", "waiting")]
    if failing:
        yield f"not up: {', '.join(failing)}"
    yield from (
        f"{one['id']}: {one['problem']}"
        for one in host["services"]
        if one.get("problem")
        and one["kind"].startswith("queue.driver.")
        and one["id"] not in failing
    )
    yield host["socket"]


def peers(found: Found, screen: Screen) -> Iterator[str]:
    """Yield who shares each driver: a table of hosts for each, or why there is none."""
    now = time.time()
    for at, driver in enumerate(found["drivers"]):
        hosts = driver.get("hosts") or []
        if at:
            yield ""
        about = f"{driver['id']} · {driver['kind']} · "
        yield from sentence(screen, about, _shared(driver))
        rows = [{**one, "up": max(1.0, now - one["since"])} for one in hosts]
        yield from table(_PEERS, rows, screen) if rows else ()


def _shared(driver: Found) -> str | Part:
    if "problem" in driver:
        return visible(driver["problem"]), "bad"
    if "hosts" not in driver:
        return "shared by nobody: each host has its own messages"
    if driver["hosts"] is None:
        return "its broker cannot tell who shares it"
    return plural(len(driver["hosts"]), "host")


_PEERS = (
    Column("host", lambda row: row["name"] or NONE, is_id=True),
    Column("machine", get("machine"), is_id=True),
    Column("pid", get("pid"), right=True),
    Column("up", lambda row: age(row["up"]), right=True),
    Column("busy", lambda row: number(row["busy"]), right=True),
)

#: Views whose answers come with notes.
NOTED = frozenset(("queues", "messages", "published", "entries", "graph"))


def notes(found: Found) -> Iterator[tuple[str, bool]]:
    """Yield sentences about an answer, and whether each matters even where little is said."""
    queues = found.get("queues", ())
    seconds = max((row.get("rate_seconds", 0) for row in queues), default=0)
    if seconds:
        here = ", of the hosts here" if any(row.get("elsewhere") for row in queues) else ""
        yield f"rates: last {age(seconds)}{here}", False
    for one in found.get("orphans", ()):
        count, place = plural(one["messages"], "message"), f"{one['queue']} at {one['driver']}"
        yield visible(f"{count} in {place}, which no queue declares: see `moonq move`"), True
    if "entries" in found and not found["entries"]:
        yield "no entry fits", True
    for row in queues:
        if row.get("problem"):
            yield visible(f"{row['id']}: {row['problem']}"), True
    for one in found.get("unknown", ()):
        place = f"{one['file']}:{one['line']}"
        does = "publishes into" if one["field"] == "publishes" else "calls"
        told = f"{one['from']} {does} what is only known when it runs ({place})"
        yield visible(told), False
    if found.get("left_off"):
        yield f"{found['left_off']} more would not fit; ask for fewer with -n", True
    for error in found.get("errors", ())[:MOST_ERRORS]:
        text = f"message {error['number']}: {error['kind']} {error['message']}"
        yield visible(f"moonq: {text}"), True
    if found.get("timed_out"):
        took = durations.show(found["took_ms"] / 1000)
        yield f"not done after {took}; it goes on without us", True
