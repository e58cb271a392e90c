"""One call for all who ask at the same time: ten jobs that are launched at once cost one queue call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

A = TypeVar("A")
T = TypeVar("T")


class CoalescedCall(Generic[A, T]):
    """Makes the call, with what everybody asks about, for all who ask before it begins; no answer is older than its
    question. One call at a time: whoever asks during a call gets the answer of the next one.
    """

    def __init__(self, call: Callable[[Sequence[A]], T], *, gather: float = 0.1) -> None:
        self._call, self._gather = call, gather
        self._lock, self._calling = threading.Lock(), threading.Lock()
        self._next: Future[T] | None = None
        """The answer to all who asked before its call began."""
        self._about: list[A] = []

    def __call__(self, *about: A) -> T:
        with self._lock:
            is_first, mine = self._next is None, self._next or Future()
            self._next = mine
            self._about += about
        if is_first:
            time.sleep(self._gather)
            with self._calling:
                self._answer(mine)
        return mine.result()

    def _answer(self, answer: Future[T]) -> None:
        with self._lock:
            about, self._about, self._next = self._about, [], None
        try:
            answer.set_result(self._call(about))
        except BaseException as error:
            answer.set_exception(error)
