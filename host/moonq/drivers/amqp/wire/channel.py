"""One channel of a connection: declare, publish, consume, settle.

Methods that wait for their answer are for any thread but the I/O thread; the others for every
thread. What a caller gave to be called is called on the I/O thread, in the order of what came, and
must not wait: for nothing that this thread brings, and for no lock that is held meanwhile.
"""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from pamqp import base, commands, exceptions, frame

from moonq.drivers.amqp.wire import frames
from moonq.drivers.amqp.wire.content import Assembly
from moonq.drivers.amqp.wire.faults import ChannelClosed
from moonq.drivers.amqp.wire.lenient import lenient
from moonq.drivers.amqp.wire.messages import Incoming, Outgoing, Returned, Settle
from moonq.errors import Invalid, QueueError, Unavailable

Method = TypeVar("Method", bound=base.Frame)
#: Things to call, in this order, once all that has come is looked at.
Calls = list[tuple[Callable[..., object], tuple[Any, ...]]]
#: Seconds that a broker may take to do what it was asked; a busy one makes a queue in that time.
PATIENCE = 15.0
#: Seconds within which a queue lends itself out; one whose replicas have no leader never does.
LENDING = 5.0
_CONFIRM = struct.Struct(">QB")

_DeclareQueue = lenient(commands.Queue.Declare)
_DeleteQueue = lenient(commands.Queue.Delete)
_PurgeQueue = lenient(commands.Queue.Purge)
_BindQueue = lenient(commands.Queue.Bind)
_DeclareExchange = lenient(commands.Exchange.Declare)
_DeleteExchange = lenient(commands.Exchange.Delete)
_BindExchange = lenient(commands.Exchange.Bind)
_Get = lenient(commands.Basic.Get)
_Consume = lenient(commands.Basic.Consume)


class Link(Protocol):
    """What a channel needs of its connection."""

    frame_max: int
    body_max: int

    def send(self, data: bytes) -> None:
        """Send *data*, without waiting."""

    def leave(self, number: int) -> None:
        """Give back a number of a channel that is closed on both sides."""


class Consumer(NamedTuple):
    """Who gets the messages of a queue, and is told when the broker ends that."""

    receive: Callable[[list[Incoming]], None]
    on_cancel: Callable[[], None]


def _ignore(*_: object) -> None:
    """Do nothing."""


class Channel:
    """See the module; made by `Connection.channel`."""

    def __init__(self, link: Link, number: int, on_closed: Callable[[QueueError], None]) -> None:
        self.number = number
        self.problem: QueueError | None = None
        """Why it is closed."""
        self._link = link
        self._on_closed = on_closed
        self._on_confirm: Callable[[int, bool, bool], None] = _ignore
        self._on_return: Callable[[Returned], None] = _ignore
        self._consumers: dict[str, Consumer] = {}
        self._names = itertools.count(1)
        self._assembly = Assembly()
        self._carriers: dict[tuple[str, str, bool], bytes] = {}
        """The methods that carry messages, by where these go."""
        self._tag = 1
        """The number of the next message, as confirms count them."""
        self._tags = threading.Lock()
        self._turn = threading.Lock()
        """Held while an answer is waited for: a channel answers in turn."""
        self._answers: SimpleQueue[base.Frame | Incoming | QueueError] = SimpleQueue()
        self._is_asking = False

    @property
    def is_open(self) -> bool:
        """Whether anything can be asked of it."""
        return self.problem is None

    # Queues and exchanges

    def declare_queue(
        self,
        name: str,
        *,
        durable: bool = True,
        exclusive: bool = False,
        auto_delete: bool = False,
        passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> tuple[int, int]:
        """Make a queue, or find it, and return how many messages and consumers it has.

        Raises:
            ChannelClosed: It is not there (404), or is another (406).
        """
        ask = _DeclareQueue(
            0, name, passive, durable, exclusive, auto_delete, False, dict(arguments or {})
        )
        answer = self._ask(ask, commands.Queue.DeclareOk)
        return answer.message_count or 0, answer.consumer_count or 0

    def delete_queue(self, name: str) -> int:
        """Delete a queue, there or not, and return how many messages went with it."""
        return self._ask(_DeleteQueue(0, name), commands.Queue.DeleteOk).message_count or 0

    def purge_queue(self, name: str) -> int:
        """Drop what waits in a queue, and return how many messages that was."""
        return self._ask(_PurgeQueue(0, name), commands.Queue.PurgeOk).message_count or 0

    def declare_exchange(
        self,
        name: str,
        kind: str,
        *,
        durable: bool = True,
        internal: bool = False,
        passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or find it.

        Raises:
            ChannelClosed: It is not there (404), or is another (406).
        """
        ask = _DeclareExchange(
            0, name, kind, passive, durable, False, internal, False, dict(arguments or {})
        )
        self._ask(ask, commands.Exchange.DeclareOk)

    def delete_exchange(self, name: str) -> None:
        """Delete an exchange, there or not."""
        self._ask(_DeleteExchange(0, name), commands.Exchange.DeleteOk)

    def bind_queue(
        self, queue: str, exchange: str, key: str, arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Have *exchange* send what has *key* to *queue*."""
        ask = _BindQueue(0, queue, exchange, key, False, dict(arguments or {}))
        self._ask(ask, commands.Queue.BindOk)

    def bind_exchange(self, destination: str, source: str, key: str) -> None:
        """Have the exchange *source* send what has *key* to the exchange *destination*."""
        self._ask(_BindExchange(0, destination, source, key, False, {}), commands.Exchange.BindOk)

    # Publishing

    def select_confirms(
        self,
        on_confirm: Callable[[int, bool, bool], None],
        on_return: Callable[[Returned], None] = _ignore,
    ) -> None:
        """Have the broker confirm what is published from now on, counted from 1.

        *on_confirm* is told a number, whether all before it are meant, too, and whether it is
        stored; *on_return* comes before the confirm of its message.
        """
        self._on_confirm, self._on_return = on_confirm, on_return
        self._ask(commands.Confirm.Select(), commands.Confirm.SelectOk)

    def encode(self, message: Outgoing) -> bytes:
        """Return *message* as it is sent on this channel.

        Raises:
            Invalid: Something of it does not fit; names it.
            TooLarge: The broker does not take so much.
        """
        frames.check_body(len(message.body), self._link.body_max)
        route = (message.exchange, message.key, message.mandatory)
        carrier = self._carriers.get(route)
        if carrier is None:
            if len(self._carriers) >= 1000:
                self._carriers.clear()
            carrier = self._carriers[route] = frames.publish(self.number, message)
        return frames.content(self.number, message, carrier, self._link.frame_max)

    def send(self, encoded: Sequence[bytes]) -> int:
        """Send messages that were encoded here; return the number of the first, for its confirm.

        Never waits. A confirm may come before it returns.

        Raises:
            Unavailable: The channel is closed; nothing was sent.
        """
        data = b"".join(encoded)
        with self._tags:
            self._check_open()
            first = self._tag
            self._tag += len(encoded)
            self._link.send(data)
        return first

    def publish(self, messages: Sequence[Outgoing]) -> int:
        """Send *messages*, all or none, and return the number of the first, for its confirm.

        Raises:
            Invalid: One does not fit; nothing was sent.
            Unavailable: The channel is closed; nothing was sent.
        """
        return self.send([self.encode(message) for message in messages])

    # Consuming

    def get(self, queue: str) -> Incoming | None:
        """Return the next message of *queue*, to be settled; None: it is empty."""
        answer = self._ask_for(_Get(0, queue), (Incoming, commands.Basic.GetEmpty))
        return answer if isinstance(answer, Incoming) else None

    def qos(self, prefetch: int) -> None:
        """Let each consumer made from now on hold so many messages; 0: as many as come."""
        self._ask(commands.Basic.Qos(0, prefetch), commands.Basic.QosOk)

    def consume(
        self,
        queue: str,
        on_deliver: Callable[[Incoming], None] = _ignore,
        *,
        tag: str = "",
        arguments: Mapping[str, Any] | None = None,
        on_cancel: Callable[[], None] = _ignore,
        on_batch: Callable[[list[Incoming]], None] | None = None,
        timeout: float = LENDING,
    ) -> str:
        """Have the messages of *queue* delivered, and return the tag to cancel that.

        With *on_batch*, what came at once is given at once, which is a good deal cheaper; the tags
        of a channel come in their order all the same, whoever gets them.
        *on_cancel* is told when the broker ends it: the queue is gone, or a time limit over.
        """

        def one_by_one(batch: list[Incoming]) -> None:
            for message in batch:
                on_deliver(message)

        tag = tag or f"moonq-{self.number}-{next(self._names)}"
        self._consumers[tag] = Consumer(on_batch or one_by_one, on_cancel)
        ask = _Consume(0, queue, tag, False, False, False, False, dict(arguments or {}))
        try:
            self._ask(ask, commands.Basic.ConsumeOk, timeout)
        except BaseException:
            self._consumers.pop(tag, None)
            raise
        return tag

    def cancel(self, tag: str, timeout: float = PATIENCE) -> None:
        """Have nothing more delivered: after this returns, nothing is."""
        self._ask(commands.Basic.Cancel(tag), commands.Basic.CancelOk, timeout)
        self._consumers.pop(tag, None)

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery is done, or with *multiple* all open ones up to it.

        *tag* must be open: the broker closes the channel else. A closed channel is no error.
        """
        self.settle((Settle(tag, multiple),))

    def nack(self, tag: int, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give a delivery back, or with *multiple* all open ones up to it; see `ack`."""
        self.settle((Settle(tag, multiple, False, requeue),))

    def settle(self, ends: Sequence[Settle]) -> None:
        """Send many acks and nacks at once, in their order; see `ack`."""
        if self.problem is None:
            self._link.send(frames.settles(self.number, ends))

    def recover(self) -> None:
        """Have all that was delivered here and not settled go back into its queue."""
        self._ask(commands.Basic.Recover(True), commands.Basic.RecoverOk)

    # Life

    def open(self) -> None:
        """Begin it, on the broker's side."""
        self._ask(commands.Channel.Open(), commands.Channel.OpenOk)

    def close(self, timeout: float = PATIENCE) -> None:
        """End it; what was delivered and not settled goes back. May be repeated."""
        if self.problem is not None:
            return
        close = commands.Channel.Close(200, "done", 0, 0)
        try:
            self._ask(close, commands.Channel.CloseOk, timeout)
        except QueueError:
            return
        self.problem = self.problem or Unavailable("this channel was closed")
        self._link.leave(self.number)

    def _check_open(self) -> None:
        if (problem := self.problem) is not None:
            raise Unavailable(problem.message, hint=problem.hint)

    def _ask(self, ask: base.Frame, wanted: type[Method], timeout: float = PATIENCE) -> Method:
        answer = self._ask_for(ask, (wanted,), timeout)
        assert isinstance(answer, wanted)
        return answer

    def _ask_for(
        self,
        ask: base.Frame,
        wanted: tuple[type[base.Frame | Incoming], ...],
        timeout: float = PATIENCE,
    ) -> base.Frame | Incoming:
        """Send *ask*, and wait for one of those that are *wanted*."""
        try:
            data = frame.marshal(ask, self.number)
        except (ValueError, TypeError) as problem:
            raise Invalid(f"{ask.name}: {problem}") from None
        with self._turn:
            self._is_asking = True
            try:
                if self.problem is not None:
                    raise self.problem.with_traceback(None)
                self._link.send(data)
                answer = self._answers.get(timeout=timeout)
            except Empty:
                answer = Unavailable(f"the broker has not answered {ask.name} in {timeout:g} s")
                self._abandon(answer)
            finally:
                self._is_asking = False
        if isinstance(answer, QueueError):
            raise answer.with_traceback(None)
        if not isinstance(answer, wanted):
            raise Unavailable(f"the broker answers {ask.name} by {type(answer).__name__}")
        return answer

    def _abandon(self, problem: QueueError) -> None:
        """Close it without waiting: a late answer would be taken for that of the next question."""
        self.problem = problem
        self._consumers.clear()
        self._link.send(frame.marshal(commands.Channel.Close(200, "too late", 0, 0), self.number))

    # What comes, on the I/O thread

    def take(self, kind: int, data: bytes, start: int, stop: int, calls: Calls) -> None:
        """Look at a frame of this channel, and add what is to be called for it."""
        if kind == frames.METHOD:
            index = int.from_bytes(data[start : start + 4])
            if index in (frames.DELIVER, frames.GET_OK, frames.RETURN):
                self._assembly.begin(index, data, start + 4, stop)
            elif index in (frames.ACK, frames.NACK):
                tag, bits = _CONFIRM.unpack_from(data, start + 4)
                calls.append((self._on_confirm, (tag, bool(bits & 1), index == frames.ACK)))
            else:
                self._take_method(frame.unmarshal(data[start - 7 : stop + 1])[2], calls)
            return
        message = self._assembly.take(kind, data, start, stop)
        if message is None:
            return
        if isinstance(message, Returned):
            calls.append((self._on_return, (message,)))
        elif not message.consumer:
            calls.append((self._answer, (message,)))
        elif consumer := self._consumers.get(message.consumer):
            # One batch for as long as nothing else comes in between: tags stay in their order.
            call, arguments = calls[-1] if calls else (None, ())
            if call is consumer.receive:
                arguments[0].append(message)
            else:
                calls.append((consumer.receive, ([message],)))

    def _take_method(self, method: Any, calls: Calls) -> None:
        if isinstance(method, commands.Channel.Close):
            self._link.send(frame.marshal(commands.Channel.CloseOk(), self.number))
            refused = (method.class_id or 0, method.method_id or 0)
            problem = ChannelClosed(method.reply_code or 0, method.reply_text or "", refused)
            calls.append((self.end, (problem,)))
            calls.append((self._link.leave, (self.number,)))
        elif isinstance(method, commands.Channel.CloseOk) and self.problem is not None:
            calls.append((self._link.leave, (self.number,)))
        elif isinstance(method, commands.Basic.Cancel):
            if consumer := self._consumers.pop(method.consumer_tag or "", None):
                calls.append((consumer.on_cancel, ()))
        elif isinstance(method, commands.Channel.Flow):
            answer = commands.Channel.FlowOk(bool(method.active))
            self._link.send(frame.marshal(answer, self.number))
        elif isinstance(method, base.Frame):
            calls.append((self._answer, (method,)))
        else:
            raise exceptions.UnmarshalingException(method, "no method")

    def _answer(self, answer: base.Frame | Incoming | QueueError) -> None:
        if self._is_asking:
            self._answers.put(answer)

    def end(self, problem: QueueError, *, is_told: bool = True) -> None:
        """Close it for *problem*, and tell who waits for it or, with *is_told*, uses it."""
        with self._tags:
            if self.problem is not None:
                return
            self.problem = problem
        self._answer(problem)
        if is_told:
            self._on_closed(problem)
