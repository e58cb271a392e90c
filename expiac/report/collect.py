"""Finds what a report shows: from the state, the results, the provider's logs and the files of the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from expiac.analysis import Results, history_frames, wording
from expiac.analysis.arms import RunsOfArm, arms_of
from expiac.analysis.comparing import MetricComparison, chosen_keys, compare_results
from expiac.analysis.curves import Curves, curves_of
from expiac.analysis.labels import short_names
from expiac.analysis.ranking import BEST, best_first, is_ranked
from expiac.analysis.ranking_words import MOST_NOTES
from expiac.analysis.runs import Run
from expiac.analysis.wording import Rows
from expiac.apply.events import Progress
from expiac.plan import formatting
from expiac.report.logs import failed_logs
from expiac.report.model import ArmOfReport, Compared, Report, Request, RunOfReport
from expiac.report.provenance import launches_of, time_text
from expiac.report.replays import replays_of
from expiac.report.sweeps import sweeps_of_report
from expiac.session import Session
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError, UsageError
from expiac.view import metrics
from expiac.view.figures import count

POINTS = 300
"""At as many steps a curve of the page has a value at most."""
ROOM = 400_000
"""Values of curves that a page has at most."""
FEWEST_POINTS = 60
MOST_SETTINGS = 8


def collect(session: Session, request: Request, *, asks: bool, age: str = "") -> Report:
    """What a report of the session's stack shows, as its last look saw it; `age` says how old that is.

    With `asks`, buckets and backends are asked for metrics that are not on this machine.

    Raises `UsageError` for a metric or a setting that there is not.
    """
    state = session.observed
    found = Results(state, session.project, archived=request.archived, at=request.at,
                    providers=session.providers, asks=asks)
    compared, comparison = _compare(found, request)
    by = chosen_keys(request.by, found.known)
    arms = arms_of(found.known, compared.comparison if compared else None, by=by)
    shown = _shown(arms, compared)
    sweeps, sweep_notes = sweeps_of_report(state, found, compared, request) if compared else ((), ())
    logs, log_note = failed_logs(state, session.logs)
    replays, replay_notes = replays_of([*_records(state, found.known)])
    drawn = [run for arm in shown for run in arm.runs]
    curves, left_out = _curves(found, drawn, compared.metric.name if compared else "")
    folder = session.project.state_folder / "provenance"
    return Report(
        state.stack, time_text(datetime.now(UTC).isoformat()), age,
        found.metrics.step, comparison,
        tuple(ArmOfReport(arm.name, arm.label, _of_band(arm)) for arm in shown),
        () if len(shown) < len(arms) else _differing(arms),
        tuple(RunOfReport(run.job, run.instance, run.status, arm.name) for arm in shown for run in arm.runs),
        _run_rows(found, arms), _facts(found), sweeps, len(arms) - len(shown), curves, left_out,
        launches_of(state, [run.instance for run in found.known], folder), logs, replays,
        (*(() if compared else found.notes), *sweep_notes, *([log_note] if log_note else [])), replay_notes)


def _shown(arms: Sequence[RunsOfArm], compared: MetricComparison | None) -> Sequence[RunsOfArm]:
    """The arms that are compared and drawn: all of them; the best ones if they are many."""
    if compared is None or not is_ranked(compared):
        return arms
    named = {arm.name: arm for arm in arms}
    return [named[arm.name] for arm in best_first(compared)[:BEST]]


def _compare(found: Results, request: Request) -> tuple[MetricComparison | None, Compared]:
    """The comparison; where there is nothing to compare, why."""
    try:
        compared = compare_results(found, metric=request.metric, by=request.by, baseline=request.baseline)
    except UsageError:
        raise
    except ExpiacError as error:
        return None, Compared(f"{error.summary}: {error.detail}")
    if is_ranked(compared):
        best = best_first(compared)[:BEST]
        few = replace(compared, comparison=replace(compared.comparison, arms=best))
        return compared, Compared(
            wording.heading(compared), wording.arm_rows(few), (),
            (f"There are {len(compared.arms)} arms, too many to compare one by one: these are the best {BEST}.",),
            compared.comparison.notes[:MOST_NOTES])
    differences = compared.comparison.differences
    return compared, Compared(
        wording.heading(compared), wording.arm_rows(compared), wording.difference_rows(compared) if differences else (),
        tuple(wording.sentence(one) for one in differences) or (wording.one_arm(compared),), compared.comparison.notes)


def _of_band(arm: RunsOfArm) -> tuple[str, ...]:
    return tuple(run.instance for run in arm.runs if not run.status.is_failure)


def _differing(arms: Sequence[RunsOfArm]) -> Rows:
    paths = [*arms[0].settings] if arms else []
    if not paths:
        return ()
    rows = [[path, *(wording.setting_text(arm.settings[path]) for arm in arms)] for path in paths]
    return [["setting", *(arm.name for arm in arms)], *rows]


def _run_rows(found: Results, arms: Sequence[RunsOfArm]) -> Rows:
    names = short_names(found.settings)
    paths = [*names][:MOST_SETTINGS]
    shown = metrics.columns(found.metrics, [Progress(metrics=found.figures(run)) for run in found.known])
    rows = [["job", "status", "arm", "seed", *(names[path] for path in paths), found.metrics.step,
             *(metric.title for metric in shown), "time", "cost", "instance"]]
    arm_of = {run.instance: arm.name for arm in arms for run in arm.runs}
    for run in found.known:
        progress, step = Progress(metrics=found.figures(run)), found.last_step(run)
        rows.append([
            run.job, run.status.value, arm_of[run.instance], wording.setting_text(run.seed),
            *(wording.setting_text(run.settings.get(path)) for path in paths), "" if step is None else count(step),
            *(metrics.value(metric, progress) for metric in shown),
            formatting.duration(run.seconds) if run.seconds else "", "" if run.cost is None else f"${run.cost:,.2f}",
            run.instance])
    return rows


def _facts(found: Results) -> tuple[tuple[str, str], ...]:
    seconds = [run.seconds for run in found.known if run.seconds is not None]
    costs = [run.cost for run in found.known if run.cost is not None]
    statuses = [run.status.value for run in found.known]
    begun = [run.launched_at for run in found.known if run.launched_at]
    return (
        ("runs", ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses)) or "none"),
        ("launched", f"{time_text(min(begun))} to {time_text(max(begun))}" if begun else "never"),
        ("time", f"{formatting.duration(sum(seconds))} in all {_of(len(seconds), found)}" if seconds else "not known"),
        ("cost", f"${sum(costs):,.2f} in all {_of(len(costs), found)}" if costs else "not known"))


def _of(known: int, found: Results) -> str:
    return f"({known} of {len(found.known)} runs have one)" if known < len(found.known) else "(of all runs)"


def _curves(found: Results, runs: Sequence[Run], first: str) -> tuple[tuple[Curves, ...], tuple[str, ...]]:
    """The curves of each metric, the compared one and those that tables show first; and which have no room."""
    known = dict.fromkeys(name for run in runs for name in found.logged(run))
    names = [name for name in dict.fromkeys([first, *(metric.name for metric in found.metrics.show), *known])
             if name in known]
    if not names:
        return (), ()
    points = max(FEWEST_POINTS, min(POINTS, ROOM // (len(names) * len(runs))))
    most = max(1, ROOM // (points * len(runs)))
    logged = history_frames.only(found.histories, {run.instance for run in runs})
    return tuple(curves_of(logged, name, points) for name in names[:most]), tuple(names[most:])


def _records(state: State, runs: Sequence[Run]) -> Iterator[Record]:
    """The record of each run, in the order of the runs."""
    known = {record.run.instance: record for record in (*state.history, *state.records.values())}
    for run in runs:
        yield known[run.instance]
