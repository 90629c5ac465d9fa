"""Holds a driver against the suite, for `moonq doctor`."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path

from moonq.clock import Clock, SystemClock
from moonq.conformance import CASES, Case, Scene
from moonq.conformance.fast import TooLong
from moonq.conformance.scene import Factory
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.entry import DriverFields
from moonq.drivers.pace import VIRTUAL, Pace
from moonq.errors import Refused, Unsupported

#: So many cases are tried anew, when they have failed in real time, and so often.
FEW = 5
TRIES = 2
_HERE = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one case."""

    case: Case
    took: float
    problem: str = ""
    """Why the driver does not keep it; empty when it does."""
    skipped: str = ""
    """Why it was not tried; empty when it was."""
    first: str = ""
    """Why its first try failed, of several; empty when there was one only."""


def twins(driver: Descriptor, config: DriverFields, root: Path) -> Callable[[int], Factory]:
    """Return the factory of each twin, by its number, of the *driver* that *config* describes.

    Raises:
        Unsupported: They are not at places of their own, so messages of the project's would be
            erased.
    """
    places = [config, driver.twin(config, 0), driver.twin(config, 1)]
    if driver.capabilities.durable != "none" and any(
        one == other for one, other in combinations(places, 2)
    ):
        raise Unsupported(
            f"{driver.kind} cannot be tried out: its twins are not at places of their own",
            hint="have the `twin` of its descriptor put the number into the name of the place",
        )

    def factory(number: int) -> Factory:
        return lambda clock: driver.make(driver.twin(config, number), clock, root)

    return factory


def hold(make_factory: Callable[[int], Factory], pace: Pace = VIRTUAL) -> Iterator[Finding]:
    """Prove every case on a fresh driver, made by the factory that *make_factory* gives for it.

    Raises:
        Refused: The broker turns us away, and would do so in every case.
        Unsupported: Python was told to leave assertions out, so nothing could be proved.
    """
    if not __debug__:
        raise Unsupported(
            "assertions are off, and the suite consists of them",
            hint="run Python without -O and without PYTHONOPTIMIZE",
        )
    failed: list[tuple[int, Finding]] = []
    find = partial(_finding, pace=pace, turned_away=threading.Event())
    with ThreadPoolExecutor(pace.at_once) as pool:
        factories = map(make_factory, range(len(CASES)))
        for number, finding in enumerate(pool.map(find, CASES, factories)):
            if finding.problem and not pace.is_virtual:
                failed.append((number, finding))
            else:
                yield finding
    yield from _anew(failed, make_factory, find)


def _anew(
    failed: Sequence[tuple[int, Finding]],
    make_factory: Callable[[int], Factory],
    find: Callable[[Case, Factory], Finding],
) -> Iterator[Finding]:
    """Yield what becomes of the cases that *failed* when nothing runs beside them.

    Where time passes really, a machine that is busy fails one now and then; a driver that does not
    keep a case fails it again. When that many fail, it is no matter of time.
    """
    for number, finding in failed:
        latest = finding
        for _ in range(TRIES if len(failed) <= FEW else 0):
            if latest.problem:
                again = find(finding.case, make_factory(number))
                latest = replace(again, first=finding.problem)
        yield latest


def prove(case: Case, make: Factory, pace: Pace = VIRTUAL) -> None:
    """Prove *case* at a clean place, and leave it clean.

    Raises:
        TooLong: It would take too much real time.
        AssertionError: The driver does not keep it; so does whatever else is raised.
    """
    made: list[Driver] = []

    def remember(clock: Clock) -> Driver:
        made.append(make(clock))
        return made[-1]

    try:
        # Whoever was killed at it has left something behind.
        make(SystemClock()).erase()
        case.prove(Scene(remember, pace))
    finally:
        for driver in made:
            driver.close()
        for driver in made[-1:]:
            driver.erase()


def _finding(case: Case, make: Factory, pace: Pace, turned_away: threading.Event) -> Finding:
    if turned_away.is_set():
        # The threads are faster than whoever hears of it and cancels the rest.
        return Finding(case, 0.0, skipped="the broker turned us away")
    begun = time.perf_counter()
    problem = skipped = ""
    try:
        prove(case, make, pace)
    except TooLong as reason:
        skipped = str(reason)
    except Refused:
        turned_away.set()
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver has to answer for it
        problem = _explain(error)
    return Finding(case, time.perf_counter() - begun, problem, skipped)


def _explain(error: Exception) -> str:
    """Say which line of the suite did not hold, for a bare assert says nothing."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(_HERE)]
    line = inside[-1].line if inside else ""
    said = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return " · ".join(part for part in (line or "", said) if part)
