"""RabbitMQ for tests: nodes of our own on the loopback, each with its port mapper, cookie and data.

One node is shared by the whole run, and each place on it is a virtual host of its own; tests that
kill a broker make a node for themselves. Nothing here touches a node that the machine runs.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trustme
from tests.servers.process import PATIENCE, Process, free_port, listens, missing, program

#: Debian's programs on the path change to a user and a folder of the system; these do not.
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
#: What the dead-letter workers of quorum queues wait for before they try again: at a kill they
#: can start before the exchanges are there, and with the broker's default are 180 s late then.
IMPATIENT = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}]."
#: The settings of every node.
SETTINGS = {
    "auth_mechanisms.1": "PLAIN",
    "auth_mechanisms.2": "EXTERNAL",
    "ssl_cert_login_from": "common_name",
    "ssl_options.verify": "verify_peer",
    "ssl_options.fail_if_no_peer_cert": "false",
    "disk_free_limit.absolute": "50MB",
    "vm_memory_high_watermark.absolute": "2GB",
    "raft.wal_max_size_bytes": "67108864",
    "log.console": "false",
}
_numbers = itertools.count(1)


class Certificates:
    """An authority, the broker's certificate, and one of a client called `worker`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        authority = trustme.CA()
        self.ca, self.server = folder / "ca.pem", folder / "server.pem"
        self.server_key = folder / "server.key"
        self.worker, self.worker_key = folder / "worker.pem", folder / "worker.key"
        authority.cert_pem.write_to_path(str(self.ca))
        _write(authority.issue_cert("localhost", "127.0.0.1"), self.server, self.server_key)
        _write(authority.issue_cert("worker", common_name="worker"), self.worker, self.worker_key)


class Rabbit:
    """One node; made anew with the same folder it has the same ports and data."""

    def __init__(
        self,
        folder: Path,
        *,
        advanced: str = IMPATIENT,
    ) -> None:
        server = _program("rabbitmq-server")
        self.port, self.tls_port, self._wire, self._mapper = (free_port() for _ in range(4))
        self.folder = folder
        self.certificates = Certificates(folder / "certificates")
        self._node = f"moonq-{self.port}@localhost"
        self._cookie = secrets.token_hex(16)
        self._write_files({**SETTINGS, **self._listeners()}, advanced)
        mapper = [program("epmd", "apt-get install erlang-base"), "-address", "127.0.0.1"]
        self._epmd = Process(mapper, _made(folder / "epmd"), self._is_mapped, self._env())
        self._process = Process([server], folder, self._is_up, self._env())

    @property
    def pid(self) -> int:
        """The pid of the node itself."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the node wrote about itself."""
        return "".join(path.read_text() for path in sorted((self.folder / "log").glob("*.log")))

    def start(self) -> None:
        """Start it, with what it has kept, and wait until it takes connections."""
        if not listens(self._mapper):
            self._epmd.start()
        self._process.start()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._process.kill()

    def stop(self) -> None:
        """End it as its operator does."""
        self._process.stop()

    def freeze(self) -> None:
        """Have it do nothing, with all connections open."""
        self._process.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._process.thaw()

    def end(self) -> None:
        """End it for good, its port mapper too."""
        self._process.kill()
        self._epmd.kill()

    def url(self, vhost: str = "/", user: str = "guest:guest", port: int | None = None) -> str:
        """Return the address of a virtual host of it; *port* is that of a proxy before it."""
        return f"amqp://{user}@127.0.0.1:{port or self.port}/{quote(vhost, safe='')}"

    def tls_url(self, vhost: str = "/", user: str = "guest:guest@") -> str:
        """Return the same address over TLS."""
        return f"amqps://{user}127.0.0.1:{self.tls_port}/{quote(vhost, safe='')}"

    def vhost(self) -> str:
        """Make a virtual host that nobody has used, where guest and worker may do everything."""
        name = f"place-{next(_numbers)}"
        self.call(f"rabbit_vhost:add(<<{_text(name)}>>, <<{_text('tests')}>>)")
        for user in ("guest", "worker"):
            self.allow(user, name)
        return name

    def user(self, name: str, password: str) -> None:
        """Make a user, without any rights."""
        name, password = _text(name), _text(password)
        self.call(f"rabbit_auth_backend_internal:add_user(<<{name}>>, <<{password}>>, <<>>)")

    def allow(self, user: str, vhost: str, *, to: str = ".*") -> None:
        """Let *user* configure, write and read what the pattern *to* names in *vhost*."""
        words = ", ".join(f"<<{_text(word)}>>" for word in (user, vhost, to, to, to, "tests"))
        self.call(f"rabbit_auth_backend_internal:set_permissions({words})")

    def call(self, expression: str) -> str:
        """Evaluate Erlang in the node: a hundred times as fast as `ctl`."""
        argv = [_erl_call(), "-sname", self._node, "-c", self._cookie, "-e"]
        return self._run(argv, f"{expression}.\n")

    def ctl(self, *args: str) -> str:
        """Run `rabbitmqctl` against it, which takes a second, and return what it printed."""
        return self._run([_program("rabbitmqctl"), "--quiet", *args])

    def _run(self, argv: list[str], typed: str = "") -> str:
        env = {**os.environ, **self._env()}
        said = subprocess.run(
            argv, env=env, cwd=self.folder, input=typed, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        if said.returncode or said.stdout.startswith("{error"):
            raise AssertionError(f"{argv[0]} answers {said.stdout}{said.stderr}")
        return said.stdout

    def _is_mapped(self) -> bool:
        return listens(self._mapper)

    def _is_up(self) -> bool:
        return listens(self.port)

    def _listeners(self) -> dict[str, str]:
        return {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": str(self.certificates.ca),
            "ssl_options.certfile": str(self.certificates.server),
            "ssl_options.keyfile": str(self.certificates.server_key),
        }

    def _write_files(self, settings: Mapping[str, str], advanced: str) -> None:
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        (self.folder / "rabbitmq.conf").write_text("".join(lines))
        (self.folder / "advanced.config").write_text(advanced)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_auth_mechanism_ssl].")
        (self.folder / "environment.conf").write_text("")
        # Debian's home of the node would be shared with the machine's own.
        cookie = _made(self.folder / "home") / ".erlang.cookie"
        cookie.write_text(self._cookie)
        cookie.chmod(0o400)

    def _env(self) -> dict[str, str]:
        """Return where the node keeps all that it would else keep in folders of the system."""
        folder = self.folder
        return {
            "HOME": str(folder / "home"),
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(self._wire),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment.conf"),
            # Then the script becomes the node: what is killed is not a shell before it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput -start_epmd false",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def fresh(folder: Path, *, advanced: str = IMPATIENT) -> Rabbit:
    """Start a node with its data in *folder*."""
    node = Rabbit(folder, advanced=advanced)
    node.start()
    node.user("worker", secrets.token_hex(16))
    return node


@functools.cache
def shared() -> Rabbit:
    """The node of this run, started on first use."""
    return fresh(_temporary())


def place() -> dict[str, Any]:
    """Return the fields of an entry at a virtual host of its own on the shared node."""
    return {"url": shared().url(shared().vhost())}


def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="moonq-rabbit-"))
    # What is registered first is done last: after the node that writes there was killed.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _program(name: str) -> str:
    path = PROGRAMS / name
    if not path.exists():
        missing(f"{name} is not installed: apt-get install rabbitmq-server")
    return str(path)


@functools.cache
def _erl_call() -> str:
    found = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/erl_call"))
    if not found:
        missing("erl_call is not installed: apt-get install erlang-base")
    return str(found[-1])


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _text(text: str) -> str:
    """Return *text* as Erlang writes it, inside a binary: UTF-8."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"/utf8'


def _write(cert: trustme.LeafCert, chain: Path, key: Path) -> None:
    cert.cert_chain_pems[0].write_to_path(str(chain))
    cert.private_key_pem.write_to_path(str(key))
