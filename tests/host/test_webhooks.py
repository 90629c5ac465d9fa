"""The example of webhooks, with its receiver and its provider on real ports."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.servers.process import Process, free_port, listens, until

from .test_examples import likeness, said_by

pytestmark = pytest.mark.aside("stores")


class Shop:
    """A copy of the example, its host, its receiver and its provider."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.project = folder / "webhooks"
        self.environment = environment
        self.receiver, self.provider = free_port(), free_port()
        self.environment["PROVIDER_URL"] = f"http://127.0.0.1:{self.provider}"
        self._folder = folder

    def start(self, name: str, *argv: object, port: int = 0) -> Process:
        folder = self._folder / name
        folder.mkdir()

        def is_up() -> bool:
            return listens(port) if port else "ready in" in made.log

        made = Process([sys.executable, *map(str, argv)], folder, is_up, self.environment)
        made.start()
        return made

    def host(self) -> Process:
        return self.start("host", "-m", "moonq", "run", self.project, "--log", "pretty")

    def receive(self) -> Process:
        script = self.project / "receive.py"
        return self.start("receiver", script, self.receiver, port=self.receiver)

    def provide(self, *urls: str) -> Process:
        return self.start("provider", self.project / "provider.py", *urls, port=self.provider)


@pytest.fixture
def shop(root: Path, tmp_path: Path) -> Shop:
    ignored = shutil.ignore_patterns(".moonq", "ledger.db*", "__pycache__")
    shutil.copytree(root / "examples/webhooks", tmp_path / "webhooks", ignore=ignored)
    return Shop(tmp_path, {"WEBHOOK_SECRET": "try-it-out", "XDG_RUNTIME_DIR": str(tmp_path)})


def moonq(shop: Shop, *argv: object) -> tuple[int, str]:
    return said_by([*argv, "-C", shop.project], {**os.environ, **shop.environment})


def page(shop: Shop) -> list[str]:
    return (shop.project / "README.md").read_text(encoding="utf-8").split("```\n")


def same(text: str) -> list[str]:
    text = re.sub(r"console:\w+|127\.0\.0\.1:\d+|  \d+ ms$", "", text, flags=re.MULTILINE)
    return likeness([line for line in text.splitlines() if line])


def test_each_payment_is_booked_once_and_the_page_shows_it(shop: Shop) -> None:
    blocks = page(shop)
    host, _ = shop.host(), shop.receive()
    provider = shop.provide(f"http://127.0.0.1:{shop.receiver}")
    until(lambda: host.log.count("  booked  ") == 3, "three payments are booked")

    [command] = [block for block in blocks if block.startswith("moonq eval")]
    statement = command.partition("'")[2].partition("'")[0]
    assert moonq(shop, "eval", statement) == (0, command.partition("\n")[2])

    code, out = moonq(shop, "test", "--real", shop.project)
    assert code == 0, out
    assert "0 skipped" in out
    assert moonq(shop, "eval", statement) == (0, command.partition("\n")[2])

    told = [line for line in provider.log.splitlines() if line[0:4] in ("sent", "aske")]
    [shown] = [block for block in blocks if block.startswith("sent:")]
    # Two threads tell of it: in which order is nobody's promise.
    assert sorted(told[:10]) == sorted(shown.splitlines())
    host.stop()
    [shown] = [block for block in blocks if block.startswith("moonq 0")]
    assert same(host.log) == same(shown)


def test_the_receiver_says_no_to_what_no_queue_takes(shop: Shop) -> None:
    shop.receive()

    def sent(body: bytes, **headers: str) -> int:
        request = Request(f"http://127.0.0.1:{shop.receiver}/", body, headers)
        try:
            with urlopen(request, timeout=20) as response:
                return int(response.status)
        except HTTPError as refused:
            with refused:
                return refused.code

    event = b'{"id":"evt_1","type":"x","payment":"pay_1"}'
    assert sent(event) == 503  # no host: the provider sends it again
    shop.host()
    assert sent(event) == 202
    assert sent(b"{") == 400
    assert sent(b"", **{"Content-Length": "70000"}) == 413
