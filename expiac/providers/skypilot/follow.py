"""Goes on reading what a job prints over breaks of the connection, each line once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from expiac.util.errors import Unavailable


def follow_lines(
    read: Callable[[], Iterator[str]], is_live: Callable[[], bool], *, timeout: float, pause: float,
) -> Iterator[str]:
    """Lines until the job has ended. `read` begins at the first line each time; raises after `timeout` s of silence.

    Lines that a new reading repeats are left out as long as they come in the same order; a job that was recovered
    begins another log, of which everything is shown.
    """
    known: list[int] = []
    silent_since = time.monotonic()
    while True:
        try:
            live = is_live()  # asked before reading, so that nothing printed before the end is missed
            for line in _new_lines(read(), known):
                silent_since = time.monotonic()
                yield line
            if not live:
                return
        except Unavailable:
            if time.monotonic() - silent_since > timeout:
                raise
        time.sleep(pause)


def _new_lines(lines: Iterator[str], known: list[int]) -> Iterator[str]:
    """The lines that are not among the known ones, to which they are added."""
    place = 0
    for line in lines:
        mark = hash(line)
        if place < len(known) and known[place] == mark:
            place += 1
            continue
        del known[place:]  # from here on another log
        known.append(mark)
        place += 1
        yield line
