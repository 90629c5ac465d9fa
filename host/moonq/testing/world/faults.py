"""Faults that a test asks for, such as a real broker or machine has at times."""

from __future__ import annotations

from dataclasses import dataclass

from moonq.clock import Clock


@dataclass
class Faults:
    """Which faults are still to come."""

    clock: Clock
    crashes: int = 0
    """How many of the next deliveries lose their worker before they are settled."""
    lost_acks: int = 0
    """How many of the next acks are lost on their way to the broker."""
    down_until: float = 0.0
    """Until when publishes are in vain, on the clock that never goes back."""

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
