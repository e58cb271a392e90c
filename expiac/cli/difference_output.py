"""Prints how several runs differ: a column for each run, or JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from expiac.analysis.differences import differences
from expiac.analysis.labels import short_names
from expiac.apply.metrics.places import Look, MetricsSource
from expiac.apply.progress import progress_of_run
from expiac.cli import ages, output
from expiac.cli.records import run_document
from expiac.cli.runs_output import setting_value
from expiac.cli.tables import local_time, table
from expiac.plan import formatting
from expiac.plan.history import PastRun
from expiac.view import recorded, show
from expiac.view.console import console

_WIDEST = 18
"""Characters of a value."""
_GAP = 2


def print_differences(found: Sequence[PastRun], sources: Sequence[MetricsSource], *, json: bool) -> None:
    """Prints the settings, the code and the results in which the runs differ; each run counts once."""
    runs = {past.record.run.instance: past for past in found}
    differing = differences(list(runs.values()))
    results = {instance: dict(progress.metrics) for instance, past in runs.items()
               if (progress := progress_of_run(past.record, sources, Look(past.lineage))) is not None}
    if json:
        document: recorded.Differences = {
            "format_version": show.FORMAT, "compared": [run_document(past) for past in runs.values()],
            "differences": [{"path": path, "values": dict(values)} for path, values in differing.items()],
            "results": results}
        output.print_json(document)
        return
    out = console()
    columns = dict(zip(runs, _heads(runs), strict=True))
    for instance, past in runs.items():
        label = "" if columns[instance] in instance else f"{columns[instance]}   "
        out.print(f"{label}{instance}   {past.record.status.value}, launched {local_time(past.record.at)}",
                  soft_wrap=True)
    rows = {name: {instance: setting_value(value, _WIDEST) for instance, value in differing[path].items()}
            for path, name in short_names(list(differing)).items()}
    for name in dict.fromkeys(name for figures in results.values() for name in figures):
        title = name if name not in rows else f"metrics.{name}"
        rows[title] = {instance: f"{figures[name]:.4g}" for instance, figures in results.items() if name in figures}
    if not differing:
        out.print("\nthe same settings, and the same code")
    for part in _tables(rows, columns, out.width):
        out.print()
        out.print(part)
    for past in runs.values():
        output.print_age(ages.sentence(past.stack, ages.as_of(past.stack, [past.record])))


def _heads(runs: Mapping[str, PastRun]) -> list[str]:
    """The name of each run's column: its job where that tells them apart, else its digits."""
    jobs = [past.record.address for past in runs.values()]
    is_clear = len(set(jobs)) == len(jobs) and max(map(len, jobs)) <= _WIDEST
    return jobs if is_clear else [instance.rpartition(".")[2] for instance in runs]


def _tables(rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str], width: int) -> list[Table]:
    """The rows with a column for each run; below each other where not all columns fit the screen."""
    if not rows:
        return []
    names = {name: formatting.end(formatting.printable(name), max(12, width // 3)) for name in rows}
    widths = {instance: max([len(head), *(len(values.get(instance, "")) for values in rows.values())]) + _GAP
              for instance, head in columns.items()}
    room = width - max(map(len, names.values())) - _GAP
    parts: list[list[str]] = [[]]
    for instance in columns:
        if parts[-1] and sum(widths[one] for one in parts[-1]) + widths[instance] > room:
            parts.append([])
        parts[-1].append(instance)
    return [_table(rows, names, {instance: columns[instance] for instance in part}) for part in parts]


def _table(rows: Mapping[str, Mapping[str, Any]], names: Mapping[str, str], columns: Mapping[str, str]) -> Table:
    made = table("", *columns.values())
    for name, values in rows.items():
        made.add_row(names[name], *(values.get(instance, "") for instance in columns))
    return made
