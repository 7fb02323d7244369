"""Real time, and the virtual clock of each workspace (an offset from it)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock. `shift` moves one workspace's virtual time; certificates and tokens never follow it."""

    def __init__(self) -> None:
        self._offsets: dict[str, timedelta] = {}

    def now(self) -> datetime:
        """Real time, UTC."""
        return datetime.now(UTC)

    def virtual_now(self, workspace: str) -> datetime:
        """The workspace's time: drives retries, retention and `today` in rules."""
        return self.now() + self._offsets.get(workspace, timedelta())

    def shift(self, workspace: str, offset: timedelta) -> None:
        """Set how far a workspace's clock is ahead of (or behind) the real one."""
        self._offsets[workspace] = offset
