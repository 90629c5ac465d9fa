"""A project of which only some entries are as new as their files, for `moonq reload ID`.

    picked(before, after, ["app:work"])      # `before`, with `app:work` as it is in `after`

Both projects are sound; what is made of both need not be, and then it is refused with what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from moonq.errors import Invalid
from moonq.registry import names
from moonq.registry.project import Entry, Project


def picked(before: Project, after: Project, wanted: Iterable[str]) -> Project:
    """Return *before* with the entries *wanted*, ids or bare names, as they are in *after*.

    Raises:
        NotFound: Neither project has such an entry.
        Invalid: The entries that are not named do not fit to those that are.
    """
    both = {**before.entries, **after.entries}
    chosen = {names.meant(name, both, before.name) for name in wanted}
    sources = {id_: after if id_ in chosen else before for id_ in both}
    entries = {
        id_: source.entries[id_]
        for id_ in dict.fromkeys((*after.entries, *before.entries))
        if id_ in (source := sources[id_]).entries
    }
    implied = {
        id_: owner
        for source in (before, after)
        for id_, owner in source.implied.items()
        if owner in entries and sources[owner] is source and id_ not in entries
    }
    found = replace(before, entries=entries, implied=implied)
    for entry in entries.values():
        _fits(entry, sources[entry.id], found)
    _no_circle(found)
    return found


def _fits(entry: Entry, source: Project, found: Project) -> None:
    """See that what *entry* needs is there, and of the kind that it was checked with."""
    for needed in entry.depends_on:
        other = found.entries.get(needed)
        if other is None:
            state = "would not be there"
        elif other.kind != source.entries[needed].kind:
            state = f"would be a {other.kind}"
        else:
            continue
        raise Invalid(
            f"{entry.id} needs {needed}, which {state}",
            hint=f"name both: `moonq reload {entry.id} {needed}`, or reload all",
        )


def _no_circle(found: Project) -> None:
    for entry in found.entries.values():
        if any(entry.id in found.needs(one) for one in entry.depends_on):
            raise Invalid(
                f"{entry.id} would need itself: what it needs is of another version",
                hint="name what it needs as well, or reload all",
            )
