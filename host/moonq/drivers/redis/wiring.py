"""One connection that runs scripts: many calls may be under way on it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError, ResponseError

from moonq.drivers.redis.errors import told
from moonq.drivers.redis.scripts import Caller, How, is_forgotten
from moonq.errors import QueueError, Unavailable

if TYPE_CHECKING:
    import redis

    from moonq.drivers.redis.connection import Link


class Forgotten(Exception):
    """The server has no such script: nothing was done."""


class Wire:
    """A connection for one thread; after an error it is closed, and `connect` makes another."""

    def __init__(self, link: Link, base: str, how: How, name: str) -> None:
        self.where = link.where
        self._link = link
        self._caller = Caller(base, how)
        self._name = name
        self._client: Any = None
        self._connection: Any = None

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    def connect(
        self, answer_within: float, look: Callable[[redis.Redis], None] = lambda _: None
    ) -> None:
        """Connect, have a *look* around, and give the server the scripts.

        Raises:
            QueueError: It cannot be reached, or turns us away.
        """
        self.close()
        client = self._link.client(answer_within=answer_within, name=self._name)
        try:
            look(client)
            self._caller.load(client.connection)
        except (RedisError, OSError) as error:
            client.close()
            raise told(error, self.where) from None
        except QueueError:
            client.close()
            raise
        self._client, self._connection = client, client.connection

    def close(self) -> None:
        """Give the connection back."""
        client, self._client, self._connection = self._client, None, None
        if client is not None:
            client.close()

    def reload(self) -> None:
        """Give the server the scripts again.

        Raises:
            QueueError: It does not take them.
        """
        try:
            self._caller.load(self._connection)
        except (RedisError, OSError) as error:
            raise self._failed(error) from None

    def discard(self, digests: Iterable[bytes]) -> None:
        """Delete versions of the scripts that nobody uses; what may not be deleted stays.

        Raises:
            QueueError: The connection is lost.
        """
        for digest in digests:
            try:
                self._caller.discard(self._connection, digest.decode())
            except ResponseError:
                continue
            except (RedisError, OSError) as error:
                raise self._failed(error) from None

    def send(self, name: str, args: Sequence[Any]) -> None:
        """Send a call of the script *name*; its answer comes in its turn.

        Raises:
            QueueError: The connection is lost.
        """
        try:
            command = self._connection.pack_command(*self._caller.command(name, args))
            self._connection.send_packed_command(command, check_health=False)
        except (RedisError, OSError) as error:
            raise self._failed(error) from None

    def receive(self) -> Any:
        """Return the next answer.

        Raises:
            Forgotten: The server has no such script; nothing was done.
            QueueError: It was refused, or the connection is lost: then `is_up` tells.
        """
        try:
            return self._connection.read_response()
        except (RedisError, OSError) as error:
            if is_forgotten(error):
                raise Forgotten from None
            raise self._failed(error) from None

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Run the script *name* and return its answer.

        Raises:
            QueueError: It was refused, or the connection is lost.
        """
        for _ in range(3):
            self.send(name, args)
            try:
                return self.receive()
            except Forgotten:
                self.reload()
        raise Unavailable(f"{self.where} forgets its scripts at once")

    def command(self, *parts: Any) -> Any:
        """Run a command of the server's own and return its answer.

        Raises:
            QueueError: It was refused, or the connection is lost.
        """
        try:
            self._connection.send_packed_command(
                self._connection.pack_command(*parts), check_health=False
            )
            return self._connection.read_response()
        except (RedisError, OSError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> QueueError:
        problem = told(error, self.where)
        if not isinstance(error, ResponseError) or isinstance(problem, Unavailable):
            # What comes next could not be told from the answer to what was asked before.
            self.close()
        return problem
