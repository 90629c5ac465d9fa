"""ElasticMQ, which speaks like SQS and is as strict: a shared one, and private ones for faults."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers.process import Process, free_port, listens, missing, program

ROOT = Path(__file__).parents[2]
_CONFIG = """
include "application"
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{
  enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict
}}
rest-stats {{ enabled = false }}
"""
_places = itertools.count()
#: ElasticMQ takes any; the client wants some, and is to look for no others.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@functools.cache
def _jars() -> Path:
    """Fetch ElasticMQ, unless it is here already; without it tests are skipped."""
    program("java", "apt-get install default-jre-headless")
    program("mvn", "apt-get install maven")
    fetched = subprocess.run(
        [ROOT / ".ci" / "elasticmq"], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        missing(f"ElasticMQ cannot be fetched: {fetched.stderr.strip() or fetched.stdout.strip()}")
    return Path(fetched.stdout.strip().splitlines()[-1])


class Elastic(Process):
    """One ElasticMQ, whose messages end with it."""

    def __init__(self, port: int | None = None) -> None:
        jars = _jars()
        folder = Path(tempfile.mkdtemp(prefix="moonq-elastic-"))
        self.port = port or free_port()
        (folder / "elastic.conf").write_text(_CONFIG.format(port=self.port))
        java = [program("java", "a JRE"), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        start = ["-Dconfig.file=elastic.conf", "-cp", f"{jars}/*", "org.elasticmq.server.Main"]
        super().__init__([*java, *start], folder, lambda: listens(self.port))

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"


@functools.cache
def shared() -> Elastic:
    """The one that all tests use which do it no harm."""
    os.environ.update(CREDENTIALS)
    server = Elastic()
    server.start()
    return server


def place() -> dict[str, Any]:
    """The fields of a driver at names that nobody has used."""
    prefix = f"t{os.getpid()}-{next(_places)}-"
    return {"endpoint": shared().endpoint, "queue_prefix": prefix}
