"""Runs the tests again when files change or a key is pressed.

    a all · f failed · p path · t name · c clear · Enter again · u update snapshots · q quit

Each pass is a process of its own: a key or a change ends it at once, whatever it is doing.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

#: Changes within this many milliseconds are one.
DEBOUNCE = 80
SUFFIXES = (".lua", ".yaml", ".yml")
KEYS = "a all · f failed · p path · t name · c clear · Enter again · u update · q quit"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tests the next pass runs."""

    targets: tuple[str, ...] = ()
    keyword: str = ""
    failed: bool = False

    def shown(self) -> str:
        """Return it in words."""
        words = [*self.targets]
        words += [f"name: {self.keyword}"] if self.keyword else []
        words += ["failed"] if self.failed else []
        return ", ".join(words) or "all"

    def arguments(self) -> list[str]:
        """Return it as the command line has it."""
        name = ["-k", self.keyword] if self.keyword else []
        return [*name, *(["--failed"] if self.failed else []), *self.targets]


class Event(NamedTuple):
    """Something that happened: a key, or changed files."""

    key: str = ""
    changed: tuple[str, ...] = ()


class Step(NamedTuple):
    """What an event leads to."""

    filter: Filter
    run: tuple[str, ...] | None = None
    """Arguments of the pass to begin now; None lets things be."""
    quit: bool = False


def decide(event: Event, current: Filter, ask: Callable[[str], str]) -> Step:
    """Return what *event* leads to; *ask* reads a line from the person."""
    if event.changed:
        return Step(current, tuple(_for_changes(event.changed, current)))
    if event.key == "q":
        return Step(current, quit=True)
    if event.key == "u":
        return Step(current, ("--update", *current.arguments()))
    wanted = _filter_for(event.key, current, ask)
    return Step(current) if wanted is None else Step(wanted, tuple(wanted.arguments()))


def without_filter(written: list[str]) -> list[str]:
    """Return a command line without what says which tests are meant, and without `--watch`."""
    kept, skips = [], False
    for arg in written:
        if not skips and arg not in {"-k", "--failed", "--watch"} and not arg.startswith("-k"):
            kept.append(arg)
        skips = arg == "-k"
    return kept


def _filter_for(key: str, current: Filter, ask: Callable[[str], str]) -> Filter | None:
    if key in {"a", "c"}:
        return Filter()
    if key == "f":
        return replace(current, failed=True)
    if key == "p":
        return replace(current, targets=tuple(ask("path: ").split()))
    if key == "t":
        return replace(current, keyword=ask("name: ").strip())
    return current if key in {"\r", "\n"} else None


def _for_changes(changed: Sequence[str], current: Filter) -> list[str]:
    """A test file that changed is run alone; anything else may concern every test."""
    if all(path.endswith("_test.lua") for path in changed) and not current.targets:
        return replace(current, targets=tuple(sorted(changed))).arguments()
    return current.arguments()


class Watch:
    """Watches *folder* and runs `moonq test` with *arguments* and the filter of the moment."""

    def __init__(self, folder: Path, arguments: Sequence[str], first: Filter) -> None:
        self._folder = folder
        self._arguments = list(arguments)
        self._filter = first
        self._events: queue.Queue[Event] = queue.Queue()
        self._stop = threading.Event()
        self._pass: subprocess.Popen[bytes] | None = None
        self._is_asking = threading.Lock()

    def run(self) -> None:
        """Go on until somebody quits."""
        threading.Thread(target=self._watch_files, daemon=True).start()
        with _single_keys() as can_read:
            if can_read:
                threading.Thread(target=self._read_keys, daemon=True).start()
            self._begin(self._filter.arguments())
            try:
                self._follow()
            finally:
                self._stop.set()
                self._end()

    def _follow(self) -> None:
        while True:
            step = decide(self._events.get(), self._filter, self._ask)
            self._filter = step.filter
            if step.quit:
                return
            if step.run is not None:
                self._begin(step.run)

    def _begin(self, arguments: Iterable[str]) -> None:
        self._end()
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[2J\x1b[H")
        print(f"watching {self._folder} · {self._filter.shown()}\n{KEYS}\n", flush=True)
        command = [sys.executable, "-m", "moonq", "test", *self._arguments, *arguments]
        self._pass = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - moonq itself

    def _end(self) -> None:
        running, self._pass = self._pass, None
        if running is not None and running.poll() is None:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(1)
            except subprocess.TimeoutExpired:
                running.kill()
        if running is not None:
            running.wait()

    def _watch_files(self) -> None:
        from watchfiles import watch

        for changes in watch(self._folder, debounce=DEBOUNCE, step=20, stop_event=self._stop):
            paths = tuple({path for _, path in changes if _concerns(path)})
            if paths:
                self._events.put(Event(changed=paths))

    def _read_keys(self) -> None:
        while not self._stop.is_set():
            with self._is_asking:
                ready, _, _ = select.select([sys.stdin], [], [], 0.1)
                key = os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""
            if key:
                self._events.put(Event(key=key))

    def _ask(self, question: str) -> str:
        self._end()
        with self._is_asking, _whole_lines():
            return input(question)


def _concerns(path: str) -> bool:
    parts = Path(path).parts
    hidden = any(part.startswith(".") or part == "__snapshots__" for part in parts)
    return path.endswith(SUFFIXES) and not hidden


@contextmanager
def _single_keys() -> Iterator[bool]:
    """Let keys be read one by one; False where there is no terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def _whole_lines() -> Iterator[None]:
    """Let a line be typed with the keys that edit it."""
    import termios

    before = termios.tcgetattr(sys.stdin)
    plain = termios.tcgetattr(sys.stdin)
    plain[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, plain)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
