"""How a server can fail: what it does with a request instead of, or before, an answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """What happens to the next requests whose path, with the operation of GraphQL, contains `where`."""

    status: int | None = None
    """Answer with this HTTP status."""
    body: bytes = b'{"error": "told to fail"}'
    """The body of that answer."""
    delay: float = 0.0
    """Seconds to wait first."""
    is_cut: bool = False
    """Close the connection in the middle of the answer."""
    where: str = ""
    """A part of the path, such as `/file_stream`, or of `/graphql/Runs`; empty means every request."""
    times: int | None = None
    """How many requests fail; None means all, until `clear`."""

    @classmethod
    def garbage(cls, *, where: str = "", times: int | None = None) -> Failure:
        """An answer of status 200 that is no JSON."""
        return cls(status=200, body=b"<html>\x00\xff{{{ not JSON", where=where, times=times)


class Failures:
    """The failures that a server was told, each with how often it still happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Failure, int | None]] = []

    def add(self, failure: Failure) -> None:
        with self._lock:
            self._left.append((failure, failure.times))

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def take(self, path: str) -> Failure | None:
        """The failure of a request to this path, which counts as one of its times."""
        with self._lock:
            for index, (failure, left) in enumerate(self._left):
                if failure.where in path and left != 0:
                    self._left[index] = (failure, None if left is None else left - 1)
                    return failure
        return None
