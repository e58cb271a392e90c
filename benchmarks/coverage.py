"""`python -m benchmarks.coverage`: how often the intervals of `compare` hold the truth, over simulated arms, and how
often it calls a difference real where there is none. Prints the table that `docs/results.md` has.

`expiac.analysis.statistics` has these intervals for one arm; here they are computed for thousands at a time, and
`tests/analysis/test_coverage.py` says that they are the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from expiac.analysis import statistics
from expiac.analysis.comparison import SIGNIFICANT

Draw = Callable[[np.random.Generator, Any], Any]
RESULTS: Mapping[str, Draw] = {
    "normal": lambda random, size: random.normal(0, 1, size),
    "skewed (exponential)": lambda random, size: random.exponential(1, size),
    "heavy tails (t, 3 degrees)": lambda random, size: random.standard_t(3, size),
    "one in five collapses": lambda random, size: np.where(
        random.random(size) < 0.2, random.normal(-5, 1, size), random.normal(0, 1, size)),
    "two kinds of runs": lambda random, size: np.where(
        random.random(size) < 0.5, random.normal(-2, 1, size), random.normal(2, 1, size)),
    "within bounds (uniform)": lambda random, size: random.random(size),
}
"""How the results of the seeds of an arm are distributed."""
SEEDS = (3, 4, 5, 7, 10, 20)
SIMULATIONS = 20_000
"""Of each case: the standard error of a share of 95 % is then 0.15 %."""
SHIFT = 1.0
"""The true difference of two arms."""
_BATCH = 500


def arm(results: str, seeds: int, simulations: int) -> float:
    """How often the interval of an arm holds the interquartile mean of all results there could be."""
    truth = interquartile_mean(results)
    low, high = intervals(draws(results, seeds, simulations))
    return float(np.mean((low <= truth) & (truth <= high)))


def difference(results: str, seeds: int, simulations: int, *, paired: bool) -> float:
    """How often the interval of the difference of two arms holds the true one."""
    one, other = arms(results, seeds, simulations, 2, paired=paired)
    found = compared(one + SHIFT, other, paired=paired).confidence_interval(statistics.LEVEL)
    return float(np.mean((found.low <= SHIFT) & (found.high >= SHIFT)))


def false_alarms(results: str, seeds: int, simulations: int, *, count: int, paired: bool) -> float:
    """How often any of several arms that are equal is called different from the first, after Holm's correction."""
    first, *others = arms(results, seeds, simulations, count, paired=paired)
    least = np.min([compared(other, first, paired=paired).pvalue for other in others], axis=0)
    return float(np.mean(least * len(others) < SIGNIFICANT))  # Holm's first step: if the least p is none, none is


def intervals(values: Any) -> tuple[Any, Any]:
    """The ends of the interval of each arm: `statistics.interval` of each row of `values`, (arms, seeds)."""
    count = values.shape[1]
    if count < 4:
        ends = stats.ttest_1samp(values, 0, axis=1).confidence_interval(statistics.LEVEL)
        return ends.low, ends.high
    weights = resampled(count)
    batches = np.array_split(np.sort(values, axis=1), max(1, len(values) // _BATCH))
    parts = [_ends(rows, rows @ weights.T) for rows in batches]
    return np.concatenate([low for low, _ in parts]), np.concatenate([high for _, high in parts])


def compared(values: Any, baseline: Any, *, paired: bool) -> Any:
    """The test of each row against that of the baseline, by which `statistics` gives p and an interval."""
    if paired:
        return stats.ttest_rel(values, baseline, axis=1)
    return stats.ttest_ind(values, baseline, axis=1, equal_var=False)


@cache
def interquartile_mean(results: str) -> float:
    """That of two million results: the truth."""
    return statistics.interquartile_mean(RESULTS[results](np.random.default_rng(1), 2_000_000))


def arms(results: str, seeds: int, simulations: int, count: int, *, paired: bool) -> Any:
    """By arm, simulation and seed; in pairs, a seed does the same to each arm besides."""
    drawn = draws(results, seeds, simulations * count).reshape(count, simulations, seeds)
    common = np.random.default_rng(3).normal(0, 2, (1, simulations, seeds))
    return drawn + common if paired else drawn


def draws(results: str, seeds: int, count: int) -> Any:
    """The results of so many arms, (count, seeds)."""
    return RESULTS[results](np.random.default_rng(2), (count, seeds))


@cache
def resampled(count: int) -> Any:
    """How much each value, in order of size, counts in the trimmed mean of each resample: (resamples, count)."""
    drawn = np.sort(np.random.default_rng(0).integers(0, count, (statistics.RESAMPLES, count)), axis=1)
    cut = int(0.25 * count)
    weights = np.zeros((statistics.RESAMPLES, count))
    for column in drawn[:, cut:count - cut].T:
        weights[np.arange(len(weights)), column] += 1 / (count - 2 * cut)
    return weights


def _ends(rows: Any, means: Any) -> tuple[Any, Any]:
    """Of the intervals of arms whose resamples have these trimmed means."""
    count = rows.shape[1]
    quantile = stats.t.ppf((1 + statistics.LEVEL) / 2, count - 1)
    if count == 4:
        middle, reach = rows[:, 1:3].mean(axis=1), quantile * means.std(axis=1, ddof=1)
        return middle - reach, middle + reach
    low, high = np.quantile(means, [stats.norm.cdf(-quantile), stats.norm.cdf(quantile)], axis=1)
    return low, high


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description="How often intervals hold.")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS, help="of each case")
    simulations = parser.parse_args(arguments).simulations
    print(f"| results of the seeds | {' | '.join(f'{seeds} seeds' for seeds in SEEDS)} |")
    print(f"| --- |{' ---: |' * len(SEEDS)}")
    for results in RESULTS:
        _print_row(f"arm, {results}", lambda seeds, results=results: arm(results, seeds, simulations))
    for results in RESULTS:
        _print_row(f"difference, {results}",
                   lambda seeds, results=results: difference(results, seeds, simulations, paired=False))
    _print_row("difference of pairs, normal", lambda seeds: difference("normal", seeds, simulations, paired=True))
    for count, paired in ((2, False), (2, True), (3, False), (3, True)):
        _print_row(f"false alarms, {count} arms{', pairs' if paired else ''}",
                   lambda seeds, count=count, paired=paired: false_alarms("normal", seeds, simulations, count=count,
                                                                          paired=paired))


def _print_row(what: str, share: Callable[[int], float]) -> None:
    print(f"| {what} | {' | '.join(f'{share(seeds):.1%}' for seeds in SEEDS)} |", flush=True)


if __name__ == "__main__":
    main()
