"""A bank that does everything that a bank should not."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import enum
import time
import uuid
from typing import TYPE_CHECKING, Any

from moonq.errors import Failure, Unavailable

if TYPE_CHECKING:
    from decimal import Context

OPENED: dict[str, Any] = {}


class Declined(Exception):
    """The card is no good."""


class Worse(Declined):
    """A card that is even less good."""


class Colour(enum.Enum):
    """Of cards."""

    RED = "red"


def open(options: dict[str, Any]) -> None:  # noqa: A001
    """Remember what the entry says."""
    OPENED.update(options)


def opened() -> dict[str, Any]:
    """Return what `open` got."""
    return OPENED


def charge(order: dict[str, Any]) -> dict[str, Any]:
    """Take the money of an order."""
    if order.get("declined"):
        raise Declined("no money on it")
    return {"order": order["id"], "cents": order["cents"]}


def echo(value: Any = None) -> Any:
    """Return what came."""
    return value


def kept(value: Any) -> str:
    """Say what came, as Python writes it."""
    return repr(value)


def card(number: bytes, names: list[bytes] | None = None, *_: Context) -> list[int]:
    """Return the bytes of a card, and of names."""
    return [*number, *b"".join(names or ())]


def lists(one: list[int], other: dict[str, int], deep: list[list[str]] | None = None) -> str:
    """Say what empty tables were."""
    return f"{one} {other} {deep}"


def several() -> tuple[int, None, str]:
    """Return three results."""
    return 1, None, "three"


def strict(one: int, other: int = 2) -> int:
    """Add."""
    return one + other


ODD: dict[str, Any] = {
    "decimal": decimal.Decimal("12.50"),
    "moment": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "day": datetime.date(2026, 1, 2),
    "uuid": uuid.UUID(int=7),
    "enum": Colour.RED,
    "bytes": b"\x00\xff",
    "null_in_list": [1, None, 3],
    "null_in_map": {"a": None, "b": 1},
    "empty_list": [],
    "largest": 2**63 - 1,
    "too_large": {"sum": [2**63]},
    "set": {"tags": {1}},
    "object": [object()],
    "generator": (x for x in "ab"),
    "key": {"a": {1: 2}},
    "surrogate": "\ud800",
    "huge": b"x" * 5_000_000,
}


def odd(which: str) -> Any:
    """Return a value that is not everyday."""
    return ODD[which]


def slow(seconds: float) -> str:
    """Block a thread."""
    time.sleep(seconds)
    return "slept"


async def slowly(seconds: float) -> str:
    """Wait without one."""
    await asyncio.sleep(seconds)
    return "slept"


def raises(what: str) -> None:
    """Raise."""
    problems: dict[str, BaseException] = {
        "away": Unavailable("the bank is away", hint="wait"),
        "worse": Worse("no card at all"),
        "lookup": KeyError("card"),
        "failure": Failure("sold out", kind="RATE_LIMITED"),
        "plain": RuntimeError("the secret of the log"),
        "exit": SystemExit(3),
    }
    raise problems[what]
