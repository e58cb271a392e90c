"""How a resource is, in one word."""

from __future__ import annotations

from enum import Enum


class Status(str, Enum):
    """The status of a record; the properties say what planning needs to know of it."""

    PENDING = "pending"
    """Accepted, waiting for a slot."""
    STARTING = "starting"
    RUNNING = "running"
    RECOVERING = "recovering"
    """The backend is bringing it back by itself."""
    READY = "ready"
    """A thing that exists and does not end by itself."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Ended by somebody's wish."""
    STOPPED = "stopped"
    """Ended by us, to be launched again elsewhere."""
    LOST = "lost"
    """A complete answer of its backend does not know it, though it had not ended."""

    @property
    def is_live(self) -> bool:
        """Something of it may be running or costing money."""
        return self in _LIVE

    @property
    def is_met(self) -> bool:
        """What depends on it may begin."""
        return self in (Status.SUCCEEDED, Status.READY)

    @property
    def is_over(self) -> bool:
        """It came to an end of its own; a new look changes nothing."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    @property
    def is_failure(self) -> bool:
        """It ended, or was lost, without a result: whoever waits for it waits in vain."""
        return self in (Status.FAILED, Status.CANCELLED, Status.LOST)


_LIVE = frozenset((Status.PENDING, Status.STARTING, Status.RUNNING, Status.RECOVERING, Status.READY))
