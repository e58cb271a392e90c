"""Whether values are better seen on a logarithmic scale, and where on a scale each stands. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

_DECADE = 10.0


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether these values span a decade or more, and lie more evenly on a logarithmic scale than on a linear one."""
    known = sorted({*values})
    if len(known) < 3 or known[0] <= 0 or known[-1] / known[0] < _DECADE:
        return len(known) == 2 and known[0] > 0 and known[1] / known[0] >= _DECADE
    return _unevenness([math.log(value) for value in known]) < _unevenness(known)


def share_of(value: float, low: float, high: float, *, logarithmic: bool) -> float:
    """Where a value stands between two others: 0 at the low one, 1 at the high one; in the middle if they are equal."""
    if low == high:
        return 0.5
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _unevenness(known: Sequence[float]) -> float:
    """How far the median is from the middle of the range, by the range."""
    middle = len(known) // 2
    median = (known[middle] + known[-middle - 1]) / 2
    return abs((median - known[0]) / (known[-1] - known[0]) - 0.5)
