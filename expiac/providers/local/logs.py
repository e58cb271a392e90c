"""Reads what a launch prints, line by line, while it is being printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PAUSE = 0.1
_CHUNK = 1 << 16


class _Tail:
    """One growing file, from its beginning."""

    def __init__(self, path: Path, prefix: str) -> None:
        self._path, self._prefix = path, prefix
        self._position, self._rest = 0, b""

    def lines(self) -> Iterator[str]:
        """Whole lines that were added since the last call."""
        for chunk in self._chunks():
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            yield from map(self._text, whole)

    def rest(self) -> Iterator[str]:
        """A last line that never ended."""
        if self._rest:
            yield self._text(self._rest)

    def _chunks(self) -> Iterator[bytes]:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._position)
                while chunk := file.read(_CHUNK):
                    self._position += len(chunk)
                    yield chunk
        except FileNotFoundError:
            return

    def _text(self, line: bytes) -> str:
        return self._prefix + line.decode(errors="replace").rstrip("\r")


def lines(logs: Sequence[Path], is_live: Callable[[], bool], *, follow: bool) -> Iterator[str]:
    """Lines of all logs, each with its file's name where there are several.

    With `follow` it goes on until `is_live` says no.
    """
    tails = [_Tail(log, f"{log.stem} | " if len(logs) > 1 else "") for log in logs]
    while True:
        # Asked before reading, so that nothing printed before the end is missed.
        live = follow and is_live()
        for tail in tails:
            yield from tail.lines()
        if not live:
            break
        time.sleep(PAUSE)
    for tail in tails:
        yield from tail.rest()
