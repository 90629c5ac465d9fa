"""Runs attack scripts one after another, each in a state of its own, beside a busy neighbour.

    python corpus_runner.py hook|permanent|process[+copies] < names   ->   a line of JSON each

It is a process of its own because an attack that gets through may take the process with it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from offered import handler_of
from states import MODULES

from moonq.host import Host
from moonq.kinds import load
from moonq.run.calling.lends import lent_functions
from moonq.sandbox.hidden_names import SWITCHED_OFF
from moonq.sandbox.process.children import CHILDREN
from moonq.sandbox.process.remote import RemoteState
from moonq.sandbox.state import THREAD_STACK, Limits, LuaSource, LuaState, ScriptFault, Stopped
from moonq.sandbox.states import State

HERE = Path(__file__).parent
TIMEOUT = 0.1
#: For those that are not to run out of time, on a machine as busy as it may be.
PATIENCE = 5.0
MEMORY = 16 * 1024 * 1024
#: A script still running after this long was not contained.
HUNG = 10.0
#: A neighbour may be held up this long; a busy machine gets some more tries.
STALL, TRIES = 0.1, 4


@dataclass
class Result:
    """What became of a script."""

    name: str
    outcome: str = "hung"
    message: str = ""
    seconds: float = 0.0
    canary: str = ""
    stall: float = 0.0
    kept: int = 0
    """Bytes that the state still holds after a collection, when it goes on living."""


class Neighbour:
    """Another worker, whose short jobs must never be held up."""

    def __init__(self) -> None:
        self.stall = 0.0
        self._state = LuaState({}, Limits(10.0))
        self._state.define(LuaSource("app:job", "job.lua", b"return function(n) return n + 1 end"))
        self._state.open("app:job")
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        waits = Path("/proc/thread-self/schedstat")
        stat = os.open(waits, os.O_RDONLY) if waits.exists() else None
        last, waited = time.perf_counter(), 0
        while True:
            progress = self._state.deliver(10.0, [b"1", b"2"])
            assert progress.done > 0
            assert not progress.outcomes
            now = time.perf_counter()
            # What it waited for a core is the machine's doing, not the script's.
            total = int(os.pread(stat, 100, 0).split()[1]) if stat is not None else 0
            self.stall = max(self.stall, now - last - (total - waited) / 1e9)
            last, waited = now, total
            time.sleep(0.001)


PROJECT = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: q, kind: queue.queue, driver: memory, options: {max_length: 100}}
  - {name: values, kind: store.memory}
  - {name: db, kind: sql.database, url: "sqlite:///corpus.db", create: true}
  - {name: bank, kind: http.client, base_url: "http://127.0.0.1:1"}
  - {name: region, kind: env.variable, variable: REGION, default: eu}
"""


def new_host(folder: Path) -> Host:
    """Return a running host with a queue and a store; what scripts log goes nowhere."""
    logging.getLogger("app").addHandler(logging.NullHandler())
    logging.getLogger("app").propagate = False
    (folder / "_index.yaml").write_text(PROJECT)
    host = Host(load(folder))
    host.start()
    return host


def new_state(host: Host, hook: str) -> State:
    """Return a state that is lent everything, with the canary and room for an attack."""
    caller = handler_of()
    lends, limits = lent_functions(host.services, caller), Limits(TIMEOUT, MEMORY)
    state: State
    if hook == "process":
        state = RemoteState(lends, limits, child=CHILDREN.spawn())
    else:
        state = LuaState(lends, limits, permanent_hook=hook == "permanent")
    caller.enter(caller.context, state.guard)
    canary = (HERE / "canary.lua").read_bytes()
    state.define(LuaSource("app:canary", "canary.lua", canary, ("json", "errors", "store")))
    state.open("app:canary", timeout=5.0)
    return state


def attack(state: State, name: str) -> tuple[str, str]:
    """Run a script on two messages; returns the outcome and what the script said."""
    source = (HERE / "corpus" / f"{name}.lua").read_bytes()
    timeout = TIMEOUT if source.startswith(b"-- expect: contained-time") else PATIENCE
    state.define(LuaSource("app:attack", f"{name}.lua", source, MODULES))
    try:
        state.open("app:attack", timeout=timeout)
        for body in (b"1", b"2"):
            progress = state.deliver(timeout, [body])
            if progress.stopped:
                raise progress.stopped
            for outcome in progress.outcomes:
                if outcome.kind == "memory":
                    return "contained-memory", ""
                if outcome.kind == "failed":
                    said = outcome.fault.message
                    return ("denied" if said == "denied" else "failed"), said
    except ScriptFault as raised:
        said = raised.fault.message
        return ("denied" if said == "denied" else "failed"), said
    except Stopped as stopped:
        return f"contained-{stopped.reason}".replace("timeout", "time"), stopped.stack
    return "harmless", ""


def look_for_damage(state: State) -> str:
    """Run the canary in the attacked state; returns what it found, "" for nothing."""
    try:
        state.open("app:canary", timeout=5.0)
        progress = state.deliver(5.0, [b"1"])
    except (ScriptFault, Stopped) as problem:
        return f"the canary did not open: {problem}"
    if progress.stopped:
        return f"the canary was stopped: {progress.stopped}"
    return progress.outcomes[0].fault.message if progress.outcomes else ""


def run(host: Host, name: str, hook: str, result: Result) -> None:
    """Run one script and look what it left."""
    state = new_state(host, hook)
    began = time.perf_counter()
    outcome, result.message = attack(state, name)
    result.seconds = time.perf_counter() - began
    if state.guard.abandoned:
        outcome = "abandoned"
    if not state.spent:
        result.canary = look_for_damage(state)
        result.kept = state.memory_used()
    state.close()
    result.outcome = outcome


def run_beside(neighbour: Neighbour, host: Host, name: str, hook: str) -> Result:
    """Run one script in a worker's thread while the neighbour is at work."""
    host.queues.route("app:q").driver.purge("app:q")
    for _ in range(TRIES):
        result = Result(name)
        neighbour.stall = 0.0
        arguments = (host, name, hook, result)
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        thread.start()
        thread.join(HUNG)
        result.stall = neighbour.stall
        if result.stall < STALL or thread.is_alive():
            break
    return result


def main() -> None:
    """Run the scripts that standard input names."""
    hook, _, copies = sys.argv[1].partition("+")
    if copies:
        os.environ[SWITCHED_OFF] = "1"
    threading.stack_size(THREAD_STACK)
    with tempfile.TemporaryDirectory() as folder:
        neighbour, host = Neighbour(), new_host(Path(folder))
        for name in sys.stdin.read().split():
            result = run_beside(neighbour, host, name, hook)
            print(json.dumps(asdict(result)), flush=True)
            if result.outcome == "hung":
                os._exit(1)
        host.stop()


if __name__ == "__main__":
    main()
