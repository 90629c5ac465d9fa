"""Faults that a test asks for: what brokers and machines do to a handler now and then."""

from __future__ import annotations

from dataclasses import dataclass

from moonq.clock import Clock


@dataclass
class Faults:
    """Which faults are still to come."""

    clock: Clock
    crashes: int = 0
    lost_acks: int = 0
    down_until: float = 0.0

    def crash_worker(self) -> None:
        """Let the worker of the next delivery die before it settles."""
        self.crashes += 1

    def drop_ack(self) -> None:
        """Let the broker not hear of the next ack."""
        self.lost_acks += 1

    def broker_down(self, seconds: float) -> None:
        """Let publishes be in vain for *seconds* from now."""
        self.down_until = self.clock.monotonic() + seconds

    def takes_crash(self) -> bool:
        """Say whether the delivery that begins now is to crash."""
        if self.crashes:
            self.crashes -= 1
            return True
        return False

    def takes_ack(self) -> bool:
        """Say whether the ack that is sent now gets lost."""
        if self.lost_acks:
            self.lost_acks -= 1
            return True
        return False

    def is_down(self) -> bool:
        """Say whether the broker is away."""
        return self.clock.monotonic() < self.down_until
