"""Asks about runs again and again until they have ended: for `status --watch` and `apply --wait`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from expiac.apply.events import ResourceStatus
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

_SHORTEST_PAUSE, _USUAL_PAUSE, _LONGEST_PAUSE = 0.25, 2.0, 15.0
_PAUSE_PER_QUERY = 4.0
"""How many times as long as a query took to pause after it: an expensive query is not repeated at once."""
UNDER_WAY = (Status.PENDING, Status.STARTING, Status.RUNNING, Status.RECOVERING)
METRICS_PAUSE = 60.0
"""Seconds between two questions of `apply --wait` how far the runs are: SkyPilot has a call for each run's log."""
T = TypeVar("T")


class OnceIn:
    """Says yes at the first question, and then once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def poll(query: Callable[[], T], stopped: threading.Event, *, timeout: float, stack: str) -> Iterator[T]:
    """The answer of each query, at growing intervals. Ends when `stopped` is set; raises when `timeout` is over."""
    until, pause = time.monotonic() + timeout, _SHORTEST_PAUSE
    while True:
        began = time.monotonic()
        yield query()
        if stopped.is_set():
            return
        if time.monotonic() > until:
            raise ExpiacError("Still running", f"{stack} did not end within {timeout:.0f} s; its jobs go on",
                              f"expiac status {stack}")
        took = time.monotonic() - began
        stopped.wait(max(pause, min(_PAUSE_PER_QUERY * took, _LONGEST_PAUSE)))
        pause = min(pause * 1.2, _USUAL_PAUSE)


def are_under_way(seen: Sequence[ResourceStatus]) -> bool:
    """Whether one of these may end by itself."""
    return any(one.status in UNDER_WAY for one in seen)
