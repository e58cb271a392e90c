"""Curves at few steps, without averages; bands where all runs of an arm have a value."""

from __future__ import annotations

import math

import polars as pl

from expiac.analysis.arms import arms_of
from expiac.analysis.curves import BandPoint, bands, curves_of
from expiac.analysis.runs import Run
from expiac.analysis.wording import short_text
from expiac.state.status import Status

SCHEMA = {"instance": pl.String, "metric": pl.String, "step": pl.Float64, "value": pl.Float64}


def logged(**runs: list[tuple[float, float]]) -> pl.DataFrame:
    rows = [(run, "loss", step, value) for run, points in runs.items() for step, value in points]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def run(job: str, status: Status = Status.SUCCEEDED, **settings: object) -> Run:
    return Run(job, f"lab.{job}", 1, status, settings=settings)


def test_a_short_history_is_whole():
    """Every step of any run is one; at each stands the last value up to it, from a run's first step to its last."""
    curves = curves_of(logged(a=[(0, 1.0), (10, 2.0)], b=[(5, 7.0), (20, math.nan)]), "loss", 10)
    assert curves.steps == (0, 5, 10, 20)
    assert curves.values == {"a": (1.0, 1.0, 2.0, None), "b": (None, 7.0, 7.0, None)}
    assert (curves.is_thinned, curves.rows) == (False, 2)


def test_a_long_history_is_thinned_and_not_averaged():
    """Equally spaced steps, the first and the last one among them; each value is one that was logged."""
    curves = curves_of(logged(a=[(float(step), float(step % 2)) for step in range(1001)]), "loss", 11)
    assert curves.steps == tuple(float(step) for step in range(0, 1001, 100))
    assert {*curves.values["a"]} == {0.0}
    assert (curves.is_thinned, curves.rows) == (True, 1001)


def test_a_metric_that_nobody_logged():
    """Has no steps."""
    curves = curves_of(logged(a=[(0, 1.0)]), "reward", 10)
    assert (curves.steps, curves.values, curves.rows) == ((), {}, 0)


def test_a_band_ends_where_the_first_of_its_runs_ends():
    """Else its mean would jump there."""
    curves = curves_of(logged(a=[(0, 1.0), (1, 3.0), (2, 5.0)], b=[(0, 3.0), (1, 5.0)]), "loss", 10)
    assert bands(curves, {"A": ["a", "b"], "B": []}) == [BandPoint("A", 0, 2, 1, 3, 2), BandPoint("A", 1, 4, 3, 5, 2)]


def test_arms_are_of_all_runs():
    """Also of those that no comparison has; `by` groups them otherwise."""
    runs = [run("a", lr=1, size=1, seed=0), run("b", lr=1, size=2, seed=0), run("c", Status.FAILED, lr=2, size=2)]
    assert [arm.label for arm in arms_of(runs, None, by=None)] == ["A: lr 1, size 1", "B: lr 1, size 2",
                                                                  "C: lr 2, size 2"]
    assert [[one.job for one in arm.runs] for arm in arms_of(runs, None, by=["lr"])] == [["a", "b"], ["c"]]
    assert [arm.label for arm in arms_of(runs[:1], None, by=None)] == ["A"]


def test_a_label_is_short():
    """However long a setting is, and however many differ."""
    runs = [run("a", run="x\ny", **{f"k{place}": "v" * 100 for place in range(9)}), run("b")]
    assert len(arms_of(runs, None, by=None)[0].label) < 160
    assert short_text("one\ntwo", 10) == "one…"
    assert short_text("a" * 20, 10) == "a" * 9 + "…"
