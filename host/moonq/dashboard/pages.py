"""What the screen shows and keys do, without a terminal: pages that lie on each other.

board = Board(History(), Look(), ask, time.time, Following(reach))
pages = Pages(board)
pages.press("down")
pages.press("enter")            # a page with the messages of the selected queue lies on top
pages.lines(Screen(width=80), 24)

A page asks the host and gets the answer later, so that no key ever waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from moonq.dashboard.following import Following
from moonq.dashboard.page import LEAVING, MOVES, Ask, Messages, Page, Scrolled, problem_words
from moonq.dashboard.picture import SORTS, Look, picture, shown_queues
from moonq.dashboard.sampling import History
from moonq.dashboard.troubles import Errors, Logs
from moonq.dashboard.view import Row
from moonq.views import Screen
from moonq.views.tables import facts, paragraph

KEYS = (
    ("↑ ↓", "select a queue"),
    ("⏎", "see its messages; nothing is consumed"),
    ("d", "see its dead letters"),
    ("e", "see the errors of all queues by kind; ⏎ there shows their dead letters"),
    ("l", "see the log lines since the dashboard was opened"),
    ("p", "pause or resume it, after a question"),
    ("s", "sort by name, dead letters, ready messages or age"),
    ("/", "show only queues whose id contains a text; / ⏎ shows all again"),
    ("q Escape", "back; on the first page: leave. The host goes on in any case"),
)
WORDS = (
    ("INFL", "messages that are leased or running"),
    ("OLDEST", "how long the oldest ready message has waited"),
    ("ETA", "when the queue will be empty at this speed"),
    ("TREND", "how many were ready over the last minute, each row on its own scale"),
    ("WORKERS", "those that are up, of the consumer's concurrency"),
    ("BUSY", "the share of workers at work"),
    ("P95", "19 of 20 messages were handled faster"),
    ("·", "a number that cannot be known"),
)
TIMES = "Rates and times are about the seconds that the head names."
#: As wide as the column of keys.
NAME = 8


class Pages:
    """Pages on each other; the topmost is seen and gets the keys."""

    def __init__(self, first: Page) -> None:
        self._pages = [first]

    def lines(self, screen: Screen, rows: int) -> list[str]:
        """Draw exactly *rows* lines."""
        lines = self._pages[-1].lines(screen, rows)[:rows]
        return lines + [""] * (rows - len(lines))

    def press(self, key: str) -> bool:
        """Take a key; False: the last page is gone, leave."""
        answer = self._pages[-1].press(key)
        if answer is False:
            if len(self._pages) == 1:
                # It stays: the terminal may draw once more before it is given back.
                return False
            self._pages.pop()
        elif answer is not True:
            self._pages.append(answer)
        return True


class Board(Page):
    """The first page: every queue and consumer."""

    def __init__(
        self,
        history: History,
        look: Look,
        ask: Ask,
        now: Callable[[], float],
        following: Following,
    ) -> None:
        self.look = look
        self._history = history
        self._ask = ask
        self._now = now
        self._following = following
        self._is_typing = False
        self._question: tuple[str, str] | None = None
        """What a `y` would do now: kind of request, and queue."""

    def lines(self, screen: Screen, rows: int) -> list[str]:
        """Draw it."""
        view = self._history.view(self._now())
        if not self.look.selected and (queues := shown_queues(view, self.look)):
            self.look = replace(self.look, selected=queues[0]["id"])
        return picture(view, self.look, screen, rows)

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        if self._is_typing:
            return self._type(key)
        if self._question is not None:
            return self._answer(key)
        self.look = replace(self.look, footer="")
        if key in MOVES:
            self._move(MOVES[key])
        elif key == "/":
            self._is_typing = True
            self.look = replace(self.look, filter="", footer="filter: ")
        elif key == "s":
            following = SORTS[(SORTS.index(self.look.sort) + 1) % len(SORTS)]
            self.look = replace(self.look, sort=following, footer=f"sorted by {following}")
        elif key == "p":
            self._ask_to_toggle()
        else:
            return self._open(key) or key not in LEAVING
        return True

    def _queues(self) -> list[Row]:
        return shown_queues(self._history.view(self._now()), self.look)

    def _selected(self) -> Row | None:
        return next((one for one in self._queues() if one["id"] == self.look.selected), None)

    def _move(self, steps: int) -> None:
        ids = [queue["id"] for queue in self._queues()]
        if ids:
            before = ids.index(self.look.selected) if self.look.selected in ids else 0
            wanted = max(0, min(len(ids) - 1, before + steps))
            self.look = replace(self.look, selected=ids[wanted])

    def _type(self, key: str) -> bool:
        text = self.look.filter
        if key in {"enter", "escape"}:
            self._is_typing = False
            self.look = replace(self.look, filter=text if key == "enter" else "", footer="")
        else:
            text = text[:-1] if key == "backspace" else text + (key if len(key) == 1 else "")
            self.look = replace(self.look, filter=text, footer=f"filter: {text}")
        self.look = replace(self.look, selected="" if not self._selected() else self.look.selected)
        return True

    def _ask_to_toggle(self) -> None:
        queue = self._selected()
        if queue is None:
            return
        kind, name = "resume" if queue["paused"] else "pause", queue["id"]
        self._question = (kind, name)
        self.look = replace(self.look, footer=f"{kind} {name} for everybody? [y/N]")

    def _answer(self, key: str) -> bool:
        assert self._question is not None
        (kind, queue), self._question = self._question, None
        self.look = replace(self.look, footer="nothing was changed")
        if key == "y":
            self.look = replace(self.look, footer=f"{kind}…")
            self._ask(kind, lambda answer: self._done(f"{kind}d {queue}", answer), target=queue)
        return True

    def _done(self, done: str, answer: Any) -> None:
        failed = isinstance(answer, Exception)
        self.look = replace(self.look, footer=problem_words(answer) if failed else done)

    def _open(self, key: str) -> Page | None:
        """Return the page that *key* opens, if it does."""
        if key == "?":
            return Help()
        if key == "e":
            return Errors(self._ask, self._following)
        if key == "l":
            return Logs(self._following)
        queue = self._selected() if key in {"enter", "d"} else None
        return Messages(queue["id"], self._ask, is_dead=key == "d") if queue else None


class Help(Scrolled):
    """What the keys do and the words mean; any key that does not scroll leaves it."""

    keys = " ↑↓ scroll  any other key goes back"

    def text(self, screen: Screen) -> list[str]:
        """Draw it."""
        return [
            *facts(KEYS, screen, least=NAME, indent=" "),
            "",
            *facts(WORDS, screen, least=NAME, indent=" "),
            "",
            *paragraph(TIMES, "", screen, " "),
        ]

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        return key in MOVES and super().press(key)
