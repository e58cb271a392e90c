"""The turns of a contestant, in its own process: it trains without end, and waits here while others have their turn.

A line with a number of seconds begins a turn. Its first update does not count: caches are cold, and other ranks may
have begun it during the pause. The turn ends with the first update after that time, and is answered with the samples,
the seconds and the processor time that it had. Knows nothing of what is trained.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter, process_time
from typing import TextIO


class NoMoreTurns(Exception):
    """The benchmark is over, or has died."""


class Turns:
    """Counts the samples of each turn. What happens before the end of the first update is preparation."""

    def __init__(
        self, commands: TextIO, answers: TextIO, clock: Callable[[], float] = perf_counter,
        cpu_clock: Callable[[], float] = process_time,
    ) -> None:  # fmt: skip
        self._commands, self._answers, self._clocks = commands, answers, (clock, cpu_clock)
        self._seconds, self._is_first = 0.0, False
        self._begin()

    def count(self, samples: int) -> None:
        """An update of so many samples is done. Returns in the next turn if this one is over.

        Raises `NoMoreTurns` if there is no next one.
        """
        if self._is_first:
            self._is_first = False
            self._begin()
            return
        self._samples += samples
        taken, cpu = (clock() - began for clock, began in zip(self._clocks, self._began, strict=True))
        if taken < self._seconds:
            return
        answer = {"samples": self._samples, "seconds": taken, "cpu": cpu}
        print(json.dumps(answer), file=self._answers, flush=True)
        line = self._commands.readline()
        if not line:
            raise NoMoreTurns
        self._seconds, self._is_first = float(line), True

    def _begin(self) -> None:
        self._samples, self._began = 0, tuple(clock() for clock in self._clocks)
