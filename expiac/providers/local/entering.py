"""Lets the launches that several threads create at once into the machine's queue together."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress

from expiac.providers.local.folder import Launch
from expiac.providers.local.slots import Queue


class Entering:
    """The launches of this process that are on their way into the queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._pending: deque[Launch] = deque()
        self._turn = threading.Lock()
        """Held by the thread that lets in what is pending."""

    def enter(self, launch: Launch) -> None:
        """Returns once the launch was let in, by this thread or another; or was not, and the next apply does it."""
        self._pending.append(launch)
        with self._turn:
            launches = [self._pending.popleft() for _ in range(len(self._pending))]
            if launches:
                with suppress(OSError):
                    self._queue.advance(enter=launches)
