"""Compares the arms of an experiment: what differs in settings other than the seed. Knows no files and no tables."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from expiac.analysis.baseline import arm_named
from expiac.analysis.runs import Run, differing
from expiac.util.hashing import canonical

Verdict = Literal["better", "worse", "higher", "lower", "unclear", "too few seeds"]
SIGNIFICANT = 0.05
FEW = 5
"""Of fewer runs, an interval is far too wide to help, and relies more on how the results are distributed."""


@dataclass(frozen=True, slots=True)
class Arm:
    """The runs that differ in nothing but what is repeated, and what they came to."""

    name: str
    settings: Mapping[str, Any]
    """Those by which the arms differ."""
    runs: tuple[tuple[Run, float], ...]
    """Each with its value."""
    strata: tuple[tuple[float, ...], ...] = ()
    """The values, by the other settings in which the runs of the arm differ."""
    mean: float = math.nan
    interquartile_mean: float = math.nan
    interval: tuple[float, float] | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """The value of each run."""
        return tuple(value for _, value in self.runs)


@dataclass(frozen=True, slots=True)
class Difference:
    """How an arm differs from the baseline."""

    arm: str
    baseline: str
    pairs: int
    """How many seeds are compared one by one; 0 where the two have other seeds."""
    mean: float
    interval: tuple[float, float] | None
    effect_size: float | None
    probability_of_improvement: float | None
    p: float | None
    seeds_needed: int | None
    p_holm: float | None = None
    verdict: Verdict = "unclear"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The arms, and how each differs from the baseline: the first one unless another was named."""

    arms: tuple[Arm, ...]
    differences: tuple[Difference, ...] = ()
    by: tuple[str, ...] = ()
    """The key paths by which the arms differ."""
    notes: tuple[str, ...] = field(default=())


def compare(values: Sequence[tuple[Run, float]], *, by: Sequence[str] | None, direction: str,
            baseline: str | None = None) -> Comparison:
    """Compares the values of runs, arm by arm; `by` says which settings make an arm, in place of all that differ.

    `baseline` names the arm that the others are compared with: `B`, or `KEY=VALUE`; the first one if it is left out.
    """
    from expiac.analysis import statistics

    runs = [run for run, _ in values]
    paths = differing(runs)
    keys = tuple(by) if by is not None else paths
    arms = [replace(arm, mean=statistics.mean(arm.values), interquartile_mean=statistics.interquartile_mean(arm.values),
                    interval=statistics.interval(arm.strata))
            for arm in _arms(values, keys, [path for path in paths if path not in keys])]
    base = arms[0] if baseline is None else arm_named(baseline, arms)
    others = [arm for arm in arms if arm is not base]
    differences = [_difference(arm, base, direction) for arm in others]
    corrected = statistics.holm([difference.p for difference in differences])
    judged = [_judged(replace(difference, p_holm=p), arm, base, direction)
              for difference, arm, p in zip(differences, others, corrected, strict=True)]
    return Comparison(tuple(arms), tuple(judged), keys, tuple(_notes(arms)))


def _arms(values: Sequence[tuple[Run, float]], keys: Sequence[str], strata: Sequence[str]) -> list[Arm]:
    groups: dict[str, list[tuple[Run, float]]] = {}
    for run, value in values:
        groups.setdefault(key_of(run, keys), []).append((run, value))
    arms = []
    for place, members in enumerate(groups.values()):
        layers: dict[str, list[float]] = {}
        for run, value in members:
            layers.setdefault(key_of(run, strata), []).append(value)
        first, _ = members[0]
        arms.append(Arm(arm_name(place), {path: first.settings.get(path) for path in keys}, tuple(members),
                        tuple(tuple(layer) for layer in layers.values())))
    return arms


def key_of(run: Run, paths: Sequence[str]) -> str:
    """Equal for runs that are equal in these settings."""
    return canonical([run.settings.get(path) for path in paths])


def arm_name(place: int) -> str:
    """A, B, …, Z, A1, B1, …"""
    turn, letter = divmod(place, len(string.ascii_uppercase))
    return string.ascii_uppercase[letter] + (str(turn) if turn else "")


def _difference(arm: Arm, baseline: Arm, direction: str) -> Difference:
    from expiac.analysis import statistics

    pairs = _pairs(arm, baseline)
    values, others = ([one for one, _ in pairs], [other for _, other in pairs]) if pairs else (arm.values,
                                                                                              baseline.values)
    is_paired = bool(pairs)
    return Difference(
        arm.name, baseline.name, len(pairs), statistics.mean(values) - statistics.mean(others),
        statistics.interval_of_difference(values, others, paired=is_paired), statistics.effect_size(values, others),
        statistics.probability_of_improvement(values, others, direction),
        statistics.p_value(values, others, paired=is_paired), statistics.seeds_needed(values, others, paired=is_paired))


def _pairs(arm: Arm, baseline: Arm) -> list[tuple[float, float]]:
    """The values of the two arms seed by seed; none unless both have the same seeds, each once."""
    one, other = ({canonical(run.seed): value for run, value in side.runs if run.seed is not None}
                  for side in (arm, baseline))
    if len(one) != len(arm.runs) or len(other) != len(baseline.runs) or one.keys() != other.keys():
        return []
    return [(one[seed], other[seed]) for seed in one]


def _judged(difference: Difference, arm: Arm, baseline: Arm, direction: str) -> Difference:
    if min(len(arm.runs), len(baseline.runs)) < 2:
        return replace(difference, verdict="too few seeds")
    if difference.p_holm is None or difference.p_holm >= SIGNIFICANT:
        return difference
    is_higher = difference.mean > 0
    if not direction:
        return replace(difference, verdict="higher" if is_higher else "lower")
    return replace(difference, verdict="better" if is_higher == (direction == "max") else "worse")


def _notes(arms: Sequence[Arm]) -> list[str]:
    few = [arm for arm in arms if len(arm.runs) < FEW]
    if not few:
        return []
    counts = ", ".join(f"{arm.name} has {len(arm.runs)}" for arm in few[:4]) + (", …" if len(few) > 4 else "")
    return [f"fewer than {FEW} seeds ({counts}): an interval of so few says little, or there is none"]
