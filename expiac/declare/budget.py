"""What the trials of a sweep may use together: dollars, and hours of GPUs."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", defer_build=True, title="Sweep"))
class SweepLimits:
    """The limits of a sweep, whether its trials are declared or proposed."""

    budget: Annotated[float | None, Field(gt=0)] = None
    """Dollars: no more trials once those that there are have cost so much; those that run are stopped."""
    gpu_hours: Annotated[float | None, Field(gt=0)] = None
    """No more trials once those that there are have used so many hours of a GPU; those that run are stopped."""
