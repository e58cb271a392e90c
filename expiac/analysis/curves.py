"""The curves of one metric over the steps: one a run, all at the same few steps, and a band over the seeds of each arm.

A history of many rows is thinned: at each of some equally spaced steps stands the last value that was logged up to it.
No value is averaged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

Values = tuple[float | None, ...]
DIGITS = 6
"""As many significant digits a value keeps."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One metric of several runs."""

    metric: str
    steps: tuple[float, ...]
    values: Mapping[str, Values]
    """By instance, a value for each step; None before the first and after the last one, and for what is not finite."""
    rows: int
    """How many values the longest history has."""
    is_thinned: bool


@dataclass(frozen=True, slots=True)
class BandPoint:
    """The runs of an arm at one step."""

    arm: str
    step: float
    mean: float
    low: float
    high: float
    runs: int


def curves_of(histories: pl.DataFrame, metric: str, points: int) -> Curves:
    """The curves of a metric at `points` steps or fewer."""
    logged = histories.filter((pl.col("metric") == metric) & pl.col("step").is_finite()).sort("step",
                                                                                           maintain_order=True)
    parts = logged.partition_by("instance", as_dict=True, maintain_order=True)
    known = logged["step"].unique().sort()
    is_thinned = known.len() > points
    steps = _equally_spaced(known[0], known[-1], points) if is_thinned else known.to_list()
    grid = pl.DataFrame({"step": steps}, schema={"step": pl.Float64})
    values = {str(key[0]): _at(grid, part) for key, part in parts.items()}
    return Curves(metric, tuple(_short(step, 9) for step in steps), values,
                  max((part.height for part in parts.values()), default=0), is_thinned)


def bands(curves: Curves, arms: Mapping[str, Sequence[str]]) -> list[BandPoint]:
    """The mean, the lowest and the highest run of each arm, where all of its runs have a value.

    `arms` has the instances by arm.
    """
    points = []
    for arm, instances in arms.items():
        members = [curves.values[instance] for instance in instances if instance in curves.values]
        for place, step in enumerate(curves.steps):
            here = [member[place] for member in members]
            known = [value for value in here if value is not None]
            if known and len(known) == len(members):
                points.append(BandPoint(arm, step, sum(known) / len(known), min(known), max(known), len(known)))
    return points


def _equally_spaced(first: float, last: float, points: int) -> list[float]:
    return [first + (last - first) * place / (points - 1) for place in range(points - 1)] + [last]


def _at(grid: pl.DataFrame, part: pl.DataFrame) -> Values:
    last_step = part["step"][-1]
    joined = grid.join_asof(part.select("step", "value"), on="step", strategy="backward")
    return tuple(None if value is None or step > last_step or not math.isfinite(value) else _short(value, DIGITS)
                 for step, value in joined.iter_rows())


def _short(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
