"""Looks at runs again and again until they have ended: for `status --watch` and `apply --wait`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from expiac.apply.events import ResourceStatus
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

_SHORTEST_PAUSE, _USUAL_PAUSE, _LONGEST_PAUSE = 0.25, 2.0, 15.0
_PAUSE_PER_LOOK = 4.0
"""A look that was dear is not repeated at once: how many times as long to pause."""
_UNDER_WAY = (Status.PENDING, Status.STARTING, Status.RUNNING, Status.RECOVERING)
T = TypeVar("T")


def looks(look: Callable[[], T], stopped: threading.Event, *, timeout: float, stack: str) -> Iterator[T]:
    """What each look sees, more slowly with time; ends when it is stopped, and raises once the time is over."""
    until, pause = time.monotonic() + timeout, _SHORTEST_PAUSE
    while True:
        began = time.monotonic()
        yield look()
        if stopped.is_set():
            return
        if time.monotonic() > until:
            raise ExpiacError("Still running", f"{stack} did not end within {timeout:.0f} s; its jobs go on",
                              f"expiac status {stack}")
        took = time.monotonic() - began
        stopped.wait(max(pause, min(_PAUSE_PER_LOOK * took, _LONGEST_PAUSE)))
        pause = min(pause * 1.2, _USUAL_PAUSE)


def are_under_way(seen: Sequence[ResourceStatus]) -> bool:
    """Whether one of these may end by itself."""
    return any(one.status in _UNDER_WAY for one in seen)
