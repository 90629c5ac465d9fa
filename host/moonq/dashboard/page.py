"""What a page is, and the pages about messages.

A page asks the host and gets the answer later, so that no key ever waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from moonq import views
from moonq.dashboard.picture import first_shown
from moonq.text.wording import cut, plural
from moonq.views import Screen
from moonq.views.messages import columns as message_columns
from moonq.views.tables import paragraph, table

#: Messages that a page lists.
MOST = 200
#: Steps of the keys that select or scroll.
MOVES = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -99_999, "end": 99_999}
LEAVING = {"q", "escape"}
ASKING = "asking the host…"


#: Asks the host for a kind of answer with some fields; a function gets it, or the `MoonqError`.
Ask = Callable[..., None]


class Page:
    """One page of the screen."""

    keys: str

    def lines(self, screen: Screen, rows: int) -> list[str]:
        """Draw *rows* lines, the keys at their foot."""
        shown = self.body(screen, rows - 1)[: rows - 1]
        foot = screen.paint("selected", cut(self.keys, screen.width))
        return [*shown, *[""] * (rows - 1 - len(shown)), foot]

    def body(self, screen: Screen, rows: int) -> list[str]:
        """Draw what stands above the keys, in at most *rows* lines."""
        raise NotImplementedError

    def press(self, key: str) -> Page | bool:
        """Take a key; a page goes on top of this one, False takes this one away."""
        raise NotImplementedError


class Messages(Page):
    """The messages of one queue, or its dead letters."""

    keys = " ↑↓ select  ⏎ open  q back"

    def __init__(self, queue: str, ask: Ask, *, is_dead: bool, error: str = "") -> None:
        self._queue = queue
        self._ask = ask
        self._is_dead = is_dead
        self._selected = 0
        self._messages: list[dict[str, Any]] = []
        self._note = ASKING
        chosen = {"error": error} if error else {}
        ask("dead_letters" if is_dead else "peek", self._take, queue=queue, limit=MOST, **chosen)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self._note = problem_words(answer)
            return
        self._messages = answer["messages"]
        noun, first = ("dead letter", "newest") if self._is_dead else ("message", "next")
        found = plural(len(self._messages), noun)
        self._note = f"{found}, the {first} first (nothing was consumed)"

    def body(self, screen: Screen, rows: int) -> list[str]:
        """Draw the rows around the selected one."""
        head = list(paragraph(f"{self._queue}  {self._note}", "bold", screen, " "))
        room = rows - 2 - len(head)
        first = first_shown(self._selected, len(self._messages), room)
        page = self._messages[first : first + room]
        at = self._selected - first if page else None
        columns = message_columns(screen, errors=True)
        return [*head, "", *table(columns, page, screen, selected=at, indent="  ")]

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        if key in MOVES:
            last = max(0, len(self._messages) - 1)
            self._selected = max(0, min(last, self._selected + MOVES[key]))
        elif key == "enter" and self._messages:
            one = self._messages[self._selected]
            return Message(self._queue, one["id"], self._ask, is_dead=self._is_dead)
        return key not in LEAVING


class Scrolled(Page):
    """A text that may be longer than the screen."""

    def __init__(self) -> None:
        self._first = 0

    def text(self, screen: Screen) -> list[str]:
        """Draw all of it."""
        raise NotImplementedError

    def body(self, screen: Screen, rows: int) -> list[str]:
        """Draw the lines that are scrolled to."""
        lines = self.text(screen)
        self._first = max(0, min(self._first, len(lines) - rows + 1))
        return lines[self._first :]

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        self._first = max(0, self._first + MOVES.get(key, 0))
        return key not in LEAVING


class Message(Scrolled):
    """One message with its body, its headers and every failed attempt."""

    keys = " ↑↓ scroll  q back"

    def __init__(self, queue: str, message_id: str, ask: Ask, *, is_dead: bool) -> None:
        super().__init__()
        if is_dead:
            self.keys += f"  ·  moonq dead retry {queue} {message_id}"
        self._found: Any = None
        kind = "dead_letter" if is_dead else "find"
        ask(kind, self._take, queue=queue, message=message_id)

    def _take(self, answer: Any) -> None:
        self._found = answer

    def text(self, screen: Screen) -> list[str]:
        """Draw it, or say why there is none."""
        if isinstance(self._found, dict):
            inner = replace(screen, width=screen.width - 1)
            return [f" {line}" for line in views.message(self._found, inner)]
        note = problem_words(self._found) if self._found else ASKING
        return list(paragraph(note, "bold", screen, " "))


def problem_words(problem: Any) -> str:
    """Return what a page says of a `MoonqError`."""
    hint = getattr(problem, "hint", "")
    return f"{problem.message}; {hint}" if hint else str(getattr(problem, "message", problem))
