"""Hears from other hosts: that something is ready in a queue that was found empty."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redis import exceptions

from moonq import threads
from moonq.errors import QueueError

if TYPE_CHECKING:
    from moonq.drivers.redis.connection import Link

#: Real seconds between two looks whether to go on.
LOOK = 0.5


class Listener:
    """One thread that listens at a session's channel; what it misses a heartbeat finds."""

    def __init__(
        self, link: Link, channel: Callable[[], str], heard: Callable[[str], None], name: str
    ) -> None:
        self._link = link
        self._channel = channel
        self._heard = heard
        self._name = name
        self._stopped = threading.Event()
        self._client: Any = None
        self._thread = threading.Thread(target=self._serve, name="moonq-redis-ear", daemon=True)
        threads.start(self._thread)

    def stop(self) -> None:
        """Hear no more."""
        self._stopped.set()
        client = self._client
        if client is not None:
            with contextlib.suppress(exceptions.RedisError, OSError, AttributeError):
                # Ends the read that is under way.
                client.connection._sock.shutdown(2)
        self._thread.join(LOOK * 4)

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (QueueError, exceptions.RedisError, OSError, AttributeError):
                self._stopped.wait(LOOK)

    def _listen(self) -> None:
        client = self._client = self._link.client(answer_within=5.0, name=self._name)
        channel = self._channel()
        connection: Any = client.connection
        try:
            connection.send_packed_command(connection.pack_command("SUBSCRIBE", channel))
            while not self._stopped.is_set() and self._channel() == channel:
                with contextlib.suppress(exceptions.TimeoutError):
                    self._hear(
                        connection.read_response(
                            timeout=LOOK, push_request=True, disconnect_on_error=False
                        )
                    )
        finally:
            client.close()

    def _hear(self, message: Any) -> None:
        if message[0] == b"message":
            self._heard(message[2].decode())
