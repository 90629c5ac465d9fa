"""Adapters to whatever stores messages.

Ours are folders here, each named in `OURS`; another package names its own in the
entry-point group `moonq.drivers`:

    [project.entry-points."moonq.drivers"]
    nats = "moonq_nats:DESCRIPTOR"          # the kind queue.driver.nats

A driver is loaded when something asks for its kind, so that nothing is paid for the others.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from moonq.drivers.descriptors import Descriptor
    from moonq.drivers.entry import DriverFields

#: To add a driver, add a folder and its line.
OURS = {
    "queue.driver.memory": "moonq.drivers.memory",
    "queue.driver.sqlite": "moonq.drivers.sqlite",
    "queue.driver.redis": "moonq.drivers.redis",
    "queue.driver.amqp": "moonq.drivers.amqp",
    "queue.driver.sqs": "moonq.drivers.sqs",
}
GROUP = "moonq.drivers"
_PREFIX = "queue.driver."


def names() -> list[str]:
    """Return the kinds of all drivers there are, ours first."""
    return [*OURS, *(kind for kind in _installed() if kind not in OURS)]


def kinds() -> dict[str, type[DriverFields]]:
    """Return the model of every kind of driver.

    A driver that does not load stays known by its kind: an entry of that kind is refused with what
    is wrong with its package, and a project without one does not notice.
    """
    return {kind: _fields(kind) for kind in names()}


@cache
def descriptor(kind: str) -> Descriptor:
    """Return what the driver of *kind* says of itself.

    Raises:
        NotFound: There is no such driver.
        MoonqError: The package that has it does not load, or another one claims the same kind.
    """
    if kind in OURS and kind not in _installed():
        found: Descriptor = import_module(OURS[kind]).DESCRIPTOR
        return found
    from moonq.errors import NotFound

    if kind not in _installed():
        raise NotFound(f"there is no driver {kind!r}", hint=f"there are {', '.join(names())}")
    return _foreign(kind, _installed()[kind])


@cache
def _installed() -> dict[str, list[EntryPoint]]:
    """Return the entry points of other packages by the kind that each claims."""
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(_PREFIX + point.name, []).append(point)
    return found


def _foreign(kind: str, points: list[EntryPoint]) -> Descriptor:
    from moonq.drivers.descriptors import Descriptor
    from moonq.errors import MoonqError

    packages = sorted({point.dist.name if point.dist else point.value for point in points})
    if kind in OURS or len(packages) > 1:
        claims = [*(["moonq"] if kind in OURS else []), *packages]
        raise MoonqError(
            f"the driver {kind} is claimed by {len(claims)} packages: {', '.join(claims)}",
            hint=f"uninstall {packages[-1]}, or have it name its driver otherwise",
        )
    point, package = points[0], packages[0]
    try:
        found = point.load()
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
        problem = f"{type(error).__name__}: {error}"
    else:
        if isinstance(found, Descriptor) and found.kind == kind:
            return found
        problem = f"{point.value} is no Descriptor of {kind}"
    raise MoonqError(
        f"the driver {kind} of the package {package} does not load: {problem}",
        hint=f"update {package}, or uninstall it",
    )


def _fields(kind: str) -> type[DriverFields]:
    from moonq.drivers.entry import refusing
    from moonq.errors import MoonqError

    try:
        return descriptor(kind).fields
    except MoonqError as problem:
        return refusing(problem)
