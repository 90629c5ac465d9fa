"""One implementation of every verb, for the socket, the console and the command line.

    operations = Operations(host, "console:alice")
    operations.perform("queues", {})                      --> {"queues": [...]}
    operations.perform("pause", {"target": "orders"})     --> {"paused": "app:orders"}

The method with a verb's name implements it; its parameters are the request's fields and what it
returns is the answer, plain data both. What changes something is logged with who did it, and what
destroys something works on a snapshot and wants the queue's name as `confirm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from moonq import durations
from moonq.errors import Invalid, ReadOnly
from moonq.operations.acting import Acting
from moonq.operations.destroying import Destroying
from moonq.operations.moving import Moving
from moonq.operations.queries import Queries
from moonq.operations.verb import Verb
from moonq.operations.verbs import VERBS
from moonq.text import suggestions


class Operations(Queries, Acting, Destroying, Moving):
    """What one person may do to one host."""

    def perform(
        self, kind: str, fields: Mapping[str, Any], *, read_only: bool = False
    ) -> dict[str, Any]:
        """Do what *kind* names.

        Raises:
            Invalid: There is no such kind, or its fields are others.
            ReadOnly: It would change something, and the session may only look.
        """
        verb = VERBS.get(kind)
        if verb is None:
            raise Invalid(f"no kind of request is called {kind!r}")
        if read_only and verb.needs_write(fields):
            asked = "\\write, or with --yes" if verb.changes else "\\write"
            raise ReadOnly(
                f"{kind}: this session is read-only",
                hint=f"ask for write access with {asked}; the host logs it",
            )
        known = verb.fields()
        names = [one.name for one in known]
        if unknown := fields.keys() - set(names):
            field = min(unknown)
            hint = suggestions.question(suggestions.close(field, names))
            raise Invalid(f"{kind}: unknown field {field!r} ({_listed(names)})", hint=hint)
        if missing := [one.name for one in known if one.is_required and one.name not in fields]:
            raise Invalid(f"{kind}: field {missing[0]!r} is missing")
        try:
            found: dict[str, Any] = getattr(self, kind)(**_in_seconds(verb, fields))
        except ValidationError as problem:
            first = problem.errors()[0]
            complaint = f"{first['msg'][0].lower()}{first['msg'][1:]}"
            raise Invalid(f"{kind}: field {first['loc'][0]!r}: {complaint}") from None
        return found


def _listed(names: list[str]) -> str:
    return f"there are {', '.join(sorted(names))}" if names else "it has none"


def _in_seconds(verb: Verb, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return *fields* with lengths of time in seconds, which may be written as everywhere."""
    found = dict(fields)
    for one in verb.fields():
        if one.type == "duration" and found.get(one.name) is not None:
            try:
                found[one.name] = durations.parse(found[one.name])
            except ValueError as problem:
                raise Invalid(f"{verb.name}: field {one.name!r}: {problem}") from None
    return found
