"""A message that no queue has: given to a function by hand, and judged as its queue would judge it.

trial = Trial(building, function, headers)
state = functions.open(function, trial.caller(context))
progress = trial.deliver(state, b'{"id":42}', timeout)
trial.judgement.told()  ->  {"verdict": "retry", "delay": 2.0, "reason": ""}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moonq.model import Delivery, Message
from moonq.registry.project import Entry
from moonq.run.context import CallContext
from moonq.run.ids import new_id
from moonq.run.judgement import ACKED, Event, Judgement, asked, ended
from moonq.run.lending import Caller
from moonq.run.parts import Parts
from moonq.run.sinks import HostSink
from moonq.run.worker import described
from moonq.sandbox.state import Fault, LuaState, Progress


class Trial:
    """One delivery of it: attempt 1, as if it had just been published, judged without jitter.

    It is judged as one of the queue that *consumer* serves; without one by the defaults. What the
    queue's own retry policy writes goes into *sink*.
    """

    def __init__(
        self,
        parts: Parts,
        function: str,
        headers: Mapping[str, Any],
        consumer: Entry | None = None,
        *,
        sink: HostSink | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        now = parts.clock.now()
        queue = consumer.target("queue") if consumer else None
        limits = parts.functions.limits(function)
        self.fault: Fault | None = None
        """What went wrong, where the handler has not settled the message itself."""
        self.judgement = ACKED
        self._policy = parts.policy(function, limits, queue, lambda: 0.5, sink)
        self._delivery = Delivery(Message(new_id(now), b"", now, headers), None)
        self._is_stopping = is_stopping
        self._is_settled = False

    def caller(self, context: CallContext) -> Caller:
        """Return the caller that handles the message."""
        told = described(self._delivery, context.serves)
        return Caller(context, settle=self._settle, message=lambda _: told)

    def deliver(self, state: LuaState, body: bytes, timeout: float | None) -> Progress:
        """Run the function and have judged what becomes of the message."""
        progress = state.deliver(timeout, [body])
        event = ended(progress)
        if event is not None and not self._is_settled:
            self.judgement = self._judge(event)
            self.fault = self.judgement.fault(event)
        self._policy.close()
        return progress

    def _settle(self, _index: int, action: str, delay: float, reason: str) -> bool:
        if self._is_settled:
            return False
        self._is_settled = True
        self.judgement = self._judge(asked(action, delay, reason))
        return True

    def _judge(self, event: Event) -> Judgement:
        return self._policy.judge(self._delivery, event, is_stopping=self._is_stopping())
