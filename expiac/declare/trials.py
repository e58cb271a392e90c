"""The trials of a sweep: each a name and the values of its settings. `Grid`, `Zip` and `Random` make them.

The name of a trial depends on its own values alone, so that adding or removing values renames no other trial; that of
a random trial depends on its number, and so do its values.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.declare.distributions import as_distribution
from expiac.util.errors import ExpiacError
from expiac.util.hashing import digest

_LONGEST = 48
_LONGEST_TEXT = 24
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Trial:
    """One point of a sweep."""

    name: str
    values: Mapping[str, Any]
    """The value of each setting, by the key that the sweep names."""


class Grid:
    """Every combination of the values; the values of the last key change first."""

    def __init__(self, values: Mapping[str, Iterable[Any]]) -> None:
        self._values = _lists(values)

    def trials(self) -> tuple[Trial, ...]:
        """The combinations."""
        keys = list(self._values)
        points = itertools.product(*self._values.values())
        return named_trials([dict(zip(keys, point, strict=True)) for point in points])


class Zip:
    """The first values of all keys together, then the second ones, and so on."""

    def __init__(self, values: Mapping[str, Iterable[Any]]) -> None:
        self._values = _lists(values)
        lengths = {key: len(some) for key, some in self._values.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            raise ExpiacError("Invalid sweep", f"values that go together are as many for each key: {said}",
                              "Grid({…}) makes every combination")

    def trials(self) -> tuple[Trial, ...]:
        """One trial for each place in the lists."""
        keys = list(self._values)
        return named_trials([dict(zip(keys, point, strict=True)) for point in zip(*self._values.values(), strict=True)])


class Random:
    """`n` trials whose values are drawn from distributions; the same seed draws the same values.

    A value depends on the seed, the number of its trial and its key: more trials leave the first ones as they are, and
    another key leaves the values of the others.
    """

    def __init__(self, n: int, distributions: Mapping[str, Any], *, seed: int = 0) -> None:
        if n < 1:
            raise ExpiacError("Invalid sweep", f"{n} random trials", "Random(20, {…})")
        self._n, self._seed = n, seed
        self._distributions = distributions_of(distributions)

    def trials(self) -> tuple[Trial, ...]:
        """The trials, called by their numbers."""
        return tuple(Trial(f"random_{number}", {key: one.draw(random.Random(f"{self._seed}/{number}/{key}"))
                                                for key, one in self._distributions.items()})
                     for number in range(self._n))


Trials = Grid | Zip | Random | Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]]
"""What says which trials there are: a mapping is a grid, and a list of mappings has a mapping for each trial."""


def trials_of(over: Trials, seeds: int | None = None) -> tuple[Trial, ...]:
    """The trials of what a sweep goes over; with `seeds`, so many of each, with the seeds from 0 on."""
    if isinstance(over, Grid | Zip | Random):
        trials = over.trials()
    elif isinstance(over, Mapping):
        trials = Grid(over).trials()
    else:
        trials = named_trials(list(over))
    if seeds is None:
        return trials
    if seeds < 1:
        raise ExpiacError("Invalid sweep", f"seeds={seeds}: at least one", "seeds=3")
    return tuple(Trial(f"{trial.name}-seed_{seed}", {**trial.values, "training.seed": seed})
                 for trial in trials for seed in range(seeds))


def distributions_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The distribution of each key. Raises `ExpiacError` for what is none."""
    if not given:
        raise ExpiacError("Invalid sweep", "no setting to draw", '{"training.seed": IntUniform(0, 99)}')
    found = {}
    for key, one in given.items():
        try:
            found[key] = as_distribution(one)
        except TypeError as error:
            raise ExpiacError("Invalid sweep", f"{key}: {error}", "Uniform(1e-4, 1e-2, log=True), IntUniform(1, 8) "
                              "or a list of values") from None
    return found


def named_trials(points: Sequence[Mapping[str, Any]]) -> tuple[Trial, ...]:
    """A trial for each point, named after its values."""
    if not points:
        raise ExpiacError("Invalid sweep", "no values, and so no trial", 'over={"training.seed": range(3)}')
    short = _short_names(dict.fromkeys(key for point in points for key in point))
    trials = [Trial(_name(point, short), dict(point)) for point in points]
    twice = [name for name, count in Counter(trial.name for trial in trials).items() if count > 1]
    if twice:
        raise ExpiacError("Duplicate trial", f"two trials of the sweep have the values of {twice[0]}",
                          "give each value once")
    return tuple(trials)


def _lists(values: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    if not values:
        raise ExpiacError("Invalid sweep", "no setting to vary", 'over={"training.seed": range(3)}')
    for key, some in values.items():
        if isinstance(some, str | bytes | Mapping) or not isinstance(some, Iterable):
            raise ExpiacError("Invalid sweep", f"{key}: {some!r} is no list of values", f"{{{key!r}: [{some!r}]}}")
    return {key: list(some) for key, some in values.items()}


def _short_names(keys: Iterable[str]) -> dict[str, str]:
    """What each key is called in the names of trials: its last name, with the one above it where two share that."""
    last = Counter(key.rpartition(".")[2] for key in keys)
    short = {}
    for key in keys:
        parts = key.lstrip("+").split(".")
        shown = parts[-1:] if last[parts[-1]] == 1 else parts[-2:]
        text = re.sub(r"[^A-Za-z0-9_-]+", "_", "_".join(shown)).strip("_-")
        short[key] = text if text[:1].isalpha() else f"v{text}"
    return short


def _name(point: Mapping[str, Any], short: Mapping[str, str]) -> str:
    if not point:
        return "as_declared"
    name = "-".join(f"{short[key]}_{_text(value)}" for key, value in point.items())
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST - 9].rstrip('_-')}_{digest(name)[:8]}"


def _text(value: Any) -> str:
    """A value as a part of a name: no two values of one setting give the same text."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value).replace("-", "minus_", 1 if value < 0 else 0).replace(".", "_").replace("+", "")
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT and _PLAIN.fullmatch(value):
        return value
    readable = re.sub(r"[^A-Za-z0-9]+", "_", value)[:_LONGEST_TEXT].strip("_") if isinstance(value, str) else ""
    return f"{readable}_{_digest(value)[:6]}".lstrip("_")


def _digest(value: Any) -> str:
    try:
        return digest(value)
    except (TypeError, ValueError):
        return digest(repr(value))
