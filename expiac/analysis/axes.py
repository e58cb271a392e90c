"""Where the trials of a ranking stand on an axis of each setting, and of the metric. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from expiac.analysis.importance import is_number
from expiac.analysis.labels import short_names
from expiac.analysis.ranking import Ranking, swept_values
from expiac.analysis.ranking_words import number_text, settings_text
from expiac.analysis.scales import is_logarithmic, share_of
from expiac.util.hashing import canonical

MOST_AXES = 8
MOST_TRIALS = 300
"""As many are drawn; of more, those that stand at equal distances in the ranking."""
_MOST_TICKS = 12
_FEW = 6
"""As many different numbers have a tick each."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting, or the metric."""

    name: str
    values: tuple[Any, ...]
    """Of each trial: numbers, or texts of a choice."""
    places: tuple[float, ...]
    """Where each trial stands, from 0 to 1."""
    ticks: tuple[tuple[float, str], ...]
    is_number: bool
    is_log: bool = False
    tick_values: tuple[float, ...] = ()
    """Of an axis of numbers."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the charts of a ranking show."""

    metric: str
    is_less_better: bool
    axes: tuple[Axis, ...]
    """The settings that matter most first; then the metric."""
    trials: tuple[str, ...]
    """The address of the first run of each, the best first."""
    values: tuple[float, ...]
    settings: tuple[str, ...]
    """Those of each trial as one text."""
    shares: tuple[tuple[str, float], ...]
    """What each setting explains."""
    left_out: int = 0
    """Trials that are not drawn."""


def drawn(found: Ranking) -> Drawn:
    """What is drawn of a ranking."""
    arms = [found.arms[place] for place in _spread(len(found.arms), MOST_TRIALS)]
    by = found.compared.by
    known = [swept_values(arm, by) for arm in arms]
    names = short_names(by)
    paths = [*dict.fromkeys([*found.importance.shares, *by])][:MOST_AXES]
    means = [arm.mean for arm in arms]
    metric = found.compared.metric
    return Drawn(
        metric.title, metric.direction == "min",
        (*(axis_of(names[path], [values[path] for values in known]) for path in paths), axis_of(metric.title, means)),
        tuple(arm.runs[0][0].job for arm in arms), tuple(means),
        tuple(settings_text(values, by) for values in known),
        tuple((names[path], share) for path, share in found.importance.shares.items()),
        len(found.arms) - len(arms))


def axis_of(name: str, values: Sequence[Any]) -> Axis:
    """An axis of numbers, if all values are, and else of choices at equal distances."""
    if all(is_number(value) for value in values):
        return _numbers(name, [float(value) for value in values])
    texts = [number_text(value) or canonical(value) for value in values]
    choices = sorted({*texts})
    place = {text: index / max(1, len(choices) - 1) if len(choices) > 1 else 0.5 for index, text in enumerate(choices)}
    shown = [choices[index] for index in _spread(len(choices), _MOST_TICKS)]
    return Axis(name, tuple(texts), tuple(place[text] for text in texts), tuple((place[text], text) for text in shown),
                False)


def _numbers(name: str, values: Sequence[float]) -> Axis:
    low, high, is_log = min(values), max(values), is_logarithmic(values)
    ticks = tuple(_ticks(sorted({*values}), is_log=is_log))
    return Axis(name, tuple(values), tuple(share_of(value, low, high, logarithmic=is_log) for value in values),
                tuple((share_of(tick, low, high, logarithmic=is_log), f"{tick:.3g}") for tick in ticks), True, is_log,
                ticks)


def _ticks(known: Sequence[float], *, is_log: bool) -> Sequence[float]:
    low, high = known[0], known[-1]
    if len(known) <= _FEW:
        return known
    if is_log:
        decades = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        found = [10.0**decade for decade in decades]
        return found if len(found) >= 2 else [low, math.sqrt(low * high), high]
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step *= next(factor for factor in (5, 2, 1) if (high - low) / (step * factor) >= 2)
    return [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _spread(count: int, most: int) -> Sequence[int]:
    """As many places of a list, at equal distances, the first and the last among them."""
    if count <= most:
        return range(count)
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
