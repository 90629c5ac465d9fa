"""The console on a terminal: the prompt, its keys, and what goes on above and below it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import ThreadedCompleter
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, FormattedText
from prompt_toolkit.history import History as PastBlocks
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.vt100 import cooked_mode
from prompt_toolkit.layout.processors import TabsProcessor
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.utils import is_dumb_terminal
from pygments.lexers.scripting import LuaLexer

from moonq.console import manual, toolbar
from moonq.console.completing import LuaCompleter
from moonq.console.core import Console
from moonq.console.entering import enter
from moonq.console.face import Face, Leave
from moonq.console.history import open_history
from moonq.console.keys import Refusal, bindings
from moonq.console.paging import Pages, Size, fits
from moonq.control.client import Client
from moonq.text import theme
from moonq.text.plain import safe, visible
from moonq.text.wording import plural
from moonq.views import coloring
from moonq.views.pager import through_pager
from moonq.views.tables import paragraph


class Detached(Leave):
    """Ctrl-\\: out at once, whatever the host does."""


class Terminal(Face):
    """A face on a terminal; holds the prompt back while something is shown."""

    def __init__(self, color: str = "auto") -> None:
        super().__init__(color, self.notice)
        self._history: PastBlocks = InMemoryHistory()
        self._proxy = StdoutProxy(sleep_between_writes=0.05, raw=True)
        self._lock = threading.RLock()
        self._is_prompting = False
        self._pager = "auto"
        self._pages = Pages()
        self._session: PromptSession[str] | None = None

    # A face ---------------------------------------------------------------------------------------

    def show(self, lines: Iterable[str]) -> None:
        """Show a result; one that is longer than the screen as the setting `pager` says."""
        told = [one for line in lines for one in line.split("\n")]
        size = _size()
        if self._pager == "off" or is_dumb_terminal() or fits(told, size):
            self._write_lines(told)
        elif self._pager == "less":
            through_pager(told, color=self.screen().color)
        else:
            self._write_lines(self._pages.begin(told, size))
            self._tell_of_more()

    def more(self) -> None:
        """Show the next screen of what was too long for one."""
        if not self._pages.left:
            self.notice("there is no more")
            return
        self._write_lines(self._pages.more(_size()))
        self._tell_of_more()

    def _tell_of_more(self) -> None:
        if self._pages.left:
            self.notice(f"… {plural(self._pages.left, 'line')} more: Enter, Space or \\more")

    def _write_lines(self, lines: Iterable[str]) -> None:
        if text := "".join(f"{line}\n" for line in lines):
            self.write(text)

    def fail(self, lines: Iterable[str]) -> None:
        """Show an error, where results are shown."""
        self._write_lines(lines)

    def write(self, text: str) -> None:
        """Show text above the prompt, or simply next while there is none."""
        with self._lock:
            if self._is_prompting:
                self._proxy.write(safe(text))
                self._proxy.flush()
            else:
                sys.stdout.write(text)
                sys.stdout.flush()

    def notice(self, text: str) -> None:
        """Say something that is not a result."""
        screen = self.screen()
        self._write_lines(
            part for line in text.split("\n") for part in paragraph(line, "dim", screen)
        )

    def asks(self, question: str) -> str:
        """Ask for a word; Ctrl-C and Ctrl-D answer nothing."""
        try:
            with cooked_mode(sys.stdin.fileno()):
                return input(f"{question} ").strip()
        except (EOFError, KeyboardInterrupt):
            self.write("\n")
            return ""

    def typed(self) -> list[str]:
        """Return the history, oldest first."""
        return self._history.get_strings()

    def top(self, reach: Callable[[], Client]) -> None:
        """Show the dashboard, over a connection of its own."""
        from moonq.dashboard import app, picture, sampling

        if is_dumb_terminal():
            super().top(reach)
        client = reach()
        app.show(reach, client, sampling.sample(client), picture.Look(), self.screen())

    def check_screen(self, command: str) -> None:
        """See that another program can have the screen: a terminal that only prints has none."""
        if is_dumb_terminal():
            super().check_screen(command)

    # The prompt -----------------------------------------------------------------------------------

    def run(self, console: Console) -> None:
        """Read and do what is typed, until the person leaves.

        Raises:
            HostSilent: The host has gone.
        """
        refusal = Refusal(is_shown=not is_dumb_terminal())
        self._history = open_history(str(console.client.hello.get("project")))
        self._session = self._make_session(console, refusal)
        console.live.follow(self._refresh)
        with _quit_key(), _quiet_keys():
            while True:
                self._pager = console.settings["pager"]
                try:
                    text = self._prompt(console)
                    refusal.forget()
                    self._enter(console, text)
                except KeyboardInterrupt:
                    continue
                except (EOFError, Leave) as leaving:
                    if isinstance(leaving, Detached) or _is_gone() or self._may_leave(console):
                        return

    def _enter(self, console: Console, text: str) -> None:
        if not text.strip() and self._pages.left:
            self.more()
            return
        if text.strip() != "\\more":
            self._pages.forget()
        enter(console, text)

    def _prompt(self, console: Console) -> str:
        assert self._session is not None
        with self._lock:
            self._is_prompting = True
        try:
            return self._session.prompt(lambda: prompt(console))
        finally:
            with self._lock:
                self._is_prompting = False

    def _may_leave(self, console: Console) -> bool:
        if not console.attached.is_private:
            return True
        queues = [one for one in console.request("queues")["queues"] if not one.get("problem")]
        counts = [one.get(name) for one in queues for name in ("leased", "running")]
        flying = sum(count for count in counts if count is not None)
        if flying or None not in counts:
            return not flying or self.confirms(f"{plural(flying, 'message')} in flight; leave?")
        return self.confirms("there may be messages in flight; leave?")

    def _make_session(self, console: Console, refusal: Refusal) -> PromptSession[str]:
        def interrupt() -> None:
            if console.live.end_watch() or console.live.end_tail():
                return
            self.notice("Ctrl-D leaves")

        has_color = self.screen().color
        return PromptSession(
            multiline=True,
            lexer=PygmentsLexer(LuaLexer) if has_color else None,
            completer=ThreadedCompleter(LuaCompleter(console)),
            complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(),
            history=self._history,
            key_bindings=bindings(refusal, interrupt, Detached(), lambda: self._pages.left > 0),
            bottom_toolbar=lambda: self._below(console, refusal),
            # Tabs are pasted with code; what they are is not to be changed, only how they look.
            input_processors=[TabsProcessor(tabstop=4, char1=" ", char2=" ")],
            prompt_continuation=lambda width, number, _: "…  ".rjust(width),
            style=DynamicStyle(lambda: coloring.style(theme.chosen())),
            include_default_pygments_style=False,
            color_depth=coloring.depth(has_color=has_color),
            enable_open_in_editor=True,
            refresh_interval=1.0,
            enable_history_search=Condition(lambda: False),
        )

    def _below(self, console: Console, refusal: Refusal) -> Any:
        found: list[tuple[str, str]] = []
        room = shutil.get_terminal_size((80, 24)).columns
        for text in console.live.watched:
            found += [*_fragments(text)[:room], ("", "\n")]
        buffer = self._session.default_buffer if self._session else None
        if buffer is not None and refusal.text and refusal.text == buffer.text:
            found += [("class:refusal", f" {refusal.message}"), ("", "\n")]
        elif buffer is not None and (called := manual.call_at(buffer.document.text_before_cursor)):
            found.append(("class:signature", f" {called.signature} · {called.summary}"))
            found.append(("", "\n"))
        style = "class:production" if console.is_production else "class:status"
        found.append((style, toolbar.line(console, room).ljust(room)))
        return FormattedText(found)

    def _refresh(self) -> None:
        if self._session is not None and self._is_prompting:
            self._session.app.invalidate()


def prompt(console: Console) -> FormattedText:
    """Return what stands in front of the caret: where one is, and how dangerous that is."""
    hello, project = console.client.hello, visible(console.attached.called)
    chosen = visible(str(hello.get("chosen_profile") or ""))
    rights = " ro" if console.client.read_only else ""
    if console.is_production:
        chosen = chosen if chosen in ("", "prod", "production") else f"prod:{chosen}"
        where = f"{project}!{chosen or 'prod'}{rights}>"
        return FormattedText([("class:production", where), ("", " ")])
    where = f"{project}{f':{chosen}' if chosen else ''}{rights}>"
    return FormattedText([("bold", where), ("", " ")])


def _size() -> Size:
    return Size(*shutil.get_terminal_size((80, 24)))


def _is_gone() -> bool:
    """Whether the terminal was closed, so that nobody can answer any more."""
    try:
        termios.tcgetattr(sys.stdin)
    except (termios.error, OSError):
        return True
    return False


def _fragments(text: str) -> list[tuple[str, str]]:
    """Return *text* with its styles, character by character."""
    return [(style, part) for style, part, *_ in ANSI(safe(text)).__pt_formatted_text__()]


@contextlib.contextmanager
def _quiet_keys() -> Iterator[None]:
    """Keep what is typed while code runs for the next prompt, and an Enter among it an Enter."""
    try:
        before = termios.tcgetattr(sys.stdin)
    except (termios.error, OSError):
        yield
        return
    mode = [*before]
    mode[0] &= ~termios.ICRNL
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it was closed
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _quit_key() -> Iterator[None]:
    """Let Ctrl-\\ leave also while Lua runs, when the terminal makes a signal of it."""

    def leave(*_: object) -> None:
        raise Detached

    before = signal.signal(signal.SIGQUIT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)
