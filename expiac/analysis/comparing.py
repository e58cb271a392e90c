"""Which runs and values of a stack's results are compared: one metric, at equal steps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from expiac.analysis.at import At
from expiac.analysis.comparison import Arm, Comparison, Difference, compare
from expiac.analysis.results import Results
from expiac.analysis.runs import Run
from expiac.apply.events import Progress
from expiac.declare.metrics import Metric
from expiac.util.errors import ExpiacError, UsageError, did_you_mean
from expiac.view import metrics

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """A comparison, and of what."""

    metric: Metric
    at: At
    step: float
    """The values are of what was logged up to this step: the last one that all runs have reached."""
    comparison: Comparison

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms."""
        return self.comparison.arms

    @property
    def differences(self) -> tuple[Difference, ...]:
        """How each other arm differs from the baseline: the first one unless another was named."""
        return self.comparison.differences

    @property
    def by(self) -> tuple[str, ...]:
        """The key paths by which the arms differ."""
        return self.comparison.by

    @property
    def notes(self) -> tuple[str, ...]:
        """What to mind, such as runs that are left out."""
        return self.comparison.notes

    def to_polars(self) -> pl.DataFrame:
        """One row for each arm: its settings, its figures, and those of its difference from the baseline."""
        from expiac.analysis import frames

        return frames.arms_table(self.comparison)


def compare_results(found: Results, *, metric: str | None = None, by: Sequence[str] | None = None,
                    baseline: str | None = None, sweep: str | None = None) -> MetricComparison:
    """Compares the arms of a stack, or of one sweep of it, by one metric; by default that of the sweep, if all runs are
    of one, or else the first that tables show.

    Each arm is compared with the one that `baseline` names, `B` or `KEY=VALUE`; by default with the first.

    Runs that failed, that have no finite value, or that have not come to the step asked for, are left out, and named.
    """
    from expiac.analysis import frames

    known = runs_of_sweep(found, sweep)
    shown = chosen_metric(found, metric, known)
    if found.at == "best" and not shown.direction:
        raise UsageError("Direction not known", f"whether more or less of {shown.name} is better",
                         f'[tool.expiac.metrics] show = [{{ name = "{shown.name}", direction = "max" }}]')
    ends = frames.last_steps(found.histories, shown.name)
    runs, notes = _runs(found, known, ends, shown.name)
    step = found.at if isinstance(found.at, float) else min(ends[run.instance] for run in runs)
    figures = frames.figures(found.histories, found.at, {shown.name: shown.direction}, until=step)
    values = [(run, figures.get(run.instance, {}).get(shown.name)) for run in runs]
    finite = [(run, value) for run, value in values if value is not None and math.isfinite(value)]
    left_out = [f"{run.job} is left out: its {shown.name} is no finite number" if value is not None else
                f"{run.job} is left out: it has no {shown.name} up to step {step:g}"
                for run, value in values if value is None or not math.isfinite(value)]
    notes += left_out
    if not finite:
        raise ExpiacError("Nothing to compare", "\n".join([f"no run has a finite {shown.name}", *left_out]))
    compared = compare(finite, by=chosen_keys(by, [run for run, _ in finite]), direction=shown.direction,
                       baseline=baseline)
    return MetricComparison(shown, found.at, step, replace(compared, notes=(*found.notes, *notes, *compared.notes)))


def runs_of_sweep(found: Results, sweep: str | None) -> tuple[Run, ...]:
    """The runs of the sweep at this address, or all of them; raises `UsageError` where there is no such sweep."""
    if sweep is None:
        return found.known
    if sweep not in found.sweeps:
        raise UsageError("No such sweep", f"{found.stack} has no sweep {sweep!r}", did_you_mean(sweep, found.sweeps))
    return tuple(run for run in found.known if run.trial.sweep == sweep)


def chosen_metric(found: Results, name: str | None, runs: Sequence[Run] | None = None) -> Metric:
    """The metric of that name; or that of the sweep of all these runs, the first that tables show, or that of a sweep.

    Raises where there is none.
    """
    runs = found.known if runs is None else runs
    known = dict.fromkeys(name for run in runs for name in found.logged(run))
    of_sweeps = _metrics_of_sweeps(found, runs, known)
    if name is not None:
        if name not in known:
            raise UsageError("No such metric", f"no run of {found.stack} has logged {name!r}",
                             did_you_mean(name, known))
        configured = {metric.name: metric for metric in found.metrics.show}
        return next((metric for metric in of_sweeps if metric.name == name), configured.get(name, Metric(name)))
    if of_sweeps and len({run.trial.sweep for run in runs}) == 1:
        return of_sweeps[0]
    shown = metrics.columns(found.metrics, [Progress(metrics=dict.fromkeys(found.logged(run), 0.0)) for run in runs])
    if not shown and not of_sweeps:
        raise _no_metric(found, tuple(known))
    return (*shown, *of_sweeps)[0]


def _metrics_of_sweeps(found: Results, runs: Sequence[Run], known: Collection[str]) -> list[Metric]:
    """The metrics that the sweeps of these runs name, each with the direction of its goal."""
    configured = {metric.name: metric for metric in found.metrics.show}
    sweeps = [found.sweeps[sweep] for sweep in dict.fromkeys(run.trial.sweep for run in runs) if sweep in found.sweeps]
    return [replace(configured.get(facts.metric, Metric(facts.metric)),
                    direction="min" if facts.goal == "minimize" else "max")
            for facts in sweeps if facts.metric in known]


def _no_metric(found: Results, logged: Sequence[str]) -> ExpiacError:
    summary, runs = "Nothing to compare", f"runs of {found.stack}"
    if not logged:
        return ExpiacError(summary, f"the {runs} have logged no metric", "docs/metrics.md")
    hint = f"--metric NAME; {did_you_mean('', logged)}"
    if found.metrics.show:
        return ExpiacError(summary, f"the {runs} have logged no metric that [tool.expiac.metrics] shows", hint)
    return ExpiacError(summary, f"the {runs} have no metric in common", hint)


def _runs(found: Results, known: Sequence[Run], ends: Mapping[str, float], metric: str) -> tuple[list[Run], list[str]]:
    """The runs that are compared, and why others are not."""
    runs, notes = [], []
    for run in known:
        if run.instance not in ends:
            continue
        if run.status.is_failure:
            notes.append(f"{run.job} is left out: it is {run.status.value}")
        elif run.trial.is_pruned:
            notes.append(f"{run.job} is left out: its search ended it at step {ends[run.instance]:g}")
        elif isinstance(found.at, float) and ends[run.instance] < found.at:
            notes.append(f"{run.job} is left out: it has come to step {ends[run.instance]:g}")
        else:
            runs.append(run)
            if run.status.is_live:
                notes.append(f"{run.job} is {run.status.value}: its last step so far is {ends[run.instance]:g}")
    if not runs:
        raise ExpiacError("Nothing to compare", "\n".join([f"no run of {found.stack} has a {metric} to compare",
                                                           *notes]))
    return runs, notes


def chosen_keys(by: Sequence[str] | None, runs: Sequence[Run]) -> list[str] | None:
    """The key paths that `--by` means: each in full, or its end where that tells it from others; None of none."""
    if by is None:
        return None
    known = dict.fromkeys(path for run in runs for path in run.settings)
    keys = []
    for word in by:
        meant = [word] if word in known else [path for path in known if path.endswith(f".{word}")]
        if len(meant) != 1:
            raise UsageError("No such setting" if not meant else "Which setting?", f"--by {word}",
                             did_you_mean(word, meant or known))
        keys += meant
    return keys
