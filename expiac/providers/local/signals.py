"""Waits for signals without missing one in between: each becomes a byte in a pipe."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress


class Signals:
    """The signals of this process."""

    def __init__(self) -> None:
        self.is_stop_requested = False
        self._pipe, writing = os.pipe()
        for end in (self._pipe, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        # Handlers, because what is ignored or blocked here would be so in the job too.
        # SIGCHLD only has to end the wait.
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def wait(self, limit: float) -> None:
        """Returns at the next signal, or at once if one came since the last call, or after `limit` seconds."""
        select.select([self._pipe], [], [], limit)
        with suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                pass

    def _stop(self, *_: object) -> None:
        self.is_stop_requested = True
