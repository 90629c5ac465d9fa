"""Does what a person asked for, once it is confirmed as the verb's row says.

The same for every door: a door only shows what is said and asks what is to be asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from moonq.control.reaching import Reached
from moonq.control.together import Together
from moonq.operations.verb import Question, Verb
from moonq.operations.verbs import VERBS
from moonq.text.wording import counted, plural

#: What is summed up over the requests of one command.
_COUNTED = ("chosen", "dropped", "retried")
_MOVED = ("moved", "moved_dead", "duplicates")
#: Messages of one request: others are served between two of them.
BIT = 5000
_CHOICE = tuple(one.name for one in VERBS["snapshot"].arguments)


class Person(Protocol):
    """Who asked, and may be asked back."""

    def notice(self, text: str) -> None:
        """Say something that is not the result."""
        ...

    def progress(self) -> AbstractContextManager[Callable[[str], None]]:
        """Return what says how far something is, until the end of `with`."""
        ...

    def confirms(self, question: str) -> bool:
        """Ask for a yes."""
        ...

    def asks(self, question: str) -> str:
        """Ask for a word."""
        ...


def perform(
    host: Reached, verb: Verb, fields: Mapping[str, Any], person: Person, *, sure: bool = False
) -> dict[str, Any] | None:
    """Do what *verb* does with *fields*, and return the answer; None when the person said no.

    With *sure* nothing is asked. What takes messages away is shown as a snapshot first.
    """
    if verb.takes:
        return _take(host, verb, fields, person, sure=sure)
    if verb.is_rehearsed:
        return _rehearse(host, verb, fields, person, sure=sure)
    question = verb.question(1, production=host.is_production)
    asks = not sure and question is not Question.NONE
    if asks and not person.confirms(f"{verb.deed(fields)} on {host.where}?"):
        return None
    found: dict[str, Any] = host.request(verb.name, **fields)
    return found


def _rehearse(
    host: Reached, verb: Verb, fields: Mapping[str, Any], person: Person, *, sure: bool
) -> dict[str, Any] | None:
    """Show how many messages it is about, then do it bit by bit and say how far it is."""
    found: dict[str, Any] = host.request(verb.name, **{**fields, "dry_run": True})
    total, exact = found["left"] + found["left_dead"], found["is_exact"]
    if fields.get("dry_run") or (exact and not total):
        return found if fields.get("dry_run") else {**found, "dry_run": False}
    if found["lost"]:
        host.request(verb.name, **fields)  # refuses it, in words
    about = "" if exact else "about "
    person.notice(f"{verb.deed(fields)}: {about}{plural(total, 'message')} on {host.where}")
    question = verb.question(total, production=host.is_production)
    if not sure and question is not Question.NONE and not person.confirms("  proceed?"):
        return None
    sums: Counter[str] = Counter()
    try:
        with person.progress() as say:
            while True:
                done = sums["moved"] + sums["moved_dead"]
                most = min(BIT, total - done) if exact else BIT
                found = host.request(verb.name, **fields, most=most)
                sums.update({name: found[name] for name in _MOVED})
                if _is_over(found, most, total - done, exact=exact):
                    return {**found, **sums}
                say(f"moved {counted(done + _step(found))} of {about}{counted(total)}")
    except BaseException:
        # What is done stays done, whatever became of the rest.
        if sums:
            moved = sums["moved"] + sums["moved_dead"]
            person.notice(
                f"moved at least {counted(moved)} of {about}{counted(total)} before it broke off"
            )
        raise


def _step(found: Mapping[str, Any]) -> int:
    return int(found["moved"] + found["moved_dead"])


def _is_over(found: Mapping[str, Any], most: int, wanted: int, *, exact: bool) -> bool:
    """Whether another request would bring no more."""
    step, left = _step(found), found["left"] + found["left_dead"]
    tried = step + found["refused"]
    if not step or found["broke_off"]:
        return True
    if exact:
        return not left or tried >= wanted
    return bool(found["refused"]) and tried < most


def beside(host: Reached | Together, verb: Verb, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the view of *verb* needs beside its answer."""
    if verb.name == "queues":
        # A private host that one command has is busy with nothing.
        return {} if host.is_partial else {"consumers": host.request("consumers")["consumers"]}
    if verb.name == "graph" and fields.get("name"):
        return {"middle": host.request("entry", name=fields["name"])["id"]}
    return {}


def _take(
    host: Reached, verb: Verb, fields: Mapping[str, Any], person: Person, *, sure: bool
) -> dict[str, Any] | None:
    choice = {name: fields[name] for name in _CHOICE if name in fields}
    others = {name: value for name, value in fields.items() if name not in choice}
    taken = host.request("snapshot", **choice, dead=verb.takes == "dead")
    queue, count = taken["queue"], taken["count"]
    if count or taken["all"]:
        home = queue if queue != taken["from"] else "where each came from"
        person.notice(_announced(host, verb, taken, others.get("to") or home))
        question = verb.question(count, production=host.is_production)
        if not sure and not _is_sure(person, question, queue):
            return None
    return _bit_by_bit(
        host, verb, {"snapshot": taken["snapshot"], "confirm": queue, **others}, person
    )


def _bit_by_bit(
    host: Reached, verb: Verb, fields: Mapping[str, Any], person: Person
) -> dict[str, Any]:
    """Take the messages of a snapshot, and say how far it is."""
    total: Counter[str] = Counter()
    with person.progress() as say:
        while True:
            found: dict[str, Any] = host.request(verb.name, **fields, most=BIT)
            left = found.pop("left")
            total.update({name: found[name] for name in _COUNTED if name in found})
            if not left:
                return {**found, **total}
            say(f"{verb.name}: {counted(left)} to go")


def _is_sure(person: Person, question: Question, queue: str) -> bool:
    if question is not Question.NAME:
        return person.confirms("  proceed?")
    typed = person.asks("type the queue name to confirm:")
    if typed and typed not in (queue, queue.partition(":")[2]):
        person.notice(f"{typed!r} is not {queue}")
        return False
    return bool(typed)


def _announced(host: Reached, verb: Verb, taken: Mapping[str, Any], target: str) -> str:
    """Say what would be taken away, and from where."""
    clock = time.strftime("%H:%M:%S", time.localtime(taken["taken"]))
    later = "later arrivals are not included"
    if taken["all"]:
        later = "what arrives meanwhile is included"
    if not taken["whole"]:
        later += ", more than one snapshot holds: repeat it for the rest"
    count, driver = plural(taken["count"], "message"), taken["driver"].rpartition(".")[2]
    if verb.name == "retry":
        return (
            f"retry {count} (snapshot taken {clock}; {later})\n"
            f"  back to {target}, attempts reset, history kept"
        )
    return (
        f"{verb.name} {count} from {taken['from']} on {host.where} "
        f"({driver} driver; snapshot taken {clock}; {later})"
    )
