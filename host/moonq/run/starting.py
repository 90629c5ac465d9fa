"""Which services start with a host, beyond what their own `auto_start` says.

Starting(skip=("app:rabbit",)).reason(project, entry, works=True)   # "--skip app:rabbit"

Drivers, queues and stores start whatever is served, for handlers publish into them; only what
works, the consumers, is chosen by `only`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from moonq.errors import Invalid
from moonq.registry.project import Entry, Project

_WILD = frozenset("*?[")


class Starting(NamedTuple):
    """What was asked for when a host was started; it holds for entries that a reload adds, too."""

    only: tuple[str, ...] = ()
    """Consumers by their ids or patterns, or by those of their queues and functions; empty: all."""
    skip: tuple[str, ...] = ()
    """Services that do not start, nor what needs them."""
    consumers: bool = True

    def checked(self, project: Project) -> Starting:
        """Return it with the full ids of all that is named.

        Raises:
            NotFound: Something that is named is no entry.
            Invalid: Something is named that no consumer serves, or that is not started.
        """
        only, skip = _resolved(project, self.only), _resolved(project, self.skip)
        for name in only:
            if not any(_serves(entry, name) for entry in project.of_kind("queue.consumer")):
                raise Invalid(
                    f"--only {name} is about no consumer",
                    hint="name consumers, or queues or functions that have one",
                )
        for name in skip:
            if not any(e.config.is_service and fnmatchcase(e.id, name) for e in _all(project)):
                raise Invalid(f"--skip {name} is about nothing that is started")
        return Starting(only, skip, self.consumers)

    def reason(self, project: Project, entry: Entry, *, works: bool) -> str:
        """Return what keeps a service from starting, as it was written; empty: nothing does."""
        if works and not self.consumers:
            return "--no-consumers"
        if works and self.only and not any(_serves(entry, name) for name in self.only):
            return f"--only {' '.join(self.only)}"
        if not self.skip:
            return ""
        needed = project.needs(entry.id)
        found = (name for name in self.skip if any(fnmatchcase(one, name) for one in needed))
        return next((f"--skip {name}" for name in found), "")

    def names(self, entry: Entry) -> bool:
        """Whether a service is named itself, and so is meant whatever its `auto_start` says."""
        return entry.id in self.only


def _all(project: Project) -> list[Entry]:
    return [*project.entries.values()]


def _serves(entry: Entry, name: str) -> bool:
    return any(fnmatchcase(one, name) for one in (entry.id, *entry.depends_on))


def _resolved(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name if _WILD & {*name} else project.resolve(name).id for name in names)


ALL = Starting()
