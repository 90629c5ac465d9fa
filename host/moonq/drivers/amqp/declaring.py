"""What this process has declared, and has at the broker: its lines, their queues, the ladder."""

from __future__ import annotations

from moonq.drivers import refusals
from moonq.drivers.amqp import ladder, topology
from moonq.drivers.amqp.entry import AmqpFields
from moonq.drivers.amqp.line import Line
from moonq.drivers.amqp.partition import Partition
from moonq.drivers.amqp.places import Place, place_of
from moonq.drivers.amqp.session import Session
from moonq.drivers.amqp.settling import Settler
from moonq.drivers.amqp.topology import Shape
from moonq.drivers.amqp.wire.address import Address
from moonq.errors import Conflict, Unsupported
from moonq.model import QueueSpec
from moonq.text.wording import plural

#: Virtual hosts in which this process has made the ladder: 112 questions that need no second time.
_ladders: set[Address] = set()


class Declarer:
    """See the module."""

    def __init__(self, fields: AmqpFields, session: Session, settler: Settler) -> None:
        self._fields = fields
        self._session = session
        self._settler = settler
        self.place: Place = place_of(fields)
        self.lines: dict[str, Line] = {}

    def line(self, name: str) -> Line:
        """Return the line of a queue.

        Raises:
            QueueNotFound: It was not declared.
        """
        return refusals.declared(self.lines, name, "AMQP")

    def at_broker(self, name: str) -> str:
        """Return the broker's name for one of ours."""
        return f"{self.place.prefix}{name}"

    def at_home(self, name: str) -> str:
        """Return our name for one of the broker's."""
        return name.removeprefix(self.place.prefix)

    def open(self) -> None:
        """Make everything exist at connections that are new in this life of the driver."""
        assert self._session.links is not None
        self.place = place_of(self._fields)
        address = self._session.links.address
        self.everything(is_known=address in _ladders)
        _ladders.add(address)

    def everything(self, *, is_known: bool) -> None:
        """Make everything exist; *is_known*: the ladder was made by us before."""
        self.shared(is_known=is_known)
        for line in list(self.lines.values()):
            line.is_declared = line.has_again = line.has_partitions = False
            try:
                self.have(line)
            except (Conflict, Unsupported) as problem:
                self._settler.troubles[line.spec.name] = problem.message

    def shared(self, *, is_known: bool) -> None:
        """Make exist what all queues share; where it *is_known*, one look says that it does."""
        if is_known:
            with self._session.asking() as channel:
                if topology.count(channel, ladder.exchange(ladder.LEVELS - 1)) is not None:
                    return
        with self._session.asking() as channel:
            left = topology.declare_shared(channel)
        self._settler.troubles.pop(topology.UNROUTABLE, None)
        if left:
            self._settler.troubles[topology.UNROUTABLE] = (
                f"{plural(left, 'message')} of queues that were deleted in {topology.UNROUTABLE}"
            )

    def declare(self, spec: QueueSpec) -> None:
        """Note a queue and its dead letters, and make them exist while the driver is open.

        Raises:
            Unsupported: It asks for what this RabbitMQ cannot do.
            Conflict: The broker has it in another way.
            Unavailable: The broker is away; the queue is made once it is back.
        """
        shape = Shape.of(spec, is_twin=self._fields.is_twin, partitions=self._fields.partitions)
        before = self.lines.get(spec.name)
        line = before or self._new(spec, shape)
        old = line.spec, line.shape
        line.spec, line.shape = spec, shape
        if spec.dead_letter is not None and spec.dead_letter not in self.lines:
            letters = QueueSpec(spec.dead_letter)
            self.lines[letters.name] = self._new(letters, Shape(is_twin=self._fields.is_twin))
        self.lines[spec.name] = line
        self._partition(line)
        line.is_declared = line.is_declared and old == (spec, shape)
        if not self._session.is_open:
            return
        try:
            self.have(line)
        except (Conflict, Unsupported):
            if before is None:
                del self.lines[spec.name]
            else:
                line.spec, line.shape = old
                self._partition(line)
            raise

    def have(self, line: Line, *, again: bool = False, groups: bool = False) -> None:
        """Make exist what *line* needs, as far as it is not known to; on channels of their own.

        *again* and *groups*: what comes back, and what has a group, has its queues, too.
        """
        with line.admin:
            if not line.is_declared:
                self._main(line)
                line.is_declared = True
                again = again or line.has_again
                groups = groups or line.has_partitions
                line.has_again = line.has_partitions = False
            if again and not line.has_again:
                self.place.add(line.again)
                with self._session.asking() as channel:
                    topology.declare(channel, line.shape.again(line.name))
                    channel.bind_queue(line.again, ladder.DELIVER, ladder.arrival(line.name))
                line.has_again = True
            if (again or groups) and line.partitions and not line.has_partitions:
                self._partitions(line)
                line.has_partitions = True

    def renew(self, line: Line) -> None:
        """Make exist again what somebody may have deleted."""
        self.shared(is_known=False)
        self.have(line, again=True)

    def _main(self, line: Line) -> None:
        self.place.add(line.name)
        with self._session.asking() as channel:
            line.shape.check(line.spec.name, self._session.version)
            topology.declare(channel, line.shape.main(line.name))
            if line.spec.dead_letter is not None:
                letters = self.lines[line.spec.dead_letter]
                self.place.add(letters.name)
                topology.declare(channel, letters.shape.main(letters.name))
                letters.is_declared = True
                channel.bind_queue(letters.name, topology.DEAD, line.name)

    def _partitions(self, line: Line) -> None:
        with self._session.asking() as channel:
            for number in range(len(line.partitions)):
                for queue in line.shape.partition(line.name, number):
                    self.place.add(queue.name)
                    topology.declare(channel, queue)
            if line.spec.dead_letter is not None:
                letters = self.lines[line.spec.dead_letter]
                channel.bind_queue(letters.name, topology.DEAD, line.shape.letters(line.name))

    def _partition(self, line: Line) -> None:
        """Give *line* as many partitions as its shape says."""
        connect = self._session.channel
        if len(line.partitions) != line.shape.partitions:
            line.partitions = [
                Partition(line, number, connect) for number in range(line.shape.partitions)
            ]
        for one in line.partitions:
            one.spec, one.shape = line.spec, line.shape

    def _new(self, spec: QueueSpec, shape: Shape) -> Line:
        return Line(spec, shape, self.at_broker(spec.name), self._settler)
