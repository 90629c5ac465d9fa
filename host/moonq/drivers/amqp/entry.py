"""`queue.driver.amqp` as an entry, and what RabbitMQ cannot do."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from moonq.drivers.base import Limit
from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.errors import Invalid, MoonqError, Unsupported
from moonq.registry.connecting import Reconnecting, Tls
from moonq.registry.fields import Flag, LimitOrNone, Wait, Whole, between, wrong

LIMITS = {
    "delay": Limit("emulated", "a ladder of 28 queues with a ttl, shared by all; up to 310 days"),
    "ttl": Limit("emulated", "looked at when a message is delivered and before it starts"),
    "priority": Limit(
        "none",
        "only with `options.queue_type: classic`, or with RabbitMQ 4.3 `priorities: true`: three"
        " levels, strictly high before low",
    ),
    "dedup": Limit("none", "RabbitMQ knows no keys"),
    "group": Limit("approximate", "with `partitions`; a queue without any refuses it"),
    "max_length": Limit(
        "approximate",
        "the broker counts what is ready, not what is delivered, delayed or came back, and"
        " lets in what was sent at once",
    ),
    "max_bytes": Limit(
        "none",
        "the broker counts the bytes of what is ready, never those of its dead letters; set the"
        " queue's `max-length-bytes` by a policy of the broker",
    ),
    "drop_oldest": Limit("none", "quorum queues cannot, and classic ones say nothing of it"),
    "exact_info": Limit(
        "approximate",
        "a second old; what is in flight only where all consumers are of one host or there is a"
        " management_url, what is delayed only while nothing is",
    ),
    "peek": Limit("none", "a look takes messages out and puts them back, marked as redelivered"),
    "purge": Limit("approximate", "what is delayed stays in the ladder, and comes"),
    "redrive": Limit("emulated", "all letters at once; after a crash in it one may be there twice"),
    "move": Limit("emulated", "into it by copies; out of it by consuming, what is ready"),
    "pause": Limit("approximate", "in this process only"),
    "find": Limit("none", "messages have no index"),
    "select": Limit("none", "messages can only be taken in their order"),
    "interruptions": Limit(
        "approximate",
        "a crash in the first run of a message looks like a hand-back and is not counted",
    ),
    "expiry": Limit("approximate", "at delivery"),
    "survives_reopen": Limit("none", "with its connection a delivery is over"),
    "dead_by_origin": Limit("none", "it counts what lies in the dead-letter queue"),
    "attempts": Limit(
        "emulated", "a message that failed is sent again with its story; with a group it is noted"
    ),
    "group_skip": Limit("none", "a message that waits keeps its place in its partition"),
    "order": Limit(
        "approximate",
        "a consumer that begins while another one hands back may be served first",
    ),
}
#: Seconds by which a handler must be done before the broker takes its message away.
MARGIN = 60.0


#: Of a driver whose queues have no partitions where they do not say so.
PLAIN = {**LIMITS, "group": Limit("none", "without `partitions` there is no order per key")}
#: Of one whose queues have them.
PARTITIONED = {
    **LIMITS,
    "group": Limit("emulated", "each in one of the partitions, which one host at a time serves"),
}
Partitions = Annotated[Whole, between(1, 64)] | None


class AmqpQueueOptions(QueueOptions):
    """What a queue may ask of RabbitMQ."""

    queue_type: Literal["quorum", "classic"] = Field(
        "quorum", description="`classic` has priorities, and one copy on one node."
    )
    durable: Flag = Field(
        True, description="False, of a classic queue: it is gone when the broker stops."
    )
    priorities: Flag = Field(
        False,
        description="Whether a quorum queue has priorities, from RabbitMQ 4.3; a classic one always"
        " has them.",
    )

    partitions: Partitions = Field(
        None, description="How many queues share messages with a `group`; not to be changed later."
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if not self.durable and self.queue_type == "quorum":
            raise wrong(
                "`durable` is always true of a quorum queue",
                help="write `queue_type: classic`, or leave `durable` out",
            )
        return self


class AmqpFields(DriverFields, Reconnecting):
    """`queue.driver.amqp`: messages live in RabbitMQ."""

    example: ClassVar[str] = """\
name: rabbit
kind: queue.driver.amqp
url: ${env:AMQP_URL:-amqp://guest:guest@127.0.0.1:5672/}
prefix: shop.
"""

    queue_options: ClassVar[type[QueueOptions]] = AmqpQueueOptions

    url: str = Field(
        "amqp://guest:guest@127.0.0.1:5672/",
        description="Where the broker is: `amqp://` or `amqps://`, user, password and host.",
    )
    urls: list[str] = Field(
        default_factory=list,
        description="Instead of `url`: the nodes of one cluster, tried in turn.",
    )
    vhost: str | None = Field(None, description="The virtual host, where the address names none.")
    prefix: Annotated[str, Field(max_length=60)] = Field(
        "", description="What every name of a queue at the broker begins with."
    )
    heartbeat: Wait = Field(
        20.0, description="A side that is not heard of for twice as long is gone."
    )
    consumer_timeout: LimitOrNone = Field(
        1800.0, description="What `consumer_timeout` of the broker is: no handler may take as long."
    )
    tls: Tls | None = Field(
        None, description="Certificates, for an address that begins with `amqps://`."
    )
    partitions: Partitions = Field(
        None, description="`options.partitions` of queues that say nothing."
    )
    management_url: str | None = Field(
        None,
        description="Address of the broker's management, which counts what hosts hold; unset: it is"
        " not asked.",
    )
    _is_twin: bool = PrivateAttr(default=False)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        return _checked(url)

    @field_validator("urls")
    @classmethod
    def _are_addresses(cls, urls: list[str]) -> list[str]:
        return [_checked(url) for url in urls]

    @field_validator("management_url")
    @classmethod
    def _is_management(cls, url: str | None) -> str | None:
        from moonq.drivers.amqp.management import check

        if url is not None:
            try:
                check(url)
            except Invalid as problem:
                raise wrong(problem.message, help=problem.hint) from None
        return url

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        from moonq.drivers.amqp.wire.address import Address

        if self.urls and "url" in self.model_fields_set:
            raise wrong("`url` and `urls` both say where the broker is", help="write one of them")
        addresses = [Address.parse(url) for url in self.addresses]
        named = {one.vhost for one in addresses} - {"/"}
        if self.vhost is not None and named - {self.vhost}:
            raise wrong(
                f"`vhost` is {self.vhost!r}, and the address has {min(named - {self.vhost})!r}",
                help="write it once",
            )
        is_secret = any(one.is_tls for one in addresses)
        if self.tls is not None and not (
            is_secret or (self.management_url or "").startswith("https")
        ):
            raise wrong("`tls` is for addresses that begin with amqps://", help="write amqps://")
        return self

    @property
    def addresses(self) -> list[str]:
        """The nodes to try, in their order."""
        return self.urls or [self.url]

    @property
    def is_twin(self) -> bool:
        """Whether it is for trying things out: its queues go away by themselves when unused."""
        return self._is_twin

    def refuse_timeout(self, timeout: float | None) -> MoonqError | None:
        """Return why a handler may not: the broker would take its message away."""
        limit = self.consumer_timeout
        if limit is None or (timeout is not None and timeout <= limit - MARGIN):
            return None
        wanted = "without a limit" if timeout is None else f"for {timeout:g} s"
        return Unsupported(
            f"RabbitMQ takes a message away after {limit:g} s, and its handler may run {wanted}",
            hint=f"write `timeout: {max(limit - MARGIN, 0.001):g}s` or less; or raise or switch off"
            " consumer_timeout at the broker, and write what it is there, or `none`, as"
            f" `consumer_timeout` of {self.name!r}",
        )

    def twin(self, number: int) -> AmqpFields:
        """Return a place beside this one: the same virtual host, other names of queues."""
        twin = self.model_copy(update={"prefix": f"{self.prefix}moonq.doctor.{number}."})
        twin._is_twin = True
        return twin


def _checked(url: str) -> str:
    from moonq.drivers.amqp.wire.address import Address

    try:
        Address.parse(url)
    except Invalid as problem:
        raise wrong(problem.message, help=problem.hint) from None
    return url
