"""How much of the differences between trials each setting explains, by optuna's fANOVA. The one place of scikit-learn.

fANOVA (Hutter et al. 2014, "An Efficient Approach for Assessing Hyperparameter Importance") fits a random forest to the
trials and gives the share of its variance that each setting explains by itself, the others being averaged over. A
forest explains noise too. So the shares count only where the forest predicts trials that its trees have not seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expiac.analysis.scales import is_logarithmic
from expiac.util.hashing import canonical

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST_TRIALS = 16
FEWEST_OF_A_SETTING = 4
"""As many trials there are to be for each setting."""
LEAST_PREDICTED = 0.15
"""Of the variance of trials that a forest has not seen; of 16 trials of noise, it predicts as much of some 5 %."""
MOST_TREES, FEWEST_TREES = 64, 16
_TREES_BY_TRIALS = 6400
"""fANOVA takes longer with the trees, and with the square of the trials."""
_SEED = 0
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Importance:
    """What each setting explains."""

    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the variance, by key path, the greatest first; nothing where that can't be told."""
    predicted: float | None = None
    """Of the variance of trials that were left out, what the settings predict; None where it was not tried."""
    is_of_logarithm: bool = False
    """The values span decades: the shares are of the variance of their logarithm."""
    why_not: str = ""
    """Why there are no shares."""


def importance_of(trials: Sequence[tuple[Settings, float]], paths: Sequence[str]) -> Importance:
    """The importance of these settings for the values of trials."""
    varied = [path for path in paths if len({canonical(settings.get(path)) for settings, _ in trials}) > 1]
    values = [value for _, value in trials]
    needed = max(FEWEST_TRIALS, FEWEST_OF_A_SETTING * len(varied))
    if not varied or len({*values}) == 1:
        return Importance(why_not="the trials do not differ")
    if len(trials) < needed:
        return Importance(why_not=f"too few trials to tell which settings matter: {len(trials)}, of {needed} at least "
                                  f"for {len(varied)} setting{'s' if len(varied) > 1 else ''}")
    try:
        import optuna  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        return Importance(why_not=f"to tell which settings matter, {error.name} is needed: "
                                  "pip install 'expiac[search]'")
    is_log = is_logarithmic(values)
    told = [math.log(value) for value in values] if is_log else values
    columns = {path: _column([settings.get(path) for settings, _ in trials]) for path in varied}
    predicted = _predicted(columns, told)
    if predicted < LEAST_PREDICTED:
        return Importance({}, predicted, is_log, "can't tell which settings matter: they predict next to nothing of "
                          "trials that were left out. Seeds decide, or what is not swept; or there are too few trials")
    return Importance(_shares(columns, told), predicted, is_log)


@dataclass(frozen=True, slots=True)
class _Column:
    """The values of one setting: numbers, or texts of a choice."""

    values: Sequence[float] | Sequence[str]
    is_number: bool

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        if not self.is_number:
            return CategoricalDistribution([*dict.fromkeys(map(str, self.values))])
        numbers = [float(value) for value in self.values]
        return FloatDistribution(min(numbers), max(numbers), log=is_logarithmic(numbers))

    def features(self) -> list[list[float]]:
        """As a forest sees it; each choice is a feature of its own, and trees ask nothing of a scale."""
        if self.is_number:
            return [[float(value) for value in self.values]]
        return [[float(value == choice) for value in self.values] for choice in dict.fromkeys(self.values)]


def is_number(value: Any) -> bool:
    """Whether a setting stands on a scale."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _column(values: Sequence[Any]) -> _Column:
    if all(is_number(value) for value in values):
        return _Column([float(value) for value in values], True)
    return _Column([canonical(value) for value in values], False)


def _predicted(columns: Mapping[str, _Column], values: Sequence[float]) -> float:
    """R² of a forest, each trial by the trees that have not seen it."""
    from sklearn.ensemble import RandomForestRegressor

    features = [feature for column in columns.values() for feature in column.features()]
    forest = RandomForestRegressor(n_estimators=2 * MOST_TREES, oob_score=True, random_state=_SEED)
    forest.fit([*zip(*features, strict=True)], values)
    return float(forest.oob_score_)


def _shares(columns: Mapping[str, _Column], values: Sequence[float]) -> Mapping[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator

    distributions = {path: column.distribution() for path, column in columns.items()}
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        study.add_trials([
            optuna.trial.create_trial(value=value, distributions=distributions,
                                      params={path: column.values[place] for path, column in columns.items()})
            for place, value in enumerate(values)])
    finally:
        optuna.logging.set_verbosity(before)
    trees = min(MOST_TREES, max(FEWEST_TREES, _TREES_BY_TRIALS // len(values)))
    found = FanovaImportanceEvaluator(n_trees=trees, seed=_SEED).evaluate(study)
    return {path: float(found[path]) for path in sorted(found, key=lambda path: -found[path])}
