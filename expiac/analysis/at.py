"""Which figure of a run's history counts. Pure."""

from __future__ import annotations

import math
from typing import Literal

from expiac.util.errors import UsageError

At = float | Literal["last", "best", "auc"]
"""A step; the last value; the best one; or the mean over the steps, the area under the curve by its width."""


def at_of(word: str | float) -> At:
    """What `--at` means; raises `UsageError` for what is neither a step nor one of its words."""
    match word:
        case "last" | "best" | "auc":
            return word
    try:
        step = float(word)
    except ValueError:
        step = math.nan
    if not math.isfinite(step):
        raise UsageError("Invalid value", f"at: {word!r} is neither a step nor last, best or auc", "such as last")
    return step
