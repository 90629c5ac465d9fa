"""What is different between two readings of one project.

changes = Changes(before, after)
changes.changed                     # ("app:process_order",)
changes.touches("app:worker")       # True: it serves with what was changed
"""

from __future__ import annotations

from functools import cached_property

from moonq.registry.common import Config
from moonq.registry.project import Entry, Project
from moonq.registry.script import Script
from moonq.registry.settings import FILE, Common
from moonq.run.security import policies

#: Settings that count from the next start.
LASTING = ("name", "log")
#: What a script can reach through these modules is not written in its entry.
LOOKING_AROUND = frozenset({"registry", "env"})


class Changes:
    """The difference between the project *before* and *after*."""

    def __init__(self, before: Project, after: Project) -> None:
        self._before = before
        self._after = after

    @cached_property
    def added(self) -> tuple[str, ...]:
        """Entries that are new."""
        return tuple(name for name in self._after.entries if name not in self._before.entries)

    @cached_property
    def removed(self) -> tuple[str, ...]:
        """Entries that are gone."""
        return tuple(name for name in self._before.entries if name not in self._after.entries)

    @cached_property
    def gone(self) -> tuple[Entry, ...]:
        """Entries as they were that are gone, or of another kind now."""
        after = self._after.entries
        return tuple(
            entry
            for name, entry in self._before.entries.items()
            if name not in after or after[name].kind != entry.kind
        )

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """Entries with other fields, or another text."""
        both = self._before.entries.keys() & self._after.entries.keys()
        return tuple(
            name
            for name in self._after.entries
            if name in both and not same(self._before.entries[name], self._after.entries[name])
        )

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """Settings that are others than before."""
        before, after = self._before.settings, self._after.settings
        names = Common.model_fields
        return tuple(one for one in names if getattr(before, one) != getattr(after, one))

    @property
    def lasting(self) -> tuple[str, ...]:
        """Those of them that count from the next start, as people call them."""
        return tuple(f"{FILE}: {one}" for one in self.settings if one in LASTING)

    @cached_property
    def _different(self) -> frozenset[str]:
        return frozenset((*self.added, *self.removed, *self.changed))

    def __bool__(self) -> bool:
        return bool(self._different)

    def touches(self, service: str) -> bool:
        """Whether a service that was there before has to begin anew."""
        needed = self._after.needs(service) | self._before.needs(service)
        if self._different & needed:
            return True
        entry = self._after.entries[service]
        security = entry.lifecycle.security
        if (security.policies or security.groups) and self._policies_differ():
            return True
        return bool(self._different) and any(
            _looks_around(self._after.entries[one]) for one in needed
        )

    def _policies_differ(self) -> bool:
        kinds = (*self._before.entries.values(), *self._after.entries.values())
        return any(one.id in self._different for one in kinds if one.kind == policies.KIND)


def same(one: Entry, other: Entry) -> bool:
    """Whether two versions of an entry say the same, in fields and text."""
    return (
        _fields(one.config) == _fields(other.config)
        and one.source_text == other.source_text
        and one.depends_on == other.depends_on
    )


def _fields(config: Config) -> tuple[Config, frozenset[str]]:
    # A default that is written out may mean more than one that is not.
    return config, frozenset(config.model_fields_set)


def _looks_around(entry: Entry) -> bool:
    return isinstance(entry.config, Script) and bool(LOOKING_AROUND & set(entry.config.modules))
