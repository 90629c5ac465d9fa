"""The driver that keeps messages in RabbitMQ."""

from __future__ import annotations

from pathlib import Path

from moonq.clock import Clock
from moonq.drivers.amqp.entry import LIMITS, AmqpFields
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.pace import FAST


def _make(fields: AmqpFields, clock: Clock, root: Path) -> Driver:
    from moonq.text.extras import client

    client("amqp", "pamqp")
    from moonq.drivers.amqp.driver import AmqpDriver

    return AmqpDriver(fields, clock, root)


def _reach(fields: AmqpFields, root: Path) -> str:
    from moonq.text.extras import client

    client("amqp", "pamqp")
    from moonq.drivers.amqp.links import reach

    return reach(fields, root)


DESCRIPTOR = Descriptor(
    kind="queue.driver.amqp",
    fields=AmqpFields,
    make=_make,
    twin=AmqpFields.twin,
    # On a busy machine a delivery takes a while; a look that ends sooner would see nothing.
    pace=FAST._replace(grain=2.4, patience=1.8, tolerance=4.5),
    limits=LIMITS,
    reach=_reach,
)
