"""Hears signals while waiting, without missing one in between: each becomes a byte in a pipe."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress


class Signals:
    """The signals of this process."""

    def __init__(self) -> None:
        self.told_to_stop = False
        self._pipe, writing = os.pipe()
        for end in (self._pipe, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        # Handlers, for what is ignored or blocked would be so in the job too; SIGCHLD only has to wake us.
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def wait(self, limit: float) -> None:
        """Returns at the next signal, at once if there was one since the last call, and after `limit` seconds."""
        select.select([self._pipe], [], [], limit)
        with suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                pass

    def _stop(self, *_: object) -> None:
        self.told_to_stop = True
