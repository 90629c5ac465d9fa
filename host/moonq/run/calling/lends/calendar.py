"""Days, months and zones, by datetime and zoneinfo; moments are seconds since 1970 in UTC."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import text
from moonq.text.suggestions import close, question

#: Characters of a format, and of a text that is read by one.
LONGEST = 256
#: The directives of `strftime` that mean the same everywhere, and are no matter of a locale.
DIRECTIVES = "aAbBdfGHIjmMpSuUVwWyYzZ%"
_SHORT = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M"}
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_INSTALL = 'install them: pip install "moonq[zones]"'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What `time.add` takes by the clock, and what by the calendar.
_CLOCK = ("hours", "minutes", "seconds")
_DAYS = ("weeks", "days")


@lent(action=None, writes=False, waits=False)
def calendar_date(caller: Caller, seconds: float, zone: bytes) -> bytes:
    """Return what the calendar and the clocks of *zone* say at a moment, as JSON."""
    there = _moment(seconds, zone)
    offset = there.utcoffset() or timedelta()
    found: dict[str, Any] = {
        name: getattr(there, name) for name in ("year", "month", "day", "hour", "minute", "second")
    }
    found |= {
        "fraction": there.microsecond / 1e6,
        "weekday": there.isoweekday(),
        "yearday": there.timetuple().tm_yday,
        "week": there.isocalendar().week,
        "offset": offset.total_seconds(),
        "zone": there.tzname(),
    }
    return json.dumps(found).encode()


@lent(action=None, writes=False, waits=False)
def calendar_at(caller: Caller, parts: bytes, zone: bytes) -> float:
    """Return the moment of a date and a time in *zone*, given as JSON."""
    given: dict[str, int] = json.loads(parts)
    with _named("time.at"):
        return _seconds(datetime(**given, tzinfo=_zone(zone)))


@lent(action=None, writes=False, waits=False)
def calendar_add(caller: Caller, seconds: float, parts: bytes, zone: bytes) -> float:
    """Return the moment that lies so many years to seconds, given as JSON, after another."""
    given: dict[str, float] = json.loads(parts)
    there = _moment(seconds, zone)
    with _named("time.add"):
        months = int(given.get("months", 0)) + 12 * int(given.get("years", 0))
        days = timedelta(**{name: given[name] for name in _DAYS if name in given})
        clock = timedelta(**{name: given[name] for name in _CLOCK if name in given})
        # By the calendar the clocks stay as they are, whatever the zone does between.
        moved = _seconds(_months_later(there, months) + days)
        return moved + clock.total_seconds()


@lent(action=None, writes=False, waits=False)
def calendar_start(caller: Caller, unit: bytes, seconds: float, zone: bytes) -> float:
    """Return when the minute, hour, day, week, month or year began that a moment is in."""
    there = _moment(seconds, zone)
    with _named("time.start_of"):
        return _seconds(_STARTS[text(unit)](there))


@lent(action=None, writes=False, waits=False)
def calendar_format(caller: Caller, pattern: bytes, seconds: float, zone: bytes) -> bytes:
    """Return a moment as *pattern* says."""
    there = _moment(seconds, zone)
    wanted = _checked("time.strftime", pattern)
    # The C library writes years before 1000 with fewer digits.
    exact = {"Y": f"{there.year:04}", "G": f"{there.isocalendar().year:04}"}
    made = [
        exact.get(letter) or there.strftime(f"%{letter}") if letter else literal
        for literal, letter in _pieces(wanted)
    ]
    return "".join(made).encode("utf-8", "replace")


@lent(action=None, writes=False, waits=False)
def calendar_read(caller: Caller, written: bytes, pattern: bytes, zone: bytes) -> float:
    """Return the moment that a text says, which is written as *pattern* says."""
    wanted = _checked("time.strptime", pattern)
    if len(written) > LONGEST:
        raise Invalid(f"time.strptime: the text has {len(written)} bytes, more than {LONGEST}")
    with _named("time.strptime"):
        found = datetime.strptime(text(written), wanted)
        return _seconds(found if found.tzinfo else found.replace(tzinfo=_zone(zone)))


def _moment(seconds: float, zone: bytes) -> datetime:
    with _named("time"):
        return (_EPOCH + timedelta(seconds=seconds)).astimezone(_zone(zone))


def _seconds(moment: datetime) -> float:
    return (moment - _EPOCH) / timedelta(seconds=1)


def _months_later(moment: datetime, months: int) -> datetime:
    """Return the same day of another month, or its last where it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if not 1 <= year <= 9999:
                raise
    return moment.replace(year=year, month=month + 1)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


_STARTS: Mapping[str, Callable[[datetime], datetime]] = {
    "minute": lambda at: at.replace(second=0, microsecond=0),
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "day": _day,
    "week": lambda at: _day(at) - timedelta(days=at.isoweekday() - 1),
    "month": lambda at: _day(at).replace(day=1),
    "year": lambda at: _day(at).replace(month=1, day=1),
}


@lru_cache(64)
def _zone(zone: bytes) -> tzinfo:
    called = text(zone[:LONGEST])
    if called.upper() in ("", "Z", "UTC"):
        return UTC
    try:
        return ZoneInfo(called)
    except (LookupError, ValueError, OSError):
        known = _known_zones()
        hint = question(close(called[:64], known)) if known else _INSTALL
        missing = "" if known else ": this machine has none"
        raise Invalid(f"time: no time zone {called!r}{missing}", hint=hint) from None


@cache
def _known_zones() -> list[str]:
    return sorted(available_timezones())


def _checked(where: str, pattern: bytes) -> str:
    """Return a format with its short forms spelled out; only known directives are in it."""
    if len(pattern) > LONGEST:
        raise Invalid(f"{where}: the format has {len(pattern)} bytes, more than {LONGEST}")
    written = _DIRECTIVE.sub(lambda found: _SHORT.get(found[1], found[0]), text(pattern))
    for _, letter in _pieces(written):
        if letter is not None and letter not in tuple(DIRECTIVES):
            known = " ".join(f"%{one}" for one in (*DIRECTIVES, *_SHORT))
            raise Invalid(f"{where}: the format has %{letter}; there are {known}")
    return written


def _pieces(pattern: str) -> Iterator[tuple[str, str | None]]:
    """Yield texts, as they are, and directives by their letters."""
    at = 0
    for found in _DIRECTIVE.finditer(pattern):
        yield pattern[at : found.start()], None
        yield "", found[1]
        at = found.end()
    yield pattern[at:], None


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, OverflowError) as problem:
        raise Invalid(f"{where}: {problem}") from None
