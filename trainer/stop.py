"""A wish to stop, from whoever sends SIGTERM or presses ^C; the loop asks for it where stopping loses nothing.

Knows nothing of training: only that there was a signal, which one, and how long ago.
"""

import signal
import time
from types import FrameType

PATIENCE = 1.0  # seconds in which the update at hand may end by itself


class Stopped(Exception):
    """The run was asked to stop, and its checkpoint is written. Carries the process's exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"stopped with exit code {exit_code}")
        self.exit_code = exit_code


class Stop:
    """Nobody has asked yet."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._since = 0.0

    def listen(self) -> "Stop":
        """Hear SIGTERM and SIGINT from now on; a second ^C is not waited for."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.hear)
        return self

    def hear(self, number: int, frame: FrameType | None = None) -> None:
        if number == signal.SIGINT and self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self._signal is None:
            self._signal, self._since = number, time.monotonic()

    @property
    def asked(self) -> bool:
        return self._signal is not None

    @property
    def overdue(self) -> bool:
        """Whether it was asked so long ago that even an update must be cut short."""
        return self.asked and time.monotonic() - self._since > PATIENCE

    @property
    def exit_code(self) -> int:
        """What a shell reports for the signal: 143 for SIGTERM, 130 for ^C."""
        return 128 + (self._signal or signal.SIGTERM)
