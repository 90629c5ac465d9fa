"""PostgreSQL and MariaDB, each run by a user without rights, in a data folder that it owns."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.servers.process import Process, free_port, missing, program

#: Who runs them where the tests are run by root, for whom neither starts.
_NOBODY = "nobody"
#: Of the user `shop`; it needs quoting in a URL.
PASSWORD = "pa5s:w@rd/1"
_QUOTED = "pa5s%3Aw%40rd%2F1"


def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"moonq-{name}-"))
    # Registered before the server is, so it runs behind the server's end.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.geteuid() == 0:
        user = pwd.getpwnam(_NOBODY)
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _as_nobody(*argv: str | Path) -> list[str | Path]:
    if os.geteuid():
        return [*argv]
    user = pwd.getpwnam(_NOBODY)
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [program("setpriv", "apt-get install util-linux"), *ids, *argv]


def _done(argv: list[str | Path], **more: str) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd="/", input=more.get("told")
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


class Postgres:
    """One PostgreSQL server: its users are `root_`, who may do everything, and `shop`."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: one.parent.name)
        if not found:
            missing("postgres is not installed: apt-get install postgresql")
        self.bin, self.port = found[-1], free_port()
        self.folder = _folder("postgres")
        data = self.folder / "data"
        init = ["-D", data, "-U", "root_", "--auth=trust", "-E", "UTF8", "--locale=C", "-N"]
        _done(_as_nobody(self.bin / "initdb", *init))
        settings = ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=40"]
        settings += ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port), "-k", "/tmp"]
        argv = _as_nobody(self.bin / "postgres", "-D", data, *settings)
        self.process = Process(argv, self.folder, self._answers)

    def start(self) -> Postgres:
        """Start it, again too."""
        self.process.start()
        return self

    def run(self, text: str, base: str = "postgres") -> str:
        """Run statements as its administrator, and return what is printed."""
        psql = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        return _done([*psql, "-p", str(self.port), "-U", "root_", base], told=text)

    def url(self, base: str, user: str = "shop") -> str:
        """Where a database of it is."""
        return f"postgresql://{user}:{_QUOTED}@127.0.0.1:{self.port}/{base}"

    def _answers(self) -> bool:
        ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0


class Maria:
    """One MariaDB server: its users are `root`, who may do everything, and `shop`."""

    def __init__(self) -> None:
        server = program("mariadbd", "apt-get install mariadb-server")
        install = program("mariadb-install-db", "apt-get install mariadb-server")
        self.port, self.folder = free_port(), _folder("maria")
        data, self.socket = self.folder / "data", self.folder / "s"
        how = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        _done(_as_nobody(install, *how, "--skip-test-db", "--skip-name-resolve"))
        argv = ["--no-defaults", f"--datadir={data}", f"--socket={self.socket}"]
        argv += [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        argv += ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"]
        argv += ["--innodb-lock-wait-timeout=3", f"--pid-file={self.folder / 'pid'}"]
        self.process = Process(_as_nobody(server, *argv), self.folder, self._answers)

    def start(self) -> Maria:
        """Start it, again too."""
        self.process.start()
        return self

    def run(self, text: str, base: str = "mysql") -> str:
        """Run statements as its administrator, and return what is printed."""
        told = [program("mariadb", "apt-get install mariadb-client"), "--no-defaults", "-N", "-B"]
        return _done([*told, f"--socket={self.socket}", "-uroot", base], told=text)

    def url(self, base: str, user: str = "shop") -> str:
        """Where a database of it is."""
        return f"mariadb://{user}:{_QUOTED}@127.0.0.1:{self.port}/{base}"

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except AssertionError:
            return False
        return True


@cache
def postgres() -> Postgres:
    """Return the PostgreSQL that tests share."""
    server = Postgres().start()
    server.run(f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}'")
    return server


@cache
def maria() -> Maria:
    """Return the MariaDB that tests share."""
    server = Maria().start()
    server.run(f"CREATE USER shop@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
    return server
