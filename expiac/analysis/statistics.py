"""The statistics of a few seeds, by scipy. The one place that imports it.

Interquartile means, stratified bootstrap intervals and the probability of improvement are those of Agarwal et al.
(2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice"; Welch's test and the choice of the
number of seeds by its power are those of Colas et al. (2019), "A Hitchhiker's Guide to Statistical Comparisons of
Reinforcement Learning Algorithms".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95
POWER = 0.8
MOST_SEEDS = 1000
"""More seeds than that are not asked of anybody."""
RESAMPLES = 9999
_LEAST_TRIMMED = 4
"""Of fewer values, none is trimmed: the interquartile mean is the mean."""
_LEAST_FOR_PERCENTILES = 5
"""The range of n values holds the median in 1 - 2^(1-n) of all cases: of four 87.5 %, of five 93.75 %."""
Interval = tuple[float, float]
Strata = Sequence[Sequence[float]]
"""The values of one arm, by stratum, such as the environment: a bootstrap draws from each by itself."""


def mean(values: Sequence[float]) -> float:
    """The mean."""
    return float(np.mean(values))


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half of the values; of fewer than four, of all."""
    return float(stats.trim_mean(values, 0.25))


def interval(strata: Strata) -> Interval | None:
    """95 % of the interquartile mean; None where a stratum has one value.

    A stratified bootstrap, by percentiles. Of ten values, those of 2.5 and 97.5 % hold the truth in 93 % of all cases
    only. So in place of the normal distribution's, they stand for the quantiles of Student's t, with as many degrees of
    freedom as there are values less strata: Hesterberg (2015), "What Teachers Should Know About the Bootstrap", section
    5.3, without his factor for a variance that is too small, since that of this bootstrap is not.

    Percentiles never leave the range of the values, which is too narrow for 95 % of fewer than five. So of four the
    interval is Student's t with the standard error of the bootstrap; of fewer, of which the interquartile mean is the
    mean, with that of the mean.
    """
    count = sum(map(len, strata))
    freedom = count - len(strata)
    if any(len(values) < 2 for values in strata):
        return None
    if len(strata) == 1 and count < _LEAST_TRIMMED:
        ends = stats.ttest_1samp(strata[0], 0).confidence_interval(LEVEL)
        return float(ends.low), float(ends.high)
    level = 1 - 2 * float(stats.norm.cdf(stats.t.ppf((1 - LEVEL) / 2, freedom)))
    found = stats.bootstrap(
        tuple(np.asarray(sample, dtype=float) for sample in strata),
        lambda *parts, axis: stats.trim_mean(np.concatenate(parts, axis=-1), 0.25, axis=-1),
        n_resamples=RESAMPLES, confidence_level=level, method="percentile", vectorized=True, paired=False,
        rng=np.random.default_rng(0))  # of the same values, always the same interval
    if count < _LEAST_FOR_PERCENTILES:
        middle = interquartile_mean([value for values in strata for value in values])
        reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * found.standard_error)
        return middle - reach, middle + reach
    low, high = found.confidence_interval
    return float(low), float(high)


def interval_of_difference(values: Sequence[float], baseline: Sequence[float], *, paired: bool) -> Interval | None:
    """95 % of the difference of the means, by the test that gives `p_value`, so that the two never disagree.

    None where that has no p.
    """
    if p_value(values, baseline, paired=paired) is None:
        return None
    ends = _test(values, baseline, paired=paired).confidence_interval(LEVEL)
    return float(ends.low), float(ends.high)


def effect_size(values: Sequence[float], baseline: Sequence[float]) -> float | None:
    """Hedges' g: the difference of the means by the pooled standard deviation, corrected for few values."""
    spread, freedom = _pooled(values, baseline)
    if not spread:
        return None
    return (mean(values) - mean(baseline)) / spread * (1 - 3 / (4 * freedom - 1))


def probability_of_improvement(values: Sequence[float], baseline: Sequence[float], direction: str) -> float | None:
    """That a run of the arm is better than one of the baseline, ties counting half: Mann and Whitney's U by n·m.

    None where there is one run of an arm, or no direction.
    """
    if not direction or min(len(values), len(baseline)) < 2:
        return None
    share = float(stats.mannwhitneyu(values, baseline).statistic) / (len(values) * len(baseline))
    return share if direction == "max" else 1 - share


def p_value(values: Sequence[float], baseline: Sequence[float], *, paired: bool) -> float | None:
    """Of no difference of the means: a t-test of pairs, or Welch's; None where there is no spread to judge by."""
    if min(len(values), len(baseline)) < 2 or _is_constant(values, baseline, paired=paired):
        return None
    p = float(_test(values, baseline, paired=paired).pvalue)
    return p if math.isfinite(p) else None


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction for several comparisons, which scipy does not have."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[place] = highest
    return corrected


def seeds_needed(values: Sequence[float], baseline: Sequence[float], *, paired: bool) -> int | None:
    """How many seeds an arm would show a difference and a spread as these in 80 % of all cases, at 5 %.

    None where the spread is not known, or where 1000 would not do.
    """
    if min(len(values), len(baseline)) < 2:
        return None
    spread = float(np.std(np.subtract(values, baseline), ddof=1)) if paired else _pooled(values, baseline)[0]
    if not spread:
        return None
    effect = abs(mean(values) - mean(baseline)) / spread
    if power(effect, MOST_SEEDS, paired=paired) < POWER:
        return None
    return next(count for count in range(2, MOST_SEEDS + 1) if power(effect, count, paired=paired) >= POWER)


def power(effect: float, count: int, *, paired: bool) -> float:
    """How often a t-test of this many seeds an arm shows an effect, in standard deviations, at 5 %."""
    freedom = count - 1 if paired else 2 * count - 2
    shift = effect * math.sqrt(count if paired else count / 2)
    threshold = stats.t.ppf((1 + LEVEL) / 2, freedom)
    return float(stats.nct.sf(threshold, freedom, shift) + stats.nct.cdf(-threshold, freedom, shift))


def _test(values: Sequence[float], baseline: Sequence[float], *, paired: bool) -> Any:
    return stats.ttest_rel(values, baseline) if paired else stats.ttest_ind(values, baseline, equal_var=False)


def _pooled(values: Sequence[float], baseline: Sequence[float]) -> tuple[float, int]:
    """The pooled standard deviation, and its degrees of freedom."""
    freedom = len(values) + len(baseline) - 2
    if freedom < 1:
        return 0.0, freedom
    squares = sum(float(np.var(part)) * len(part) for part in (values, baseline))
    return math.sqrt(squares / freedom), freedom


def _is_constant(values: Sequence[float], baseline: Sequence[float], *, paired: bool) -> bool:
    if paired:
        return len({round(float(one), 12) for one in np.subtract(values, baseline)}) == 1
    return len({*values}) == len({*baseline}) == 1
