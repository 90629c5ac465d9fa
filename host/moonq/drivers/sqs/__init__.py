"""The driver that keeps messages at Amazon SQS, or at what speaks like it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.pace import Pace
from moonq.drivers.sqs.entry import LIMITS, SqsFields
from moonq.model import QueueSpec

if TYPE_CHECKING:
    from moonq.drivers.sqs.service import Settings

#: SQS counts whole seconds; what is shorter the driver times itself, beside what else runs.
PACE = Pace(is_virtual=False, grain=2.5, tolerance=2.5, patience=0.25, at_once=8)


def _settings(fields: SqsFields) -> Settings:
    from moonq.drivers.sqs.service import Settings

    return Settings(
        fields.endpoint,
        fields.region,
        fields.aws_profile,
        timeout=max(1.0, fields.connection_timeout),
        hasty=max(0.01, fields.reconnect_delay),
        patient=max(0.1, fields.reconnect_max_delay),
    )


def _make(fields: SqsFields, clock: Clock, root: Path) -> Driver:
    from moonq.drivers.sqs.driver import SqsDriver
    from moonq.text.extras import client

    client("sqs", "boto3")
    return SqsDriver(
        clock,
        _settings(fields),
        prefix=fields.queue_prefix,
        create=fields.create,
        fifo=fields.fifo,
    )


def _twin(fields: SqsFields, number: int) -> SqsFields:
    """Return other names at the same service, which are made and deleted."""
    prefix = f"moonq-doctor-{number}-{fields.queue_prefix}"
    return fields.model_copy(update={"queue_prefix": prefix, "create": True})


def _reach(fields: SqsFields, root: Path) -> str:
    from moonq.drivers.sqs.reaching import reach

    return reach(_settings(fields), fields.queue_prefix)


def _advise(fields: SqsFields, specs: Sequence[QueueSpec]) -> list[str]:
    from moonq.drivers.sqs.reaching import advise

    return advise(
        _settings(fields), fields.queue_prefix, specs, create=fields.create, fifo=fields.fifo
    )


DESCRIPTOR = Descriptor(
    kind="queue.driver.sqs",
    fields=SqsFields,
    make=_make,
    twin=_twin,
    pace=PACE,
    limits=LIMITS,
    reach=_reach,
    advise=_advise,
)
