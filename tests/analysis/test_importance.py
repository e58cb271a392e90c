"""Which settings of a sweep matter: told where the trials tell it, and not from noise or from few trials."""

from __future__ import annotations

import math
import random
import sys

import pytest

from expiac.analysis.importance import FEWEST_TRIALS, Settings, importance_of
from expiac.analysis.scales import is_logarithmic, share_of


def trials(count: int, *, noise: float = 0.1) -> list[tuple[Settings, float]]:
    """The rate matters most, then the kind; the width does not."""
    draw = random.Random(0)
    found = []
    for _ in range(count):
        rate, kind, width = 10 ** draw.uniform(-5, -1), draw.choice(["fast", "wide"]), draw.randint(16, 512)
        value = -(math.log10(rate) + 3) ** 2 + (kind == "wide") + draw.gauss(0, noise)
        found.append(({"rate": rate, "kind": kind, "width": width}, value))
    return found


def test_what_matters_stands_first():
    found = importance_of(trials(60), ["rate", "kind", "width"])
    assert next(iter(found.shares)) == "rate"
    assert found.shares["rate"] > 0.5
    assert found.shares["width"] < 0.1
    assert found.predicted is not None
    assert found.predicted > 0.5
    assert found.why_not == ""


def test_noise_tells_nothing():
    """A forest fits it all the same, and so there would be shares."""
    draw = random.Random(0)
    found = importance_of([({"a": draw.random(), "b": draw.random()}, draw.random()) for _ in range(40)], ["a", "b"])
    assert found.shares == {}
    assert found.why_not.startswith("can't tell which settings matter")


def test_too_few_trials_are_said_to_be():
    found = importance_of(trials(FEWEST_TRIALS - 1), ["rate", "kind", "width"])
    assert found.shares == {}
    assert found.why_not == "too few trials to tell which settings matter: 15, of 16 at least for 3 settings"


def test_values_over_decades_count_by_their_logarithm():
    """Else the one trial that diverged is all that there is."""
    found = importance_of([(settings, 10.0 ** -value) for settings, value in trials(60)], ["rate", "kind", "width"])
    assert found.is_of_logarithm
    assert next(iter(found.shares)) == "rate"


@pytest.mark.parametrize("package", ["optuna", "sklearn"])
def test_a_missing_package_is_named(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    found = importance_of(trials(20), ["rate"])
    assert package in found.why_not
    assert "expiac[search]" in found.why_not


@pytest.mark.parametrize(("values", "is_log"), [
    ([1e-4, 3e-4, 1e-3], True), ([16, 32, 64, 128, 256], True), ([1e-4, 1e-2], True), ([1, 2, 3], False),
    ([0, 10, 1000], False), ([-1, 1, 100], False), ([0.01, 0.3, 0.5, 0.7, 0.99], False), ([5], False), ([], False)])
def test_which_values_are_seen_on_a_logarithmic_scale(values, is_log):
    """Those that span a decade and lie more evenly there."""
    assert is_logarithmic(values) == is_log


def test_places_on_a_scale():
    assert share_of(1e-3, 1e-4, 1e-2, logarithmic=True) == pytest.approx(0.5)
    assert share_of(3, 2, 4, logarithmic=False) == 0.5
    assert share_of(2, 2, 2, logarithmic=False) == 0.5
