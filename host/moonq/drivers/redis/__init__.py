"""The driver that keeps messages in a Redis or Valkey server, for many hosts."""

from __future__ import annotations

from pathlib import Path

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.redis.entry import LIMITS, RedisFields


def _make(fields: RedisFields, clock: Clock, root: Path) -> Driver:
    from moonq.drivers.redis.connection import Link

    # First of all: it says what to install where redis-py is missing, which the driver imports.
    link = Link(fields, root, tag=fields.prefix)
    from moonq.drivers.redis.driver import RedisDriver

    return RedisDriver(clock, fields, link)


def _twin(fields: RedisFields, number: int) -> RedisFields:
    """Return another prefix at the same server."""
    return fields.model_copy(update={"prefix": f"{fields.prefix}.doctor.{number}"})


def _reach(fields: RedisFields, root: Path) -> str:
    from moonq.drivers.redis.reach import reach

    return reach(fields, root)


DESCRIPTOR = Descriptor(
    kind="queue.driver.redis",
    fields=RedisFields,
    make=_make,
    twin=_twin,
    limits=LIMITS,
    reach=_reach,
)
