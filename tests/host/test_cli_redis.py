"""What people see of a Redis server that is unfit, away or secretive: sentences, no password."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers import redis as servers
from tests.servers.process import free_port

SECRET = "s3cret"
INDEX = """\
namespace: app
entries:
  - name: store
    kind: queue.driver.redis
    url: "{url}"
{more}
  - {{name: jobs, kind: queue.queue, driver: store}}
  - {{name: worker, kind: queue.consumer, queue: jobs, func: work}}
  - {{name: work, kind: function.lua, source: file://work.lua}}
"""
Moonq = Callable[..., Any]


def project(folder: Path, url: str, *more: str) -> Path:
    lines = "\n".join(f"    {line}" for line in more)
    (folder / "_index.yaml").write_text(INDEX.format(url=url, more=lines), encoding="utf-8")
    (folder / "work.lua").write_text("return function() end\n", encoding="utf-8")
    return folder


def run(folder: Path) -> tuple[int, str]:
    """What `moonq run --until-idle` says, and how it ends."""
    argv = [sys.executable, "-m", "moonq", "run", folder, "--socket", "none", "--until-idle"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert SECRET not in ended.stdout + ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


def test_a_host_does_not_start_on_a_server_that_forgets_and_says_both_ways_out(
    tmp_path: Path,
) -> None:
    server = servers.fresh(tmp_path, is_durable=False)
    code, said = run(project(tmp_path, server.url))
    assert code != 0
    assert "keeps no append-only file: what it confirmed is gone when it crashes" in said
    assert "CONFIG SET appendonly yes" in said
    assert "durability: none" in said
    assert "Traceback" not in said


def test_a_wrong_password_ends_the_start_and_stays_secret(tmp_path: Path, moonq: Moonq) -> None:
    server = servers.with_users(tmp_path)
    url = f"redis://ada:{SECRET}@127.0.0.1:{server.port}/0"
    code, said = run(project(tmp_path, url))
    assert code != 0
    assert f"redis://ada@127.0.0.1:{server.port}/0 does not accept this user and password" in said
    for words in (["doctor"], ["doctor", "--json"], ["show", "app:store"], ["check"]):
        _, out, err = moonq(*words, "-C", tmp_path)
        assert SECRET not in out + err


def test_doctor_tells_who_answers_and_what_it_keeps(tmp_path: Path, moonq: Moonq) -> None:
    server = servers.with_users(tmp_path, f"ada on >{SECRET} ~* &* +@all")
    project(tmp_path, f"redis://ada:{SECRET}@127.0.0.1:{server.port}/0")
    code, out, err = moonq("doctor", "-C", tmp_path)
    assert code == 0, out + err
    assert "app:store  queue.driver.redis  Redis " in out
    assert " · append-only file, fsync everysec · noeviction · " in out
    assert f"url redis://ada:***@127.0.0.1:{server.port}/0" in out


def test_doctor_tells_what_keeps_a_server_from_being_used(tmp_path: Path, moonq: Moonq) -> None:
    server = servers.fresh(tmp_path, is_durable=False)
    code, out, _ = moonq("doctor", "-C", project(tmp_path, server.url), "--json")
    (found,) = json.loads(out)["drivers"]
    assert code == 1
    assert "keeps no append-only file" in found["problem"]
    assert "CONFIG SET appendonly yes" in found["hint"]
    code, out, _ = moonq("doctor", "-C", project(tmp_path, f"redis://127.0.0.1:{free_port()}/0"))
    assert code == 1
    assert "nothing listens at redis://127.0.0.1:" in out


def test_the_password_of_sentinels_is_not_shown_either(tmp_path: Path, moonq: Moonq) -> None:
    sentinel = f"sentinel: {{master: m, hosts: [127.0.0.1], password: {SECRET}}}"
    project(tmp_path, "redis://", sentinel)
    _, out, err = moonq("show", "app:store", "-C", tmp_path)
    assert SECRET not in out + err
    assert "master" in out


@pytest.mark.parametrize(
    ("url", "more", "says"),
    [
        (f"redis://ada:{SECRET}@h:port/0", (), "`url` has no number from 1 to 65535 as its port"),
        (f"redis://ada:{SECRET}/x@h/0", (), "`url` has a `/`, `?`, `#` or `@` in its user"),
        (
            "redis://",
            (f"sentinel: {{master: m, hosts: [h], passwort: {SECRET}}}",),
            "did you mean `password`?",
        ),
    ],
)
def test_the_frame_of_a_mistake_in_a_file_shows_no_password(
    tmp_path: Path, moonq: Moonq, url: str, more: tuple[str, ...], says: str
) -> None:
    code, out, err = moonq("check", "-C", project(tmp_path, url, *more))
    assert code == 1
    assert says in out + err
    assert SECRET not in out + err
