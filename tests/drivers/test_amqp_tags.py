"""Which deliveries a frame ends: those that were meant and no other; RabbitMQ forgives nothing."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from moonq.drivers.amqp import tags as amqp_tags
from moonq.drivers.amqp.tags import Tags
from moonq.drivers.amqp.wire.messages import Settle

#: How many come, and which of the open ones end then (by their place), acknowledged or not.
STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 9), st.booleans())))
)


class Broker:
    """What a channel of RabbitMQ does with frames."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.acked: set[int] = set()
        self.back: list[int] = []

    def settle(self, frame: Settle) -> None:
        assert frame.tag in self.open, "the channel would be closed"
        ended = {one for one in self.open if one <= frame.tag} if frame.multiple else {frame.tag}
        self.open -= ended
        if frame.is_ack:
            self.acked |= ended
        else:
            assert not frame.multiple
            self.back.append(frame.tag)


@given(STEPS, st.integers(0, 8))
def test_frames_end_what_was_meant_and_no_other(
    steps: list[tuple[int, list[tuple[int, bool]]]], crowd: int
) -> None:
    numbers, tags, broker = itertools.count(1), Tags(), Broker()
    acked: set[int] = set()
    before, amqp_tags.CROWD = amqp_tags.CROWD, crowd
    try:
        for coming, ending in steps:
            new = list(itertools.islice(numbers, coming))
            tags.opened(new)
            broker.open |= set(new)
            waiting = sorted(broker.open)
            ends = {waiting[at]: is_ack for at, is_ack in ending if at < len(waiting)}
            acks = [tag for tag, is_ack in ends.items() if is_ack]
            nacks = [tag for tag, is_ack in ends.items() if not is_ack]
            acked |= set(acks)
            broker.back.clear()
            for frame in tags.close(acks, nacks):
                broker.settle(frame)
            assert broker.acked == acked
            assert broker.back == sorted(nacks)
    finally:
        amqp_tags.CROWD = before


def test_what_is_done_in_order_takes_one_frame() -> None:
    tags = Tags()
    tags.opened(range(1, 101))
    assert tags.close(range(1, 101), []) == [Settle(100, multiple=True)]
