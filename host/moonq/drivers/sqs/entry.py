"""`queue.driver.sqs` as an entry, and what it cannot do."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from moonq.drivers.base import Capabilities, Limit
from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.drivers.sqs.bounds import MOST_TIMEOUT, RETENTION
from moonq.registry.connecting import Reconnecting
from moonq.registry.fields import Flag, wrong

#: What no queue at SQS can do.
_ALWAYS = {
    "delay": Limit("emulated", "beyond 15 minutes a message is sent again until it is due"),
    "ttl": Limit("emulated", "a message is looked at when it is received; at most 14 days"),
    "priority": Limit("none", "SQS knows no priority; use one queue for each level"),
    "max_length": Limit("none", "an SQS queue has no bound"),
    "max_bytes": Limit("none", "an SQS queue has no bound, and counts no bytes"),
    "drop_oldest": Limit("none", "an SQS queue has no bound"),
    "exact_info": Limit("approximate", "SQS counts approximately; asked once in 15 s"),
    "peek": Limit(
        "approximate", "dead letters only, by receiving them for a moment: to look is to receive"
    ),
    "purge": Limit("approximate", "once a minute, and the count is SQS's approximate one"),
    "redrive": Limit("emulated", "sent anew and deleted: a crash between the two doubles"),
    "move": Limit("emulated", "into it by copies; out of it by receiving, what is ready"),
    "pause": Limit("approximate", "of this host: the others go on"),
    "find": Limit("approximate", "dead letters only"),
    "select": Limit("approximate", "dead letters only"),
    "interruptions": Limit(
        "approximate",
        "a killed host cannot say what had begun: all it held counts, and a lost reply does too",
    ),
    "expiry": Limit("approximate", "SQS expires nothing by itself"),
    "survives_reopen": Limit("approximate", "for as long as the lease lasts"),
    "dead_by_origin": Limit("none", "SQS counts what lies in a queue, wherever it came from"),
    "group_skip": Limit("none", "SQS holds a whole group while one of its messages is out"),
    "retention": Limit("approximate", "SQS forgets after 14 days, dead letters too"),
}
#: What a standard queue cannot do.
STANDARD = {
    **_ALWAYS,
    "dedup": Limit("none", "standard queues keep no keys; a queue with `fifo: true` does"),
    "group": Limit("none", "standard queues keep no order; a queue with `fifo: true` does"),
    "order": Limit("approximate", "standard queues deliver in the order of publishing mostly"),
    "attempts": Limit("emulated", "a message that failed is sent again with its story"),
}
#: What a FIFO queue cannot do.
FIFO = {
    **_ALWAYS,
    "delay": Limit("none", "FIFO queues delay no single message; a standard queue does"),
    "dedup": Limit("approximate", "for 5 minutes always; which message was first is not told"),
    "order": Limit("approximate", "by `group` only; without one a message is its own group"),
    "attempts": Limit(
        "approximate", "another host knows only how often SQS has delivered it, hand-backs included"
    ),
}
_BOTH = "with `fifo: true`; a standard queue refuses it"
#: What the table says of a driver that has queues of both types.
LIMITS = {
    **STANDARD,
    "delay": Limit(
        "emulated", "standard queues: beyond 15 minutes it is sent again until due; FIFO refuses it"
    ),
    "dedup": Limit("approximate", f"{_BOTH}; for 5 minutes always"),
    "group": Limit("approximate", _BOTH),
    "attempts": Limit(
        "approximate", "exact on standard queues; FIFO counts deliveries where another host failed"
    ),
}
assert set(LIMITS) <= set(Capabilities._fields)
ELSEWHERE = "use a queue.driver.redis or sqlite, which can"
_URL = re.compile(r"https?://[^/:?#\s]+(:\d+)?(/|$)")
_NAME = re.compile(r"[A-Za-z0-9_-]*")


def problem_of(option: str, value: object) -> str:
    """Return why a queue at SQS cannot have *value* as its *option*; nothing: it can."""
    if option == "max_length" and value is not None:
        return "cannot be kept: an SQS queue has no bound"
    if option == "overflow" and value == "drop_oldest":
        return "`drop_oldest` needs a bound, and SQS has none"
    if option == "ttl" and isinstance(value, float | int) and value > RETENTION:
        return "cannot be kept: SQS forgets after 14 days"
    if option == "group_on_failure" and value == "skip":
        return f"`skip`: {_ALWAYS['group_skip'].reason}"
    return ""


class SqsQueueOptions(QueueOptions):
    """What a queue may ask of SQS."""

    durable: Literal[True] = Field(True, description="Always true: SQS stores what it accepts.")
    fifo: Flag = Field(
        False, description="Whether it is a FIFO queue, which knows `group` and `dedup_key`."
    )

    @field_validator("max_length", "overflow", "ttl", "group_on_failure")
    @classmethod
    def _can_be_kept(cls, value: Any, field: ValidationInfo) -> Any:
        problem = problem_of(str(field.field_name), value)
        if problem:
            raise wrong(f"`{field.field_name}` {problem}", help=ELSEWHERE)
        return value

    def own(self) -> dict[str, Any]:
        """Return the type of the queue; that it is durable need not be said."""
        return {"fifo": self.fifo}


class SqsFields(DriverFields, Reconnecting):
    """`queue.driver.sqs`: messages live at Amazon SQS, or at what speaks like it."""

    example: ClassVar[str] = """\
name: sqs
kind: queue.driver.sqs
region: eu-central-1
queue_prefix: shop-
"""

    queue_options: ClassVar[type[QueueOptions]] = SqsQueueOptions
    longest_timeout: ClassVar[float | None] = MOST_TIMEOUT

    endpoint: str | None = Field(
        None, description="The URL of the service; unset: AWS in the region."
    )
    region: str | None = Field(None, description="The region; unset: what AWS's own settings say.")
    aws_profile: str | None = Field(
        None, description="The profile of the credentials; unset: what AWS's own settings say."
    )
    queue_prefix: Annotated[str, Field(max_length=40)] = Field(
        "", description="What every queue's name at SQS begins with."
    )
    create: Flag = Field(True, description="False: others make the queues, and they must be there.")
    fifo: Flag = Field(False, description="`options.fifo` of queues that say nothing.")

    def queue_defaults(self) -> dict[str, Any]:
        """Return the type of a queue that says nothing about it."""
        return {"fifo": self.fifo}

    @field_validator("queue_prefix")
    @classmethod
    def _is_a_name(cls, prefix: str) -> str:
        if not _NAME.fullmatch(prefix):
            raise wrong(
                f"`queue_prefix` may hold letters, digits, `-` and `_`, not {prefix!r}",
                help="write a prefix such as `shop-`",
            )
        return prefix

    @field_validator("endpoint")
    @classmethod
    def _is_a_url(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not _URL.match(endpoint):
            raise wrong(
                f"`endpoint` must be a URL, not {endpoint!r}",
                help="write one such as `http://127.0.0.1:9324`, or leave it out for AWS",
            )
        return endpoint
