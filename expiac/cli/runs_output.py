"""Prints runs of many stacks: a table for people, or JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.text import Text

from expiac.analysis.keys import age
from expiac.analysis.labels import short_names
from expiac.analysis.listing import Figures, ListedRun
from expiac.apply.events import Progress
from expiac.cli import ages, output, tables
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan import formatting
from expiac.state.model import State
from expiac.util.hashing import canonical
from expiac.view import metrics, runs, show
from expiac.view.console import console
from expiac.view.figures import COLOURS

_MOST_SETTINGS = 4
"""As many settings of a run stand in the table."""


def print_runs(found: Sequence[ListedRun], settings: Mapping[str, Sequence[str]], figures: Figures,
               states: Sequence[State], metric_settings: MetricSettings, notes: Sequence[str], *, json: bool) -> None:
    """Prints the runs; `settings` are the key paths that each stack's runs are told apart by."""
    figures.read(found)
    ages_of = {state.stack: ages.as_of(state.stack, [one.record for one in found if one.stack == state.stack])
               for state in states}
    if json:
        known = [at for at in ages_of.values() if at]
        document: runs.RunsDocument = {
            "format_version": show.FORMAT, "as_of": min(known, default=None), "notes": [*notes, *figures.notes],
            "listed": [_document(one, settings[one.stack], figures) for one in found]}
        output.print_json(document)
        return
    _print_table(found, settings, figures, metric_settings)
    for stack, at in ages_of.items():
        output.print_age(ages.sentence(stack, at))
    output.print_notes([*notes, *figures.notes])


def _document(one: ListedRun, settings: Sequence[str], figures: Figures) -> runs.ListedRun:
    run = one.run
    return {"stack": one.stack, "address": run.job, "instance": run.instance, "launch": run.launch,
            "status": run.status, "archived": run.is_archived, "seed": run.seed,
            "settings": {path: run.settings.get(path) for path in settings}, "launched_at": run.launched_at or None,
            "user": one.provenance("user"), "commit": one.provenance("commit"), "seconds": run.seconds,
            "cost": run.cost, "metrics": dict(figures.of(one))}


def _print_table(found: Sequence[ListedRun], settings: Mapping[str, Sequence[str]], figures: Figures,
                 metric_settings: MetricSettings) -> None:
    out, now = console(), datetime.now(UTC)
    if not found:
        out.print("no runs")
        return
    progress = {one.run.instance: Progress(metrics=figures.of(one)) for one in found}
    shown = _main_metric(metric_settings, list(progress.values()))
    names = {stack: short_names(paths) for stack, paths in settings.items()}
    seeds = {stack: len({canonical(one.run.seed) for one in found if one.stack == stack}) for stack in settings}
    rows = tables.table("stack", "job", "status", "age", "settings", *(metric.title for metric in shown), "time",
                        "instance")
    for one in found:
        seconds = age(one, now)
        rows.add_row(
            one.stack, one.run.job, _status(one), "" if seconds is None else formatting.duration(max(seconds, 0.0)),
            _settings(one, names[one.stack], with_seed=seeds[one.stack] > 1),
            *(metrics.value(metric, progress[one.run.instance]) for metric in shown),
            formatting.duration(one.run.seconds) if one.run.seconds else "", one.run.instance)
    out.print(tables.fit(rows, out))


def _main_metric(settings: MetricSettings, known: Sequence[Progress]) -> tuple[Metric, ...]:
    """The first metric of tables; where the runs have none in common, that of the first run."""
    shared = metrics.columns(settings, known)
    first = next((one for one in known if one.metrics), None)
    return (shared or metrics.columns(MetricSettings(), [first]))[:1]


def _status(one: ListedRun) -> Text:
    remark = " (archived)" if one.run.is_archived else ""
    return Text(f"{one.run.status.value}{remark}", style=COLOURS[one.run.status])


def _settings(one: ListedRun, names: Mapping[str, str], *, with_seed: bool) -> str:
    """`lr=0.001 seed=1`: those that the run has, the first of many."""
    own = [(name, one.run.settings[path]) for path, name in names.items() if path in one.run.settings]
    own = own[:_MOST_SETTINGS] + ([("…", None)] if len(own) > _MOST_SETTINGS else [])
    own += [("seed", one.run.seed)] if with_seed and one.run.seed is not None else []
    return " ".join(name if name == "…" else f"{formatting.printable(name)}={setting_value(value)}"
                    for name, value in own)


def setting_value(value: object, most: int = 40) -> str:
    """A setting on one line, the beginning of a long one."""
    text = formatting.printable(value if isinstance(value, str) else formatting.value(value))
    return text if len(text) <= most else text[:most - 1] + "…"
