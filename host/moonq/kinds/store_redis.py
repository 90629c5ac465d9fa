"""`store.redis`: keys and values in a Redis or Valkey server, for many hosts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from moonq.drivers.redis.entry import Prefix
from moonq.drivers.redis.settings import RedisSettings
from moonq.kinds.store import StoreKind
from moonq.registry.common import Config
from moonq.registry.fields import SizeOrNone, bytes_between
from moonq.registry.project import Entry
from moonq.run.parts import Parts
from moonq.run.stores.base import Store


class Redis(Config, RedisSettings):
    """`store.redis`: keys and values in a Redis or Valkey server, which many hosts share."""

    example: ClassVar[str] = """\
name: seen
kind: store.redis
url: ${env:REDIS_URL:-redis://127.0.0.1:6379/0}
prefix: shop
"""

    is_service: ClassVar[bool] = True

    prefix: Prefix = Field("moonq", description="What all keys begin with, as `{moonq}:`.")
    max_bytes: Annotated[SizeOrNone, bytes_between(1024, 1024**4)] = Field(
        None, description="What keys and values may weigh in all; unset: no bound."
    )


def _make(parts: Parts, entry: Entry) -> Store:
    from moonq.drivers.redis.connection import Link
    from moonq.run.stores.redis import RedisStore

    fields = entry.fields(Redis)
    link = Link(fields, parts.project.root, tag=fields.prefix)
    return RedisStore(entry.id, parts.clock, link, fields.prefix, fields.max_bytes)


KIND = StoreKind("store.redis", Redis, _make, aliases={"valkey": "Valkey"})
