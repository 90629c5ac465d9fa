"""What a private host can do for one command: it starts what a request is about, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.errors import NoHost, NotFound
from moonq.host import Host
from moonq.operations.verb import Needs
from moonq.operations.verbs import VERBS


class Private:
    """The services of a private host, as far as they were needed."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._started: set[str] = set()
        self._is_whole = False

    def prepare(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Start what a request is about.

        Raises:
            NoHost: It is in another process's memory, or about what runs there.
            NotFound: It names a queue that there is not.
        """
        verb = VERBS.get(kind)
        needs = verb.needs if verb else Needs.ANY
        if needs is Needs.LIVE:
            raise self._no_host()
        if needs is Needs.ANY:
            self._start_all()
        if needs is not Needs.DURABLE or verb is None:
            return
        named = [
            (one.source, str(fields[one.name]))
            for one in verb.arguments
            if one.source in ("queue", "target") and fields.get(one.name) is not None
        ]
        for source, name in named:
            self._reach(name, may_be_consumer=source == "target")
        if not named and fields.get("snapshot") is None:
            self._reach_all()

    def narrowed(self, kind: str, found: Any) -> Any:
        """Return an answer without the queues whose messages are elsewhere."""
        if kind == "queues":
            found["queues"] = [one for one in found["queues"] if self._is_durable(one["id"])]
        return found

    def _reach(self, name: str, *, may_be_consumer: bool) -> None:
        project = self._host.project
        try:
            queue = project.id_of(name, "queue.queue")
        except NotFound:
            if not may_be_consumer:
                raise
            if project.resolve(name).kind == "queue.consumer":
                raise self._no_host() from None
            return  # the host says that it is neither
        if queue not in self._started:
            self._host.start_service(project.implied.get(queue, queue))
            self._started.add(queue)
        if not self._is_durable(queue):
            raise self._no_host()

    def _reach_all(self) -> None:
        self._start_all()
        if not any(self._is_durable(one) for one in self._host.queues.ids()):
            raise self._no_host()

    def _is_durable(self, queue: str) -> bool:
        return self._host.queues.route(queue).driver.capabilities().durable != "none"

    def _start_all(self) -> None:
        if not self._is_whole:
            self._host.start(consumers=False)
            self._is_whole = True

    def _no_host(self) -> NoHost:
        return NoHost(
            f"no moonq host is running for {self._host.project.name}, and what was asked is in the"
            " memory of one",
            hint="start one with `moonq run`",
        )
