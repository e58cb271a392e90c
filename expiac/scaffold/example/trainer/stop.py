"""A request to stop, made by SIGTERM or ^C; the training loop checks for it between two epochs."""

import signal
from types import FrameType


class Stop:
    """Records the signals that ask the run to stop."""

    def __init__(self) -> None:
        self.exit_code = 0

    def install_handlers(self) -> "Stop":
        """Handle SIGTERM and SIGINT from now on; a second signal ends the process at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    @property
    def is_requested(self) -> bool:
        return self.exit_code != 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = 128 + number  # what a shell reports: 143 for SIGTERM, 130 for ^C
        signal.signal(number, signal.SIG_DFL)
