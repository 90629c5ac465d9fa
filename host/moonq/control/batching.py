"""Cuts many messages into requests to publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

#: Messages and bytes of one request.
BATCH = 500
BATCH_BYTES = 1024 * 1024


def batches(
    messages: Iterable[dict[str, Any]], largest: int = BATCH
) -> Iterator[list[dict[str, Any]]]:
    """Yield *messages* in lists that fit one request."""
    batch: list[dict[str, Any]] = []
    room = BATCH_BYTES
    for message in messages:
        size = len(message.get("json") or str(message.get("base64")))
        if batch and (len(batch) >= largest or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(message)
        room -= size
    if batch:
        yield batch
