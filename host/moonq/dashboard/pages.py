"""What the screen shows and keys do, without a terminal: pages that lie on each other.

board = Board(History(), Look(), ask, time.time)
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

from moonq import views
from moonq.dashboard.picture import SORTS, Look, first_shown, picture, shown_queues
from moonq.dashboard.sampling import History
from moonq.dashboard.view import Row
from moonq.text.wording import cut, plural
from moonq.views import Screen
from moonq.views.messages import columns as message_columns
from moonq.views.tables import facts, paragraph, table

#: Messages that a page lists.
MOST = 200
#: Steps of the keys that select or scroll.
MOVES = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -99_999, "end": 99_999}
LEAVING = {"q", "escape"}
ASKING = "asking the host…"
KEYS = (
    ("↑ ↓", "select a queue"),
    ("⏎", "see its messages; nothing is consumed"),
    ("d", "see its dead letters"),
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

    def __init__(self, history: History, look: Look, ask: Ask, now: Callable[[], float]) -> None:
        self.look = look
        self._history = history
        self._ask = ask
        self._now = now
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
        elif key == "?":
            return Help()
        elif key in {"enter", "d"}:
            return self._open(is_dead=key == "d")
        return key not in LEAVING

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
        self.look = replace(self.look, footer=_words(answer) if failed else done)

    def _open(self, *, is_dead: bool) -> Page | bool:
        queue = self._selected()
        return True if queue is None else Messages(queue["id"], self._ask, is_dead=is_dead)


class Messages(Page):
    """The messages of one queue, or its dead letters."""

    keys = " ↑↓ select  ⏎ open  q back"

    def __init__(self, queue: str, ask: Ask, *, is_dead: bool) -> None:
        self._queue = queue
        self._ask = ask
        self._is_dead = is_dead
        self._selected = 0
        self._messages: list[dict[str, Any]] = []
        self._note = ASKING
        ask("dead_letters" if is_dead else "peek", self._take, queue=queue, limit=MOST)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self._note = _words(answer)
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
        note = _words(self._found) if self._found else ASKING
        return list(paragraph(note, "bold", screen, " "))


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


def _words(problem: Any) -> str:
    hint = getattr(problem, "hint", "")
    return f"{problem.message}; {hint}" if hint else str(getattr(problem, "message", problem))
