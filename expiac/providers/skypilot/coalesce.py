"""One call for all who ask at the same time: ten jobs that are launched at once cost one queue call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class CoalescedCall(Generic[T]):
    """Makes the call for whoever asks; no answer is older than its question."""

    def __init__(self, call: Callable[[], T], *, gather: float = 0.1) -> None:
        self._call, self._gather = call, gather
        self._lock = threading.Lock()
        self._next: Future[T] | None = None
        """The answer to all who asked before its call began."""

    def __call__(self) -> T:
        with self._lock:
            is_first, mine = self._next is None, self._next or Future()
            self._next = mine
        if is_first:
            time.sleep(self._gather)
            with self._lock:
                self._next = None
            try:
                mine.set_result(self._call())
            except BaseException as error:
                mine.set_exception(error)
        return mine.result()
