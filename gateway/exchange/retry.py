"""When a delivery that failed is tried again, and when it is given up. Times are the workspace's virtual ones.

Source: MSSanté digest §2 (design): 5, 15, 60 minutes, then hourly; a delay notice after 4 hours; the end after 48.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_STEPS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`speed` divides every delay: 1 as in production, 3600 to live an hour in a second."""

    give_up_after: timedelta = timedelta(hours=48)
    delay_notice_after: timedelta = timedelta(hours=4)
    speed: float = 1.0

    def next_attempt(self, attempt: int, created_at: datetime, now: datetime) -> datetime | None:
        """When to try again after the failure of attempt number `attempt` (from 1); None: give up."""
        step = _STEPS[min(attempt, len(_STEPS)) - 1] / self.speed
        due = now + step
        return due if due <= self.gives_up_at(created_at) else None

    def gives_up_at(self, created_at: datetime) -> datetime:
        """When a delivery is no longer tried."""
        return created_at + self.give_up_after / self.speed

    def owes_delay_notice(self, created_at: datetime, now: datetime) -> bool:
        """Whether the sender should be told that his mail is late."""
        return now - created_at >= self.delay_notice_after / self.speed
