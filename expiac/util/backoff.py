"""Makes a call again that was refused: after pauses that grow and differ, and within a time for all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to pause, in seconds. Whoever was refused together does not come back together."""

    first: float = 1.0
    """The longest first pause; each later one may be twice as long as the one before."""
    most: float = 30.0
    """The longest pause of all."""
    total: float = 180.0
    """After so long no further attempt begins."""

    def pauses(self) -> Iterator[float]:
        """Each is between half of the longest and the longest that its turn allows."""
        longest = min(self.first, self.most)
        while True:
            yield random.uniform(longest / 2, longest)
            longest = min(2 * longest, self.most)

    def call(self, call: Callable[[], T], is_refusal: Callable[[Exception], bool]) -> T:
        """What the call returns once it is not refused; raises the refusal when the time is over."""
        until = time.monotonic() + self.total
        for pause in self.pauses():
            try:
                return call()
            except Exception as error:
                if not is_refusal(error) or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
        raise AssertionError("pauses do not end")
