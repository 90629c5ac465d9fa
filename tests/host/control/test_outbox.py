"""What is on its way to a client: nothing is lost in silence, and nobody waits for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from moonq.control.outbox import ROOM, Outbox

TEXT = "x" * 10_000
MANY = 3 * ROOM // len(TEXT)


@pytest.fixture
def pair() -> Iterator[tuple[Outbox, socket.socket]]:
    """An outbox, and the client's end."""
    ours, theirs = socket.socketpair()
    outbox = Outbox(ours)
    yield outbox, theirs
    outbox.close()
    ours.close()
    theirs.close()


def offered(outbox: Outbox, is_patient: Callable[[], bool]) -> int:
    """How many of many frames were taken."""
    frame = {"kind": "output", "id": 1, "text": TEXT}
    return sum(outbox.offer(frame, is_patient) for _ in range(MANY))


def test_what_is_printed_waits_for_a_client_that_reads_late(
    pair: tuple[Outbox, socket.socket],
) -> None:
    outbox, client = pair
    taken: list[int] = []
    sender = threading.Thread(target=lambda: taken.append(offered(outbox, lambda: True)))
    sender.start()
    lines = client.makefile("rb")
    read = [lines.readline() for _ in range(MANY)]
    sender.join(10)
    assert taken == [MANY]
    assert all(len(line) > len(TEXT) for line in read)


def test_who_is_not_patient_is_told_that_there_is_no_room(
    pair: tuple[Outbox, socket.socket],
) -> None:
    outbox, _ = pair
    assert 0 < offered(outbox, lambda: False) < MANY


def test_a_sender_that_waits_ends_with_its_client_or_when_it_wants_to(
    pair: tuple[Outbox, socket.socket],
) -> None:
    outbox, _ = pair
    looks: list[None] = []

    def is_patient() -> bool:
        looks.append(None)
        return len(looks) < 3

    assert offered(outbox, is_patient) < MANY
    threading.Timer(0.05, outbox.close).start()
    assert offered(outbox, lambda: True) == 0
