"""`python -m benchmarks.coverage`: how often the intervals of `compare` hold the truth, over simulated arms, and how
often it calls a difference real where there is none. Prints the table that `docs/results.md` has.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from expiac.analysis import statistics
from expiac.analysis.comparison import SIGNIFICANT

Draw = Callable[[np.random.Generator, Any], Any]
RESULTS: Mapping[str, Draw] = {
    "normal": lambda random, size: random.normal(0, 1, size),
    "skewed (exponential)": lambda random, size: random.exponential(1, size),
    "heavy tails (t, 3 degrees)": lambda random, size: random.standard_t(3, size),
    "one in five collapses": lambda random, size: np.where(
        random.random(size) < 0.2, random.normal(-5, 1, size), random.normal(0, 1, size)),
}
"""How the results of the seeds of an arm are distributed."""
SEEDS = (3, 4, 5, 7, 10, 20)
SHIFT = 1.0
"""The true difference of two arms."""


def arm(results: str, seeds: int, simulations: int) -> float:
    """How often the interval of an arm holds the interquartile mean of all results there could be."""
    truth = interquartile_mean(results)
    found = [statistics.interval([values]) for values in _draws(results, seeds, simulations)]
    return _share(ends is not None and ends[0] <= truth <= ends[1] for ends in found)


def difference(results: str, seeds: int, simulations: int, *, paired: bool) -> float:
    """How often the interval of the difference of two arms holds the true one."""
    found = [statistics.interval_of_difference(one + SHIFT, other, paired=paired)
             for one, other in _arms(results, seeds, simulations, 2, paired=paired)]
    return _share(ends is not None and ends[0] <= SHIFT <= ends[1] for ends in found)


def false_alarms(results: str, seeds: int, simulations: int, *, arms: int, paired: bool) -> float:
    """How often any of several arms that are equal is called different from the first, after Holm's correction."""
    found = [statistics.holm([statistics.p_value(other, first, paired=paired) for other in others])
             for first, *others in _arms(results, seeds, simulations, arms, paired=paired)]
    return _share(any(p is not None and p < SIGNIFICANT for p in corrected) for corrected in found)


@cache
def interquartile_mean(results: str) -> float:
    """That of two million results: the truth."""
    return statistics.interquartile_mean(RESULTS[results](np.random.default_rng(1), 2_000_000))


def _arms(results: str, seeds: int, simulations: int, arms: int, *, paired: bool) -> Any:
    """By simulation, arm and seed; in pairs, a seed does the same to each arm besides."""
    drawn = _draws(results, seeds, simulations * arms).reshape(simulations, arms, seeds)
    common = np.random.default_rng(3).normal(0, 2, (simulations, 1, seeds))
    return drawn + common if paired else drawn


def _draws(results: str, seeds: int, count: int) -> Any:
    return RESULTS[results](np.random.default_rng(2), (count, seeds))


def _share(held: Any) -> float:
    return float(np.mean(list(held)))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description="How often intervals hold.")
    parser.add_argument("--simulations", type=int, default=2000, help="of each case")
    count = parser.parse_args(arguments).simulations
    print(f"| results of the seeds | {' | '.join(f'{seeds} seeds' for seeds in SEEDS)} |")
    print(f"| --- |{' ---: |' * len(SEEDS)}")
    for results in RESULTS:
        _print_row(f"arm, {results}", lambda seeds, results=results: arm(results, seeds, count))
    for results in RESULTS:
        _print_row(f"difference, {results}",
                   lambda seeds, results=results: difference(results, seeds, count, paired=False))
    _print_row("difference of pairs, normal", lambda seeds: difference("normal", seeds, count, paired=True))
    for arms, paired in ((2, False), (2, True), (3, False), (3, True)):
        _print_row(f"false alarms, {arms} arms{', pairs' if paired else ''}",
                   lambda seeds, arms=arms, paired=paired: false_alarms("normal", seeds, count, arms=arms,
                                                                        paired=paired))


def _print_row(what: str, share: Callable[[int], float]) -> None:
    print(f"| {what} | {' | '.join(f'{share(seeds):.1%}' for seeds in SEEDS)} |", flush=True)


if __name__ == "__main__":
    main()
