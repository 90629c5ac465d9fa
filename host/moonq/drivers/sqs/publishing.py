"""Publishing: what a queue cannot do is refused message by message, the rest goes in batches."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from itertools import count

from moonq.drivers.sqs.bounds import RETENTION, ROOM
from moonq.drivers.sqs.entry import FIFO, STANDARD
from moonq.drivers.sqs.envelope import Parcel
from moonq.drivers.sqs.queue import SqsQueue
from moonq.drivers.sqs.service import Entry, Service, batches
from moonq.drivers.sqs.steps import entry, token
from moonq.drivers.story import FRESH, Story
from moonq.errors import QueueError, QueueNotFound, TooLarge, Uncertain, Unsupported
from moonq.model import Message, Priority, Receipt

Answer = Receipt | QueueError
#: Priority, delay, ttl, key and group of a message that wishes nothing.
_NO_WISHES = Message("", b"", 0.0)[5:]


def order() -> int:
    """Return where what is published now stands among others: microseconds."""
    return time.time_ns() // 1000


def refusal(queue: SqsQueue, message: Message) -> Unsupported | None:
    """Return why *queue* cannot take *message* as it is meant; None: it can."""
    if message[5:] == _NO_WISHES:
        return None
    limits = FIFO if queue.fifo else STANDARD
    wishes = {
        "delay": message.delay > 0,
        "priority": message.priority is not Priority.NORMAL,
        "dedup": message.dedup_key is not None,
        "group": message.group is not None,
    }
    for ability, is_wished in wishes.items():
        limit = limits.get(ability)
        if is_wished and limit is not None and limit.ability == "none":
            return _unsupported(queue, ability, limit.reason)
    if message.ttl is not None and message.ttl > RETENTION:
        return _unsupported(queue, "ttl", "SQS forgets every message after 14 days")
    return None


def _unsupported(queue: SqsQueue, ability: str, reason: str) -> Unsupported:
    kind = "FIFO" if queue.fifo else "standard"
    word = {"dedup": "dedup_key"}.get(ability, ability)
    return Unsupported(
        f"queue {queue.spec.name!r}: an SQS {kind} queue cannot do `{word}`: {reason}",
        hint=f"leave `{word}` out, or use a queue.driver.redis or sqlite, which can",
    )


class Publisher:
    """Publishes into one queue; made for one call."""

    def __init__(
        self,
        queue: SqsQueue,
        service: Service,
        rate: float,
        left: Callable[[], float],
        mend: Callable[[SqsQueue], None],
    ) -> None:
        self._queue = queue
        self._service = service
        self._rate = rate
        self._left = left
        """Real seconds that are left."""
        self._mend = mend

    def publish(
        self,
        messages: Sequence[Message],
        stories: Sequence[Story] = (),
        keys: Sequence[str] = (),
    ) -> list[Answer]:
        """Store *messages* and answer for each.

        Those that have lain elsewhere have their *stories*, and *keys* of their own: what was
        stored under its key is not stored again, where the queue can tell.
        """
        answers: list[Answer | None] = [None] * len(messages)
        entries: list[Entry | None] = [None] * len(messages)
        first = order()
        for number, message in enumerate(messages):
            try:
                story = stories[number] if stories else None
                key = keys[number] if keys else ""
                entries[number] = self._entry(message, first + number, story, key)
            except QueueError as problem:
                answers[number] = problem
        self._send(messages, entries, answers)
        assert all(answer is not None for answer in answers)
        return answers  # type: ignore[return-value]

    def _entry(
        self, message: Message, place: int, story: Story | None = None, own: str = ""
    ) -> Entry:
        """Return *message* as it is sent.

        Raises:
            Unsupported: It wishes what the queue cannot do.
            TooLarge: It could not be dead-lettered later.
        """
        queue = self._queue
        problem = refusal(queue, message)
        if problem is not None:
            raise problem
        ttl = queue.spec.ttl if message.ttl is None and story is None else message.ttl
        delay = max(0.0, message.delay)
        parcel = Parcel(message, story or FRESH, order=place, delay=delay, ttl=ttl)
        # What was moved away and comes back may not be taken for what it was before.
        known = own if story is not None else message.dedup_key
        key = token(known) if known else ""
        if queue.fifo and not key:
            key = uuid.uuid4().hex
        made = entry(queue, parcel, self._rate, key, self._service.now())
        limit = queue.most_bytes - ROOM
        if made.packed.size > limit:
            raise TooLarge(
                f"queue {queue.spec.name!r}: message {message.id!r} has {made.packed.size} bytes "
                f"at SQS, of {limit}: it takes {queue.most_bytes}, and {ROOM} stay free for errors",
                hint="store what is large elsewhere, and publish where it is",
            )
        return made

    def _send(
        self,
        messages: Sequence[Message],
        entries: Sequence[Entry | None],
        answers: list[Answer | None],
    ) -> None:
        """Send what has no answer yet, again and again while there is time."""
        for tries in count():
            numbers = [n for n, one in enumerate(answers) if one is None]
            late = self._once(messages, entries, numbers, answers)
            if not late:
                return
            wait = self._service.pause(tries)
            if self._left() <= wait:
                break
            time.sleep(wait)
        for number, problem in late.items():
            answers[number] = problem

    def _once(
        self,
        messages: Sequence[Message],
        entries: Sequence[Entry | None],
        numbers: Sequence[int],
        answers: list[Answer | None],
    ) -> dict[int, QueueError]:
        """Send each once, and return what is worth another try, with its problem."""
        queue = self._queue
        problem = self._missing()
        if problem is not None:
            if problem.is_worth_waiting:
                return dict.fromkeys(numbers, problem)
            for number in numbers:
                answers[number] = problem
            return {}
        late: dict[int, QueueError] = {}
        sent = [one for number in numbers if (one := entries[number]) is not None]
        for batch in batches(sent, queue.most_bytes):
            part = [sent[place] for place in batch]
            told = self._service.send(queue.url, part, patience=self._left())
            for place, answer in zip(batch, told, strict=True):
                number, message = numbers[place], messages[numbers[place]]
                if answer is None:
                    known = None if message.dedup_key is not None else False
                    answers[number] = Receipt(message.id, known)
                elif self._is_worth_it(answer):
                    late[number] = answer
                else:
                    answers[number] = answer
        return late

    def _missing(self) -> QueueError | None:
        """Return why the queue is not there; None: it is."""
        try:
            if not self._queue.url:
                self._mend(self._queue)
        except QueueError as problem:
            return problem
        return None

    def _is_worth_it(self, problem: QueueError) -> bool:
        if isinstance(problem, QueueNotFound):
            self._queue.url = ""  # deleted, or made a moment ago
            return True
        if isinstance(problem, Uncertain):
            return self._queue.fifo  # which knows it by its key
        return problem.is_worth_waiting
