"""A request to stop, made by SIGTERM or ^C; the training loop checks for it where stopping loses nothing.

Knows nothing of training: only whether a signal has arrived, which one, and how long ago.
"""

import signal
import time
from types import FrameType

UPDATE_TIMEOUT = 1.0  # seconds that the current update has to end after a signal


class Stopped(Exception):
    """The run has stopped after a signal, with its checkpoint written. Carries the process's exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"stopped with exit code {exit_code}")
        self.exit_code = exit_code


class Stop:
    """Records the first signal that asks the run to stop."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._since = 0.0

    def install_handlers(self) -> "Stop":
        """Handle SIGTERM and SIGINT from now on; a second ^C ends the process at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)
        return self

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        if number == signal.SIGINT and self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self._signal is None:
            self._signal, self._since = number, time.monotonic()

    @property
    def is_requested(self) -> bool:
        return self._signal is not None

    @property
    def is_overdue(self) -> bool:
        """Whether the signal came so long ago that even an update must be cut short."""
        return self.is_requested and time.monotonic() - self._since > UPDATE_TIMEOUT

    @property
    def exit_code(self) -> int:
        """What a shell reports for the signal: 143 for SIGTERM, 130 for ^C."""
        return 128 + (self._signal or signal.SIGTERM)
