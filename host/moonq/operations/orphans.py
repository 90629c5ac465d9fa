"""Messages that nobody will handle: their queue was renamed, removed or moved to another driver.

3 messages lie in app:old at app:file, which no queue declares
  hint: bring them over with `moonq move app:old app:orders`
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from moonq.drivers import descriptor
from moonq.drivers.base import mover
from moonq.errors import MoonqError
from moonq.host import Host
from moonq.kinds.queue import NAME, names_at
from moonq.registry.project import Project
from moonq.text import suggestions
from moonq.text.wording import plural


class Orphan(NamedTuple):
    """Messages of a queue that the project does not declare at their driver."""

    queue: str
    """What the driver calls it."""
    driver: str
    """The driver's entry."""
    messages: int

    def sentence(self) -> str:
        """Say what is so."""
        what = f"{plural(self.messages, 'message')} {'lies' if self.messages == 1 else 'lie'}"
        return f"{what} in {self.queue} at {self.driver}, which no queue declares"

    def hint(self, project: Project) -> str:
        """Say what to do."""
        queues = [*(entry.id for entry in project.of_kind(NAME)), *project.implied]
        if self.queue in queues:  # it went to another driver
            names = f"{self.queue} {self.queue} --driver {self.driver}"
            return f"bring them over with `moonq move {names}`"
        close = suggestions.close(self.queue, queues)
        return f"bring them over with `moonq move {self.queue} {close[0] if close else 'NEW'}`"

    def object(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self._asdict()


def of_host(host: Host) -> list[Orphan]:
    """Return those at the drivers that are open."""
    found: list[Orphan] = []
    for name, driver in sorted(host.drivers.items()):
        with contextlib.suppress(MoonqError):
            found += _at(host.project, name, mover(driver).unserved())
    return found


def at_rest(project: Project) -> list[Orphan]:
    """Return those that lie on this machine's disk, without opening a driver."""
    found: list[Orphan] = []
    for entry in project.of_kind("queue.driver."):
        with contextlib.suppress(MoonqError):
            resting = descriptor(entry.kind).rest(entry.config, project.root)
            found += _at(project, entry.id, resting.unserved if resting else {})
    return found


def _at(project: Project, driver: str, unserved: Mapping[str, int]) -> Iterator[Orphan]:
    known = names_at(project).get(driver, set())
    for queue, count in sorted(unserved.items()):
        if queue not in known:
            yield Orphan(queue, driver, count)
