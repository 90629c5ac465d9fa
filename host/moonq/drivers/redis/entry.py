"""`queue.driver.redis` as an entry."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from moonq.drivers.base import Limit
from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.drivers.redis.settings import RedisSettings
from moonq.registry.fields import wrong

Durability = Literal["aof", "none"]
LIMITS = {
    "exact_info": Limit(
        "emulated", "of those that came back the first hundred are asked how old they are"
    ),
    "find": Limit("emulated", "all messages of the queue are looked at, some at a time"),
    "select": Limit("emulated", "by number at once; for an id all messages are looked at"),
}
_PREFIX = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")


def _is_a_prefix(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise wrong(
            "`prefix` must be 1 to 100 letters, digits, `_`, `.`, `:`, `/` or `-`",
            help="braces are added to it: all keys of a driver lie in one slot of a cluster",
        )
    return prefix


Prefix = Annotated[str, AfterValidator(_is_a_prefix)]


class RedisQueueOptions(QueueOptions):
    """What a queue may ask of the Redis driver."""

    durable: Literal[True] = Field(
        True, description="Always true: what the server keeps is the driver's `durability`."
    )

    def own(self) -> dict[str, Any]:
        """Return nothing: what the server keeps holds for all queues of the driver."""
        return {}


class RedisFields(DriverFields, RedisSettings):
    """`queue.driver.redis`: messages live in a Redis or Valkey server, for many hosts."""

    example: ClassVar[str] = """\
name: redis
kind: queue.driver.redis
url: ${env:REDIS_URL:-redis://127.0.0.1:6379/0}
prefix: shop
"""

    queue_options: ClassVar[type[QueueOptions]] = RedisQueueOptions

    prefix: Prefix = Field("moonq", description="What all keys begin with, as `{moonq}:`.")
    durability: Durability = Field(
        "aof", description="`none` takes a server that forgets messages when it is restarted."
    )
    scripts: Literal["auto", "evalsha"] = Field(
        "auto", description="`evalsha` uses no Redis Functions where the server has them."
    )
