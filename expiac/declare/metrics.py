"""Which metrics `status` and results show, and how: `[tool.expiac.metrics]`. Knows nothing of where they are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass


def _usable_format(spec: str) -> str:
    try:
        format(1.5, spec)
    except ValueError as error:
        raise ValueError(f"{spec!r} does not format a number: {error}; use such as .2f or .1%") from error
    return spec


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Metric:
    """One metric of a table."""

    name: str
    """As the run's metrics file calls it."""
    label: str = ""
    """The head of its column; by default its name."""
    format: Annotated[str, AfterValidator(_usable_format)] = ".4g"
    """As Python's format specifications: `.2f`, `.1%`."""
    direction: Literal["max", "min", ""] = ""
    """Which way is better; empty where neither is."""

    @property
    def title(self) -> str:
        """The head of its column."""
        return self.label or self.name


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class MetricSettings:
    """What tables show of metrics, and what counts the steps of a run."""

    step: str = "step"
    """What the steps of your trainer count: `samples`, `epochs`."""
    total_steps: str = ""
    """The key path, as a plan shows it, at which a job says how many steps it takes: `trainer.total_timesteps`."""
    show: tuple[Metric, ...] = ()
    """The metrics of the tables, in this order; where there is none, up to three that all runs of a table have."""
