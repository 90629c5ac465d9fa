"""What goes on beside the prompt: lines of `\\tail`, the value of `\\watch`, the host's numbers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from moonq import views
from moonq.console.printer import Printer
from moonq.errors import MoonqError

if TYPE_CHECKING:
    from moonq.console.face import Face
    from moonq.control.client import Subscription
    from moonq.control.reaching import Reached


class Live:
    """The subscriptions of one console."""

    def __init__(self, attached: Reached, face: Face) -> None:
        self._attached = attached
        self._face = face
        self._tail: Subscription | None = None
        self._watch: threading.Event | None = None
        """Is set when the value is watched no more."""
        self._stats: Subscription | None = None
        self._refresh: Callable[[], None] = lambda: None
        self.numbers: dict[str, Any] = {}
        """What the host last said of itself; the toolbar only formats it."""
        self.heard = 0.0
        """When it said so, by the monotonic clock."""
        self.watched: list[str] = []
        """The lines of the value that is being watched."""

    @property
    def tails(self) -> bool:
        """Whether events are being shown."""
        return self._tail is not None and not self._tail.ended

    def tail(self, targets: list[str], events: list[str]) -> None:
        """Show events from now on, instead of those before."""
        filters: dict[str, Any] = {"targets": targets, "events": events, "known": True}
        wanted = {name: value for name, value in filters.items() if value}
        found = self._attached.client.subscribe("tail", **wanted)
        self.end_tail()
        self._tail = found
        _start("tail", partial(self._show, self._tail))

    def end_tail(self) -> bool:
        """Show no more events; whether there were any."""
        subscription, self._tail = self._tail, None
        if subscription is None:
            return False
        subscription.close()
        return True

    def watch(self, look: Callable[[], list[str]], title: str, seconds: float) -> None:
        """Keep the lines of *look* fresh, below *title*."""
        self.end_watch()
        ended = self._watch = threading.Event()
        # Each watch has its list: one that is late fills what is no longer shown.
        lines = self.watched = [title]

        def keep() -> None:
            while not ended.is_set():
                try:
                    lines[1:] = look()
                except MoonqError as problem:
                    lines[1:] = [problem.message]
                ended.wait(seconds)

        _start("watch", keep)

    def end_watch(self) -> bool:
        """Watch no more; whether anything was watched."""
        watch, self._watch, self.watched = self._watch, None, []
        if watch is not None:
            watch.set()
        return watch is not None

    def follow(self, refresh: Callable[[], None]) -> None:
        """Keep `numbers` fresh, and call *refresh* when they are."""
        self._refresh = refresh
        subscription = self._stats = self._attached.client.subscribe("stats")

        def listen() -> None:
            for event in subscription:
                self.numbers, self.heard = event, time.monotonic()
                refresh()

        _start("stats", listen)

    def begin_anew(self) -> None:
        """Go on over another connection."""
        self.end_tail()
        if self._stats is not None:
            self.follow(self._refresh)

    def close(self) -> None:
        """End everything."""
        self.end_tail()
        self.end_watch()
        if self._stats is not None:
            self._stats.close()

    def _show(self, subscription: Subscription) -> None:
        printer, dropped = Printer(self._face.write), 0
        for event in subscription:
            printer.line(views.event(event, self._face.screen()))
            if subscription.dropped > dropped:
                printer.skipped(subscription.dropped - dropped)
                dropped = subscription.dropped
        printer.close()


def _start(name: str, work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=f"moonq-console-{name}", daemon=True).start()
