"""The arms of a comparison, the best first, and which settings made the difference; of each sweep by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expiac.analysis.comparing import MetricComparison, compare_results
from expiac.analysis.comparison import Arm
from expiac.analysis.importance import Importance, importance_of
from expiac.analysis.results import Results
from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    import polars as pl

MOST_ARMS = 12
"""Of more arms, the best ones are shown, and no difference of each."""
BEST = 10
"""As many are shown of a ranking."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The arms of one sweep, or of a stack."""

    sweep: str
    """The address of the sweep; empty where the arms are of none, or of several."""
    compared: MetricComparison
    arms: tuple[Arm, ...]
    """The best first; where no direction is set, the highest."""
    importance: Importance

    def to_polars(self) -> pl.DataFrame:
        """One row for each arm, the best first: its place, the address of its first run, settings and figures."""
        from expiac.analysis import frames

        return frames.ranking_table(self.arms, self.compared.by, [swept_values(arm, self.compared.by)
                                                                   for arm in self.arms])

    @property
    def best(self) -> tuple[Arm, ...]:
        """Those that are shown."""
        return self.arms[:BEST]


def is_ranked(compared: MetricComparison) -> bool:
    """Whether the arms are too many to be compared one by one."""
    return len(compared.arms) > MOST_ARMS


def ranking_of(compared: MetricComparison, sweep: str = "") -> Ranking:
    """The arms of a comparison by their means."""
    arms = best_first(compared)
    trials = [(swept_values(arm, compared.by), arm.mean) for arm in arms]
    return Ranking(sweep, compared, arms, importance_of(trials, compared.by))


def best_first(compared: MetricComparison) -> tuple[Arm, ...]:
    """The arms by their means; where no direction is set, the highest first."""
    is_less_better = compared.metric.direction == "min"
    return tuple(sorted(compared.arms, key=lambda arm: arm.mean if is_less_better else -arm.mean))


def rankings_of(found: Results, compared: MetricComparison, *, metric: str | None = None,
                by: Sequence[str] | None = None) -> tuple[Ranking, ...]:
    """The ranking of each sweep; if there is no sweep, that of all arms if they are many.

    `metric` and `by` are those that the comparison was made by. A sweep with nothing to compare has none.
    """
    if not found.sweeps:
        return (ranking_of(compared),) if is_ranked(compared) else ()
    rankings = []
    for sweep in found.sweeps:
        try:
            rankings.append(ranking_of(compare_results(found, metric=metric, by=by, sweep=sweep), sweep))
        except ExpiacError:
            continue  # its runs have nothing to compare yet, or not this metric
    return tuple(rankings)


def swept_values(arm: Arm, paths: Sequence[str]) -> dict[str, object]:
    """The settings of an arm, as numbers where a sweep gave numbers to what knows only texts."""
    swept = arm.runs[0][0].trial.swept
    return {path: swept.get(path, arm.settings.get(path)) for path in paths}
