from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonq.control.client import connect
from moonq.control.locating import LONGEST, all_records, place_of, private_folder, runtime_folder
from moonq.control.server import Server
from moonq.errors import AlreadyRunning, HostSilent, NoHost
from moonq.host import Host

from ..conftest import until
from .conftest import Serve


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_and_folder_are_for_the_owner_alone(host: Host) -> None:
    place = place_of(host.project.root)
    assert mode(place.socket) == 0o600
    assert mode(place.socket.parent) == 0o700
    assert mode(place.record_file) == 0o600


def test_a_record_says_who_the_host_is(host: Host) -> None:
    place = place_of(host.project.root)
    record = place.record()
    assert record is not None
    assert record["pid"] == os.getpid()
    assert record["socket"] == str(place.socket)
    assert [one["path"] for one in all_records()] == [str(host.project.root.resolve())]


def test_a_long_path_moves_the_socket_to_the_runtime_folder(tmp_path: Path, runtime: Path) -> None:
    deep = tmp_path / ("d" * LONGEST)
    place = place_of(deep)
    assert place.socket.parent == runtime / "moonq"
    assert place.lock_file.parent == deep / ".moonq" / "run"
    with place.claim():
        assert mode(place.socket.parent) == 0o700


def test_a_file_and_its_folder_are_two_places(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").touch()
    assert place_of(tmp_path).socket.name == "host.sock"
    assert place_of(tmp_path / "shop.yaml").socket.name == "shop.sock"


def test_a_second_host_of_the_project_is_refused_and_told_which_one_runs(
    host: Host, serve: Serve
) -> None:
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
        serve(Host(host.project))


def test_who_looks_for_hosts_keeps_none_from_starting(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    place.lock_file.parent.mkdir(parents=True)
    looking = place.lock_file.open("w")
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.05, looking.close).start()
    with place.claim():
        assert place.is_claimed()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    place.socket.parent.mkdir(parents=True)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(place.socket))
    dead.close()
    assert not place.is_claimed()
    with place.claim():
        assert place.is_claimed()
        assert not place.socket.exists()
    assert not place.is_claimed()


def test_no_host_is_told_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NoHost) as raised:
        connect(tmp_path)
    assert "looked for .moonq/run/host.sock" in raised.value.message
    assert "moonq run" in raised.value.hint
    assert raised.value.exit_code == 4
    assert raised.value.code == "A801"


def test_a_host_that_does_not_answer_is_not_taken_for_none(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    with place.claim():
        place.write_record({"pid": 41877, "project": "shop"})
        mute = socket.socket(socket.AF_UNIX)
        mute.bind(str(place.socket))
        mute.listen()
        with mute, pytest.raises(HostSilent) as raised:
            connect(tmp_path, patience=0.05)
    assert "pid 41877 is alive" in raised.value.message
    assert raised.value.exit_code == 5


def test_the_record_of_a_dead_host_is_forgotten(tmp_path: Path, runtime: Path) -> None:
    place = place_of(tmp_path)
    with place.claim():
        place.write_record({"pid": 1, "project": "shop"})
        assert len(all_records()) == 1
        [listed] = (runtime / "moonq" / "hosts").iterdir()
        text = listed.read_text()
    listed.write_text(text)
    assert all_records() == []
    assert not listed.exists()


def test_a_runtime_folder_that_somebody_else_made_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(PermissionError, match="not a folder of this user"):
        private_folder(tmp_path / "link")


@pytest.mark.parametrize("unusable", ["", "relative", "/nowhere", "{file}", "{closed}/deeper"])
def test_an_unusable_runtime_folder_is_replaced_by_one_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unusable: str
) -> None:
    (tmp_path / "file").touch()
    named = unusable.format(file=tmp_path / "file", closed=tmp_path / "closed")
    monkeypatch.setenv("XDG_RUNTIME_DIR", named)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    assert runtime_folder() == tmp_path / "t" / f"moonq-{os.getuid()}"
    with place_of(tmp_path / ("d" * LONGEST)).claim():
        assert all_records() == []


def test_a_deleted_folder_is_made_anew_and_the_host_found_again(
    host: Host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(host.project.root / ".moonq")
    until(server.place.socket.exists)
    with connect(host.project.root) as client:
        assert client.request("status")["pid"] == os.getpid()
    assert len(all_records()) == 1
    with pytest.raises(AlreadyRunning), place_of(host.project.root).claim():
        pass


def test_a_host_whose_place_another_one_has_taken_leaves_it_alone(
    host: Host, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    place = place_of(host.project.root)
    with contextlib.ExitStack() as claimed:
        with server._lock:  # it does not look meanwhile
            shutil.rmtree(host.project.root / ".moonq")
            claimed.enter_context(place.claim())
            place.write_record({"pid": 41877, "project": "shop"})
        until(lambda: "no console can attach any more" in caplog.text)
        server.stop()
        assert place.is_claimed()
        assert place.record_file.exists()
    assert caplog.text.count("pid 41877") == 1


def test_a_host_whose_project_was_deleted_does_not_bring_it_back(
    host: Host, server: Server
) -> None:
    shutil.rmtree(host.project.root)
    assert server._seen_to(server._socket) is server._socket  # type: ignore[arg-type]
    assert not host.project.root.exists()


@contextlib.contextmanager
def further(host: Host, name: str) -> Iterator[Server]:
    """A host of the same project at another socket."""
    root = host.project.root
    server = Server(Host(host.project), place_of(root, root / ".moonq" / "run" / f"{name}.sock"))
    server.claim()
    server.listen()
    yield server
    server.stop()


def test_the_only_host_of_a_project_is_found_whatever_its_name(host: Host, server: Server) -> None:
    with further(host, "second") as second:
        with connect(host.project.root) as client:
            assert client.place == server.place
        server.stop()
        with connect(host.project.root) as client:
            assert client.place == second.place
        with further(host, "third"), connect(host.project.root) as client:
            assert client.place == second.place, "any of them, the first by its name"


def test_a_host_that_is_about_to_let_people_in_is_waited_for(host: Host, server: Server) -> None:
    server.stop()
    server = Server(host, place_of(host.project.root))
    server.claim()
    opening = threading.Timer(0.1, server.listen)
    opening.start()
    connect(host.project.root).close()
    opening.join()
    server.stop()
