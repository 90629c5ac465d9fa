"""What others put where hosts are looked for is not read, not removed, and not spoken to."""

from __future__ import annotations

import json
import os
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from moonq import private
from moonq.control import hosts
from moonq.control.client import connect_to
from moonq.control.locating import (
    Place,
    all_records,
    distrusted,
    place_of,
    place_of_record,
    private_folder,
)
from moonq.errors import AlreadyRunning, Denied
from moonq.host import Host

#: A user that nobody here is.
SOMEBODY = 424242


@pytest.fixture
def listed(tmp_path: Path, runtime: Path) -> Path:
    """The record of a host that has gone, which its user may remove."""
    place = place_of(tmp_path)
    with place.claim():
        assert place.write_record({"pid": 1, "project": "shop"}) is None
        [listed] = (runtime / "moonq" / "hosts").iterdir()
        text = listed.read_text()
    listed.write_text(text)
    return listed


def as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process act for another user than the one that has its files."""
    monkeypatch.setattr("moonq.private.me", lambda: SOMEBODY)


def test_records_of_somebody_else_are_neither_read_nor_removed(
    listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_somebody(monkeypatch)
    assert all_records() == []
    assert listed.exists()
    assert "it belongs to" in distrusted()


def test_a_list_behind_a_link_is_neither_read_nor_removed(
    listed: Path, runtime: Path, tmp_path: Path
) -> None:
    real = listed.parent.rename(tmp_path / "elsewhere")
    listed.parent.symlink_to(real)
    assert all_records() == []
    assert (real / listed.name).exists()
    assert distrusted() == f"{listed.parent}: not a folder of this user"
    with pytest.raises(PermissionError, match="not a folder of this user"):
        private_folder(listed.parent)


@pytest.mark.parametrize("part", ["moonq", "moonq/hosts", ""])
def test_a_list_that_others_can_write_in_is_not_read(
    listed: Path, runtime: Path, part: str
) -> None:
    (runtime / part).chmod(0o777)
    assert all_records() == []
    assert listed.exists()
    assert "others can write in it (mode 0777)" in distrusted()


def test_what_no_host_wrote_stays_in_the_list(listed: Path) -> None:
    (listed.parent / "notes.json").write_text("mine")
    (listed.parent / "copy.json").write_bytes(listed.read_bytes())
    assert all_records() == []
    assert sorted(one.name for one in listed.parent.iterdir()) == ["copy.json", "notes.json"]


def test_a_record_of_a_pipe_a_device_or_a_link_is_no_host(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    with place.claim():
        place.write_record({"pid": 1, "project": "shop"})
        for lock in (tmp_path / "pipe", Path("/dev/null"), tmp_path / "link"):
            if lock.name == "pipe":
                os.mkfifo(lock)
            if lock.name == "link":
                lock.symlink_to(place.lock_file)
            assert not replace(place, lock_file=lock).is_claimed()
            assert not replace(place, record_file=lock).record()


@pytest.mark.parametrize("value", [7, None, ["x"], "a\0b"])
@pytest.mark.parametrize("field", ["socket", "lock", "path", "project", "pid"])
def test_a_forged_record_is_none(listed: Path, field: str, value: object) -> None:
    record = {**json.loads(listed.read_text()), field: value}
    listed.write_text(json.dumps(record))
    place = place_of(Path("/nowhere"))
    found = replace(place, record_file=listed).record()
    assert found is None or (field == "pid" and value == 7)
    assert all_records() == []


def test_nobody_else_is_spoken_to_at_a_place(host: Host) -> None:
    place = place_of(host.project.root)
    assert private.me() in place.owners
    forged = replace(place, believed=frozenset({SOMEBODY, private.me()}))
    connect_to(forged).close()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place.socket))
        with pytest.raises(Denied, match="is served by user"):
            replace(place, believed=frozenset({SOMEBODY})).check_peer(connection)


def test_a_forged_socket_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(tmp_path)
    with place.claim(), socket.socket(socket.AF_UNIX) as forged:
        forged.bind(str(place.socket))
        forged.listen()
        monkeypatch.setattr("moonq.control.locating.peer_of", lambda _: SOMEBODY)
        with pytest.raises(Denied, match=f"user {SOMEBODY}, and not by a host of"):
            connect_to(place)
        connection, _ = forged.accept()
        with connection:
            assert connection.recv(10) == b""


def test_of_a_listed_host_only_the_user_itself_is_believed(listed: Path) -> None:
    facts = json.loads(listed.read_text())
    forged = {**facts, "listed": True, "believed": [SOMEBODY]}
    assert place_of_record(forged).owners == {private.me()}


def test_a_project_that_everybody_can_write_in_vouches_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_somebody(monkeypatch)
    assert place_of(tmp_path).owners == {SOMEBODY, tmp_path.stat().st_uid}
    tmp_path.chmod(0o777)
    assert place_of(tmp_path).owners == {SOMEBODY}
    (tmp_path / ".moonq" / "run").mkdir(parents=True)
    (tmp_path / ".moonq" / "run" / "x.json").write_text("{}")
    assert hosts.running(tmp_path) == []


def at(folder: Path) -> Place:
    return place_of(folder, folder / "data.sock")


@pytest.mark.parametrize("name", ["data.sock", "data.json"])
def test_a_socket_takes_the_place_of_no_file_of_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(FileExistsError, match="is there that"), at(tmp_path).claim():
        pass
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("name", ["data.lock", "data.json"])
def test_a_socket_follows_no_link_beside_it(tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    (tmp_path / name).symlink_to(target)
    with pytest.raises(OSError), at(tmp_path).claim():  # noqa: PT011 - which one is the system's
        pass
    assert not target.exists()


def test_what_came_in_the_place_of_a_socket_meanwhile_stays(tmp_path: Path) -> None:
    place = at(tmp_path)
    with place.claim():
        place.write_record({"pid": 1, "project": "shop"})
        place.socket.write_text("precious")
    assert place.socket.read_text() == "precious"


def test_a_host_keeps_all_its_files_to_itself(host: Host) -> None:
    place = place_of(host.project.root)
    for path in (place.lock_file, place.record_file, place.socket):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (place.lock_file.parent, place.lock_file.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_root_finds_the_host_of_the_owner_and_starts_none_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(tmp_path)
    with place.claim():
        place.write_record({"pid": 1, "project": "shop"})
        as_somebody(monkeypatch)
        assert place.is_claimed()
        with pytest.raises(AlreadyRunning, match="pid 1"), place.claim():
            pass
