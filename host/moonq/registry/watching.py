"""Tells when the files of a project have changed.

    with Watching(Path("shop"), on_change=reload):      # in another thread
        ...
    reload(("src/process_order.lua",))                  # once per save, however many files

Only what a project consists of counts: Lua, Python, YAML and JSON, outside of folders that begin
with a dot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from moonq import log, threads
from moonq.registry.settings import FILE as SETTINGS

_log = log.get("moonq.watch")
SUFFIXES = (".json", ".lua", ".py", ".yaml", ".yml")
#: Milliseconds of silence that end a save; an editor may write several files, each more than once.
QUIET = 80
#: Milliseconds after which changes count although there is no silence.
LATEST = 1000
#: Milliseconds between looks whether the watch is to end.
LOOK = 200


class Watching:
    """Watches *folder* from `with` on until its end."""

    def __init__(
        self,
        folder: Path,
        on_change: Callable[[tuple[str, ...]], None],
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder.resolve()
        self._on_change = on_change
        self._on_ready = on_ready
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="moonq-watch", daemon=True)

    def __enter__(self) -> Watching:
        threads.start(self._thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        looks = self._looks()
        is_ready = False
        while (changes := self._next(looks)) is not None:
            if not is_ready:
                # Whatever comes first, it says that the watch is in place.
                self._on_ready()
                is_ready = True
            if changes and not self._stop.is_set():
                self._on_change(changes)

    def _next(self, looks: Iterator[tuple[str, ...]]) -> tuple[str, ...] | None:
        """Return what has changed, perhaps nothing; None at the end."""
        try:
            return next(looks, None)
        except (OSError, RuntimeError) as problem:  # the latter is what the library raises itself
            _log.error(
                "%s cannot be watched: %s; saved files count from the next start",
                self._folder.name,
                problem,
            )
            return None

    def _looks(self) -> Iterator[tuple[str, ...]]:
        from watchfiles import watch

        # The library tells of every change too, and about folders that are none of our business.
        logging.getLogger("watchfiles").setLevel(logging.WARNING)
        for changes in watch(
            self._folder,
            watch_filter=lambda _, path: concerns(self._folder, path),
            debounce=LATEST,
            step=QUIET,
            stop_event=self._stop,
            rust_timeout=LOOK,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            yield tuple(sorted({str(Path(path).relative_to(self._folder)) for _, path in changes}))


def concerns(folder: Path, path: str) -> bool:
    """Whether the file at *path* can be part of the project in *folder*."""
    inner = Path(path).relative_to(folder)
    if not path.endswith(SUFFIXES) or any(part.startswith(".") for part in inner.parts):
        return False
    # A folder with settings of its own is another project.
    return not any((folder / one / SETTINGS).is_file() for one in inner.parents if one.name)
