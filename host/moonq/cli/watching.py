"""Runs the tests again when files change or a key is pressed.

    a all · f failed · p path · t name · c clear · Enter again · u update snapshots · q quit

Each pass is a process, so that a key or a change can end it at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import click

from moonq.registry.watching import Watching

SNAPSHOTS = "__snapshots__"
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
        self._pass: subprocess.Popen[bytes] | None = None
        # Keys come in the main thread, changes in another one: one of them at a time.
        self._turn = threading.Lock()

    def run(self) -> None:
        """Go on until `q` is pressed."""
        with _Keyboard() as keyboard, Watching(self._folder, self._changed):
            with self._turn:
                self._begin(self._filter.arguments())
            try:
                for key in keyboard.pressed():
                    if self._take(Event(key=key), keyboard.ask).quit:
                        return
            finally:
                self._end()

    def _changed(self, paths: tuple[str, ...]) -> None:
        # Tests write snapshots themselves.
        changed = tuple(str(self._folder / path) for path in paths if SNAPSHOTS not in path)
        if changed:
            self._take(Event(changed=changed), lambda _: "")

    def _take(self, event: Event, ask: Callable[[str], str]) -> Step:
        def asked(question: str) -> str:
            self._end()
            return ask(question)

        with self._turn:
            step = decide(event, self._filter, asked)
            self._filter = step.filter
            if step.run is not None:
                self._begin(step.run)
        return step

    def _begin(self, arguments: Iterable[str]) -> None:
        self._end()
        if sys.stdout.isatty():
            click.clear()
        print(f"watching {self._folder} · {self._filter.shown()}\n{KEYS}\n", flush=True)
        command = [sys.executable, "-m", "moonq", "test", *self._arguments, *arguments]
        self._pass = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - moonq itself

    def _end(self) -> None:
        running, self._pass = self._pass, None
        if running is not None:
            running.terminate()
            try:
                running.wait(1)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


class _Keyboard:
    """Keys one by one, and a whole line when something is asked."""

    def __init__(self) -> None:
        self._before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None

    def __enter__(self) -> _Keyboard:
        self._single()
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def pressed(self) -> Iterator[str]:
        """Yield every key that is pressed; where there is no terminal, wait for a signal."""
        while self._before is None:
            signal.pause()
        while key := os.read(sys.stdin.fileno(), 1):
            yield key.decode("ascii", "replace")

    def ask(self, question: str) -> str:
        """Return the line that is typed."""
        self._restore()
        try:
            return input(question)
        finally:
            self._single()

    def _single(self) -> None:
        if self._before:
            tty.setcbreak(sys.stdin)

    def _restore(self) -> None:
        if self._before:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
