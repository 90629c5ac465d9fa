"""Reloads a host whenever somebody saves a file of its project, and tells how that went.

12:04:10 reload  src/process_order.lua → app:process_order  (9 ms, 4 workers switched)
12:04:31 reload  src/_index.yaml  ✗ not applied: the host keeps running the last good version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moonq import log
from moonq.errors import MoonqError
from moonq.registry.watching import Watching

if TYPE_CHECKING:
    from moonq.cli.narrator import Narrator
    from moonq.host import Host

_log = log.get("moonq.watch")


def reloading(host: Host, narrator: Narrator) -> Watching:
    """Return the watch over the project of *host*, for a `with`."""

    def reload(paths: tuple[str, ...]) -> None:
        try:
            report = host.reload()
        except MoonqError as problem:
            narrator.not_reloaded(paths, problem)
        except Exception:  # noqa: BLE001 - it would end the watch without a word
            # The next save may go well, and the host goes on in any case.
            _log.exception("the reload failed: a bug in moonq")
        else:
            narrator.reloaded(paths, report)

    root = host.project.root
    return Watching(root, reload, lambda: narrator.watching(root.resolve()))
