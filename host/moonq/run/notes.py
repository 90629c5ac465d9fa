"""Notes about what handlers return: no failures, and once per function and process.

They are lines of the logger `moonq.handlers`: that nothing was returned is one for debugging, for
the contract allows it; that `false` came without a reason is an info.
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress

from moonq import log
from moonq.sandbox.state import Progress, Stopped
from moonq.sandbox.states import State

#: As `lua/run/deliver.lua` says it.
FALSE = "the handler returned false"
NO_REASON = (
    "returned false, which does not say why: `return nil, errors.new{…}`, and the reason stands in"
    " the log, in dead letters and in tests"
)
NOTHING = "returned nothing, and the message was acked; `return true` silences this"
_log = log.get("moonq.handlers")
_lock = threading.Lock()
_told: set[tuple[str, str]] = set()


class Notes:
    """What is noted of the results of one function."""

    def __init__(self, function: str) -> None:
        self._function = function

    def watch(self, state: State) -> bool:
        """Keep results in *state*, where somebody wants to hear that there are none."""
        wants = _log.isEnabledFor(logging.DEBUG) and not self._is_told("H401")
        if wants:
            state.keep_results()
        return wants

    def look(self, progress: Progress, kept: State | None) -> None:
        """Look at messages that were run, and at what the last one returned, if *kept* has it."""
        if any(outcome.fault.message == FALSE for outcome in progress.outcomes):
            self._tell("H402", logging.INFO, NO_REASON)
        elif kept is not None and progress.done and not progress.outcomes and not progress.stopped:
            with suppress(Stopped):
                if not any(one is not None for one in json.loads(kept.results())):
                    self._tell("H401", logging.DEBUG, NOTHING)

    def _is_told(self, code: str) -> bool:
        return (code, self._function) in _told

    def _tell(self, code: str, level: int, words: str) -> None:
        with _lock:
            if self._is_told(code):
                return
            _told.add((code, self._function))
        extra = {"entry": self._function, "fields": {"code": code}}
        _log.log(level, "%s %s", self._function, words, extra=extra)
