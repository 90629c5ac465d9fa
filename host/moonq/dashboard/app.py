"""Shows pages on a terminal, and asks the host beside it, so that no key ever waits.

One thread draws and reads keys; the other asks the host, once per interval and whenever a page
wants something. A host that goes away is said to be silent, and looked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import Output

from moonq.control.client import Client
from moonq.control.together import Together
from moonq.dashboard.following import Following
from moonq.dashboard.pages import Board, Pages
from moonq.dashboard.picture import Look
from moonq.dashboard.sampling import History, Sample, sample
from moonq.errors import HostSilent, MoonqError, NoHost
from moonq.text.plain import safe
from moonq.views import Screen, coloring

_NAMES: dict[Keys | str, str] = {
    Keys.Up: "up",
    Keys.Down: "down",
    Keys.PageUp: "pageup",
    Keys.PageDown: "pagedown",
    Keys.Home: "home",
    Keys.End: "end",
    Keys.Enter: "enter",
    Keys.Escape: "escape",
    Keys.Backspace: "backspace",
}


class Asking:
    """The thread that talks to the host."""

    def __init__(
        self,
        reach: Callable[[], Client | Together],
        client: Client | Together,
        history: History,
        interval: float,
    ) -> None:
        self._reach = reach
        self._client = client
        self._history = history
        self._interval = interval
        self._todo: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self.on_change: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="moonq-top", daemon=True).start()

    def stop(self) -> None:
        """End; what is under way is given up."""
        self._todo.put(None)
        self._client.close()

    def ask(self, kind: str, on_answer: Callable[[Any], None], **fields: Any) -> None:
        """Ask the host and bring the answer, or the problem."""

        def work() -> None:
            try:
                answer = self._client.request(kind, **fields)
            except MoonqError as problem:
                answer = problem
            on_answer(answer)

        self._todo.put(work)

    def _run(self) -> None:
        due = time.monotonic() + self._interval
        while True:
            try:
                work = self._todo.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + self._interval
                work = self._look
            if work is None:
                return
            work()
            self.on_change()

    def _look(self) -> None:
        try:
            self._history.add(sample(self._client))
        except HostSilent:
            with contextlib.suppress(HostSilent, NoHost):
                self._client = self._reach()
        except MoonqError:
            # It answers, so it lives; the next look may go better.
            return


def show(
    reach: Callable[[], Client | Together],
    client: Client | Together,
    first: Sample,
    look: Look,
    screen: Screen,
    *,
    terminal: tuple[Input, Output] | None = None,
) -> None:
    """Show the dashboard until the person leaves it."""
    history = History()
    history.add(first)
    asking = Asking(reach, client, history, look.interval)
    following = Following(reach)
    pages = Pages(Board(history, look, asking.ask, time.time, following))
    app = _application(pages, look.interval, screen, terminal)
    asking.on_change = app.invalidate
    asking.start()
    following.start()
    try:
        app.run(pre_run=lambda: _leave_on_sigterm(app))
    finally:
        asking.stop()
        following.stop()


def _application(
    pages: Pages, interval: float, screen: Screen, terminal: tuple[Input, Output] | None
) -> Application[None]:
    # Without colours a line may still be reversed: what is left out is chosen by the colour depth.
    @cache
    def canvas(columns: int) -> Screen:
        return replace(screen, color=True, width=columns)

    def draw() -> ANSI:
        size = app.output.get_size()
        return ANSI(safe("\n".join(pages.lines(canvas(size.columns), size.rows))))

    app: Application[None] = Application(
        layout=Layout(Window(FormattedTextControl(draw, show_cursor=False))),
        key_bindings=_keys(pages),
        full_screen=True,
        refresh_interval=interval,
        color_depth=coloring.depth(has_color=screen.color),
        input=terminal[0] if terminal else None,
        output=terminal[1] if terminal else None,
    )
    # Escape alone means something here; a sequence is never typed that slowly.
    app.ttimeoutlen = app.timeoutlen = 0.05
    return app


def _keys(pages: Pages) -> KeyBindings:
    bindings = KeyBindings()

    def press(event: KeyPressEvent) -> None:
        pressed = event.key_sequence[0].key
        if not pages.press(_NAMES.get(pressed, str(event.data))):
            event.app.exit()

    def leave(event: KeyPressEvent) -> None:
        event.app.exit()

    for key in (*_NAMES, Keys.Any):
        bindings.add(key)(press)
    bindings.add(Keys.ControlC)(leave)
    return bindings


def _leave_on_sigterm(app: Application[None]) -> None:
    """Give the terminal back before the process ends."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, app.exit)
