"""Several calls at once, within a time limit for all of them together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ParallelCalls(Generic[K, V]):
    """Makes calls, a few at a time. One that is not over in time goes on; its key is not called again before its end.

    The threads are daemons: a call that hangs does not keep the command from ending.
    """

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._under_way: set[K] = set()

    def run(self, calls: Mapping[K, Callable[[], V]], *, seconds: float) -> dict[K, V | Exception]:
        """What each call returned or raised within `seconds`; those that are missing did not come to it in time."""
        deadline = time.monotonic() + seconds
        with self._lock:
            waiting = [key for key in calls if key not in self._under_way]
        ended: dict[K, V | Exception] = {}

        def work() -> None:
            while (key := self._next(waiting, deadline)) is not None:
                answer = _answer(calls[key])
                with self._lock:
                    self._under_way.discard(key)
                    ended[key] = answer

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self._at_once, len(waiting)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            return dict(ended)

    def _next(self, waiting: list[K], deadline: float) -> K | None:
        """The key of the next call, which is then under way; None once all were begun, or the time is over."""
        with self._lock:
            if not waiting or time.monotonic() >= deadline:
                return None
            key = waiting.pop(0)
            self._under_way.add(key)
            return key


def _answer(call: Callable[[], V]) -> V | Exception:
    try:
        return call()
    except Exception as error:
        return error
