"""Keeps SkyPilot's own words off stdout, which belongs to our command and its JSON."""

from __future__ import annotations

import sys
import threading
from typing import Any

_quiet_threads: set[int] = set()
"""Threads whose words are dropped."""


class _Stdout:
    """The real stdout, for all but the quiet threads."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def write(self, text: Any) -> int:
        if isinstance(text, str) and threading.get_ident() in _quiet_threads:
            return len(text)
        return int(self._real.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class QuietStdout:
    """While inside, what this thread prints is dropped; other threads print as ever."""

    def __enter__(self) -> None:
        if not isinstance(sys.stdout, _Stdout):
            sys.stdout = _Stdout(sys.stdout)
        _quiet_threads.add(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        _quiet_threads.discard(threading.get_ident())
