"""Tables of runs, histories and arms, by polars. Knows nothing of where histories come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from expiac.analysis import history_frames
from expiac.analysis.at import At
from expiac.analysis.comparison import Arm, Comparison
from expiac.analysis.runs import Run
from expiac.analysis.summaries import Summary

_OWN = ("job", "instance", "launch", "status", "archived", "seed", "launched", "seconds", "cost", "step")
_FORMULA = r"^[=+\-@\t\r]"
_OF_DIFFERENCE = ("difference", "difference_low", "difference_high", "pairs", "effect_size",
                  "probability_of_improvement", "p", "p_holm", "verdict", "seeds_needed")


def histories(runs: Sequence[Run], parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The histories of runs below each other, in their order: job, instance, metric, step, elapsed, value."""
    logged = history_frames.joined(parts)
    order = pl.DataFrame({"instance": [run.instance for run in runs], "job": [run.job for run in runs]},
                         schema={"instance": pl.String, "job": pl.String}).with_row_index("place")
    named = logged.join(order, on="instance", how="inner", maintain_order="left")
    if not named["place"].is_sorted():
        named = named.sort("place", maintain_order=True)
    return named.select("job", *history_frames.SCHEMA)


def figures(logged: pl.DataFrame, at: At, directions: Mapping[str, str], *, until: float | None = None
            ) -> dict[str, dict[str, float]]:
    """One figure for each run and metric: by instance, and then by metric.

    `until` leaves out what was logged after a step. Of a step, only runs that have come so far have a figure; of the
    best, only metrics whose direction is known.
    """
    keys = ["instance", "metric"]
    logged = logged.sort("step", maintain_order=True)
    if until is not None:
        logged = logged.filter(pl.col("step") <= until)
    if isinstance(at, float):
        logged = logged.filter(pl.col("step").max().over(keys) >= at).filter(pl.col("step") <= at)
    if at == "best":
        logged = logged.filter(pl.col("metric").is_in([name for name, way in directions.items() if way]))
    found: dict[str, dict[str, float]] = {}
    for instance, metric, value in logged.group_by(keys, maintain_order=True).agg(_figure(at, directions)).iter_rows():
        if value is not None:
            found.setdefault(instance, {})[metric] = value
    return found


def summaries(logged: pl.DataFrame, at: At, directions: Mapping[str, str]) -> dict[str, Summary]:
    """What tables show of each run that logged anything, by instance."""
    found, steps = figures(logged, at, directions), last_steps(logged)
    return {instance: Summary(found.get(instance, {}), steps[instance], names)
            for instance, names in metric_names(logged).items()}


def _figure(at: At, directions: Mapping[str, str]) -> pl.Expr:
    value, step = pl.col("value"), pl.col("step")
    match at:
        case "best":
            is_min = pl.col("metric").first().is_in([name for name, way in directions.items() if way == "min"])
            numbers = value.fill_nan(None)
            return pl.when(is_min).then(numbers.min()).otherwise(numbers.max())
        case "auc":
            area = ((value + value.shift(1)) / 2 * step.diff()).sum()
            span = step.last() - step.first()
            return pl.when(span > 0).then(area / span).otherwise(value.last())
        case _:
            return value.last()


def last_steps(logged: pl.DataFrame, metric: str = "") -> dict[str, float]:
    """The last step at which each run logged a metric, or anything, by instance."""
    known = logged.filter(pl.col("metric") == metric) if metric else logged
    return dict(known.group_by("instance").agg(pl.col("step").max()).iter_rows())


def metric_names(logged: pl.DataFrame) -> dict[str, list[str]]:
    """The metrics that each run logged, by instance, in the order of the file."""
    names = logged.group_by("instance").agg(pl.col("metric").unique(maintain_order=True))
    return dict(names.iter_rows())


def runs_table(runs: Sequence[Run], settings: Sequence[str], found: Mapping[str, Summary]) -> pl.DataFrame:
    """One row for each run: what it is, the settings that differ, its last step, and a column for each metric."""
    has_sweeps = any(run.trial.sweep for run in runs)
    own = (*_OWN, "sweep") if has_sweeps else _OWN
    sweeps = {"sweep": pl.Series([run.trial.sweep or None for run in runs], dtype=pl.String)} if has_sweeps else {}
    columns: dict[str, pl.Series] = {
        "job": pl.Series([run.job for run in runs], dtype=pl.String),
        "instance": pl.Series([run.instance for run in runs], dtype=pl.String),
        "launch": pl.Series([run.launch for run in runs], dtype=pl.Int64),
        "status": pl.Series([run.status.value for run in runs], dtype=pl.String),
        "archived": pl.Series([run.is_archived for run in runs], dtype=pl.Boolean),
        **sweeps,
        "seed": _series([run.seed for run in runs]),
        **{_unique(path, own, "settings"): _series([run.settings.get(path) for run in runs]) for path in settings},
        "launched": pl.Series([_time(run.launched_at) for run in runs], dtype=pl.Datetime("us", "UTC")),
        "seconds": pl.Series([run.seconds for run in runs], dtype=pl.Float64),
        "cost": pl.Series([run.cost for run in runs], dtype=pl.Float64),
        "step": pl.Series([found[run.instance].step for run in runs], dtype=pl.Float64),
    }
    taken = tuple(columns)
    for metric in dict.fromkeys(name for run in runs for name in found[run.instance].figures):
        known = [found[run.instance].figures.get(metric) for run in runs]
        columns[_unique(metric, taken, "metrics")] = pl.Series(known, dtype=pl.Float64)
    return pl.DataFrame(columns)


def arms_table(found: Comparison) -> pl.DataFrame:
    """One row for each arm: its settings, its figures, and those of its difference from the baseline."""
    arms = found.arms
    by_arm = {one.arm: one for one in found.differences}
    differences = [by_arm.get(arm.name) for arm in arms]
    own = ("arm", "n", "mean", "interquartile_mean", "low", "high", *_OF_DIFFERENCE)
    return pl.DataFrame({
        "arm": pl.Series([arm.name for arm in arms], dtype=pl.String),
        **{_unique(path, own, "settings"): _series([arm.settings.get(path) for arm in arms]) for path in found.by},
        "n": pl.Series([len(arm.runs) for arm in arms], dtype=pl.Int64),
        "mean": pl.Series([arm.mean for arm in arms], dtype=pl.Float64),
        "interquartile_mean": pl.Series([arm.interquartile_mean for arm in arms], dtype=pl.Float64),
        **_ends("", [arm.interval for arm in arms]),
        "difference": pl.Series([one and one.mean for one in differences], dtype=pl.Float64),
        **_ends("difference_", [one.interval if one else None for one in differences]),
        "pairs": pl.Series([one and one.pairs for one in differences], dtype=pl.Int64),
        **{name: pl.Series([one and getattr(one, name) for one in differences], dtype=pl.Float64)
           for name in ("effect_size", "probability_of_improvement", "p", "p_holm")},
        "verdict": pl.Series([one and one.verdict for one in differences], dtype=pl.String),
        "seeds_needed": pl.Series([one and one.seeds_needed for one in differences], dtype=pl.Int64),
    })


def ranking_table(arms: Sequence[Arm], by: Sequence[str], settings: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """One row for each arm in its place: its settings and its figures."""
    own = ("rank", "trial", "n", "mean", "low", "high")
    return pl.DataFrame({
        "rank": pl.Series(range(1, len(arms) + 1), dtype=pl.Int64),
        "trial": pl.Series([arm.runs[0][0].job for arm in arms], dtype=pl.String),
        **{_unique(path, own, "settings"): _series([known[path] for known in settings]) for path in by},
        "n": pl.Series([len(arm.runs) for arm in arms], dtype=pl.Int64),
        "mean": pl.Series([arm.mean for arm in arms], dtype=pl.Float64),
        **_ends("", [arm.interval for arm in arms]),
    })


def _ends(prefix: str, intervals: Sequence[tuple[float, float] | None]) -> dict[str, pl.Series]:
    low, high = ([None if ends is None else ends[place] for ends in intervals] for place in (0, 1))
    return {f"{prefix}low": pl.Series(low, dtype=pl.Float64), f"{prefix}high": pl.Series(high, dtype=pl.Float64)}


def safe_for_spreadsheets(table: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before each text, and each name, that a spreadsheet would take for a formula."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    is_formula = pl.col(texts).str.contains(_FORMULA) & pl.col(texts).cast(pl.Float64, strict=False).is_null()
    safe = table.with_columns(pl.when(is_formula).then("'" + pl.col(texts)).otherwise(pl.col(texts)).name.keep())
    return safe.rename({name: f"'{name}" for name in table.columns if re.match(_FORMULA, name)})


def _unique(name: str, taken: Sequence[str], group: str) -> str:
    return f"{group}.{name}" if name in taken else name


def _series(given: Sequence[Any]) -> pl.Series:
    """A column of numbers, of truth values or of texts; of anything else, or of several kinds, the values as JSON."""
    kinds = {type(value) for value in given if value is not None}
    if kinds <= {int}:
        return pl.Series(given, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(given, dtype=pl.Float64, strict=False)
    if kinds in ({bool}, {str}):
        return pl.Series(given)
    return pl.Series([value if isinstance(value, str) or value is None else json.dumps(value) for value in given],
                     dtype=pl.String)


def _time(at: str) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
