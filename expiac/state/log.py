"""What a journal is written to: the bytes of one stack's state, in a file or in a store that others share.

A log is read as a whole, and then appended to by whoever holds its lock. It knows nothing of lines or events.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from expiac.util.errors import ExpiacError, Stale


class StateLog(Protocol):
    """The port of `Journal`; `FileLog` and `ObjectLog` implement it.

    Threads may call `append` while another one is within `sync` or `confirm`; every other two calls come one after the
    other. What could not be written raises `ExpiacError`, and `Stale` where that is because of another writer; then
    what the log holds is known only once it is read again. A writer that is behind another one changes nothing that a
    reader finds; it is refused at once, or by `confirm` at the latest.
    """

    @property
    def name(self) -> str:
        """Where it is, for messages."""

    @property
    def stack(self) -> str:
        """The stack whose state it holds."""

    @property
    def size(self) -> int:
        """Bytes of what was read, and appended since."""

    @property
    def is_current(self) -> bool:
        """That nobody else is seen to have written since; never costs a request."""

    @property
    def is_buffered(self) -> bool:
        """That others see what is appended only once it is synced."""

    @property
    def pieces(self) -> int:
        """How many requests it takes to read it."""

    def read(self) -> bytes | None:
        """All of it, or None where there is nothing; what is written next follows that."""

    def cut(self, length: int) -> None:
        """Removes what was read behind the first `length` bytes, such as a line that was cut short."""

    def append(self, data: bytes) -> None:
        """Adds to what is there: all of it, or nothing. A log that holds nothing is begun by `replace`."""

    def sync(self) -> None:
        """Returns once everything appended survives a loss of power, and others can read it."""

    def replace(self, data: bytes) -> None:
        """Puts this in the place of all there is, synced. A reader finds the old or the new, wherever we are killed.

        Raises `NotReplaced` where the old log is surely whole and may be appended to.
        """

    def remove(self) -> None:
        """Leaves nothing of it."""

    def confirm(self) -> None:
        """Raises `Stale` where the lock or the log is known to be another writer's; may cost requests."""

    def taken_over(self, what: str = "") -> Stale:
        """The error of a writer that finds the work of another one; `what` is known of that."""

    def lock(self, *, purpose: str, wait_seconds: float = 0.0) -> AbstractContextManager[object]:
        """The right to write; raises `Locked` where somebody else has it."""

    def close(self) -> None:
        """Lets go of what it holds open; it may be read again."""


class NotWritten(ExpiacError):
    """The log was not written; `what` is the reason."""

    def __init__(self, log: str, what: str, hint: str) -> None:
        super().__init__("State not written", f"{log}: {what}", hint)
        self.what = what


class NotReplaced(NotWritten):
    """The log was not replaced: what stood there before does so still, and can be appended to."""
