"""One consumer's standing at a queue in Redis: as at any buffered one, but for its lease."""

from __future__ import annotations

from moonq.drivers.taking import BufferedSubscription


class RedisSubscription(BufferedSubscription):
    """See `moonq.drivers.base.Subscription`."""
