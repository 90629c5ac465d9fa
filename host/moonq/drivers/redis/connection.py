"""The way to a server: found anew for every client, by sentinels or the nodes of a cluster too."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moonq.drivers.redis.errors import told
from moonq.drivers.redis.finding import Node, master, owner
from moonq.drivers.redis.settings import RedisSettings, spelt
from moonq.errors import Refused
from moonq.text import extras

if TYPE_CHECKING:
    import redis

_NO_NAME = re.compile(r"[^!-~]+")


class Link:
    """Makes clients of one server. Nothing is connected before one is asked for."""

    def __init__(self, settings: RedisSettings, root: Path, *, tag: str = "") -> None:
        """Remember where it is; *tag* is the text in the braces of our keys, for clusters.

        Raises:
            Unsupported: The client library is not installed.
        """
        extras.client("redis", "redis")
        self._settings = settings
        self._root = root
        self._tag = tag
        self._address = settings.address
        self._nodes: list[Node] = [(self._address.host, self._address.port)]
        self.where = settings.where

    def client(self, *, answer_within: float, name: str = "") -> redis.Redis:
        """Return a connected client for one thread, whose every answer takes *answer_within*.

        It has one connection, in RESP3, retries nothing and decodes nothing; *name* is what the
        server lists it under. After an error that `told` makes an `Unavailable` of it is closed and
        another one asked for: the master may be elsewhere by then.

        Raises:
            Unavailable: The server cannot be reached, or is not ready.
            Refused: It turns us away.
        """
        from redis import RedisError

        self._check_files()
        node = self._node()
        try:
            return self._at(node, answer_within, name)
        except (RedisError, OSError) as error:
            problem = told(error, self.where, entering=self._address)
            if self._settings.sentinel and problem.is_worth_waiting:
                problem.hint = "wait for the failover, or see what SENTINEL MASTERS says"
            raise problem from None

    def _node(self) -> Node:
        if self._settings.sentinel:
            return self._master()
        return self._owner() if self._settings.cluster else self._nodes[0]

    def _at(self, node: Node, answer_within: float, name: str) -> redis.Redis:
        import redis

        patience = self._settings.connection_timeout

        def enter(connection: Any) -> None:
            # Being let in has a time of its own; what is set here holds for this connection.
            wire = connection._get_socket()
            wire.settimeout(patience)
            connection.on_connect()
            wire.settimeout(answer_within)

        kind, options = self._kind(node)
        pool = redis.ConnectionPool(
            connection_class=kind,
            **options,
            **self._user(),
            db=self._address.database,
            socket_timeout=answer_within,
            client_name=_NO_NAME.sub("-", name) or None,
            redis_connect_func=enter,
            max_connections=1,
        )
        client = redis.Redis(connection_pool=pool, single_connection_client=True)
        client.auto_close_connection_pool = True
        return client

    def _kind(self, node: Node) -> tuple[type[Any], dict[str, Any]]:
        """Return the class of the connection to *node*, and what only that class takes."""
        from redis import connection

        plain = self._plain()
        if self._address.path:
            return connection.UnixDomainSocketConnection, {**plain, "path": self._address.path}
        options = {**plain, "host": node[0], "port": node[1]}
        if not self._address.is_tls:
            return connection.Connection, options
        return connection.SSLConnection, {**options, **self._tls()}

    def _plain(self) -> dict[str, Any]:
        """Return what every connection has: redis-py by itself would retry ten times."""
        from redis.backoff import NoBackoff
        from redis.maint_notifications import MaintNotificationsConfig
        from redis.retry import Retry

        return {
            "socket_connect_timeout": self._settings.connection_timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 3,
            "driver_info": None,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }

    def _user(self) -> dict[str, Any]:
        return {
            "username": self._address.username or None,
            "password": self._address.password or None,
        }

    def _tls(self) -> dict[str, Any]:
        tls = self._settings.tls
        if tls is None:
            return {}
        return {
            "ssl_ca_certs": self._file(tls.ca),
            "ssl_certfile": self._file(tls.cert),
            "ssl_keyfile": self._file(tls.key),
            "ssl_cert_reqs": "required" if tls.verify else "none",
        }

    def _file(self, path: str | None) -> str | None:
        return str(self._root / path) if path else None

    def _check_files(self) -> None:
        """Refuse certificates that cannot be read, by their names: later nobody could tell.

        Raises:
            Refused: Names the file.
        """
        tls = self._settings.tls
        if tls is None:
            return
        for field, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
            if path and not (self._root / path).is_file():
                raise Refused(f"`tls.{field}`: there is no file {path!r}", hint="name the PEM file")
        try:
            context = ssl.create_default_context(cafile=self._file(tls.ca))
        except (ssl.SSLError, OSError):
            raise Refused(f"`tls.ca`: {tls.ca!r} holds no certificate that can be read") from None
        if tls.cert:
            self._check_pair(context, tls.cert, tls.key)

    def _check_pair(self, context: ssl.SSLContext, cert: str, key: str | None) -> None:
        try:
            # Without the empty password OpenSSL would ask for one at the terminal.
            context.load_cert_chain(str(self._root / cert), self._file(key), password=lambda: "")
        except (ssl.SSLError, OSError):
            both = f"{cert!r} and {key!r} hold" if key else f"{cert!r} holds"
            raise Refused(
                f"`tls.cert`: {both} no certificate with its private key that can be read",
                hint="a key must be its certificate's, and must not be encrypted",
            ) from None

    def _master(self) -> Node:
        sentinel = self._settings.sentinel
        assert sentinel is not None
        user = {"username": sentinel.username or None, "password": sentinel.password or None}
        clients = self._direct(sentinel.addresses, user)
        return master(clients, sentinel.master, self._address, self.where)

    def _owner(self) -> Node:
        clients = self._direct(self._nodes, self._user())
        node, self._nodes = owner(clients, self._tag, self._address, self._nodes)
        return node

    def _direct(self, nodes: list[Node], user: dict[str, Any]) -> dict[str, redis.Redis]:
        """Return a client for each of *nodes*, not connected yet, by how it is called."""
        import redis

        found = {}
        for node in nodes:
            kind, options = self._kind(node)
            timeout = self._settings.connection_timeout
            pool = redis.ConnectionPool(
                connection_class=kind, **options, **user, socket_timeout=timeout
            )
            client = redis.Redis(connection_pool=pool)
            client.auto_close_connection_pool = True
            found[spelt(*node)] = client
        return found
