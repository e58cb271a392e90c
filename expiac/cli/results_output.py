"""Prints the results of runs: a table for people, or CSV, Parquet or JSON for programs. Decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rich.text import Text

from expiac.analysis import Results, wording
from expiac.analysis.labels import short_names
from expiac.analysis.runs import Run
from expiac.apply.events import Progress
from expiac.cli import ages, output, tables
from expiac.plan import formatting
from expiac.plan.formatting import printable
from expiac.state.model import State
from expiac.util.errors import UsageError
from expiac.view import compared, metrics
from expiac.view.console import console
from expiac.view.figures import COLOURS, count

if TYPE_CHECKING:
    import polars as pl

_MOST_SETTINGS = 6
"""As many settings have a column on a terminal."""
_ROOM = 32
"""As many characters of a setting or of a name are shown."""
_OWN = ("job", "sweep", "status", "seed", "step", "time", "instance")


def print_results(state: State, found: Results, *, form: str, histories: bool, is_asked: bool) -> None:
    """Prints the runs in this form, or their histories; says how old that is where no backend `is_asked`."""
    at = "" if is_asked else ages.as_of(state.stack, state.records.values())
    match form:
        case "json":
            output.print_json(_document(state, found, at))
        case "csv":
            from expiac.analysis import frames

            _write(frames.safe_for_spreadsheets(_table(found, histories=histories)).write_csv)
        case "parquet":
            if sys.stdout.isatty():
                raise UsageError("Invalid value", "Parquet is not for a terminal", f"… > {state.stack}.parquet")
            _write(_table(found, histories=histories).write_parquet)
        case _:
            _print_table(found)
            output.print_age(ages.sentence(state.stack, at))
    output.print_notes(found.notes)


def _write(write: Callable[[BytesIO], object]) -> None:
    """Prints bytes ourselves: polars' own errors do not say that a pipe is closed, or a disk full, as Python's do."""
    made = BytesIO()
    write(made)
    sys.stdout.flush()
    sys.stdout.buffer.write(made.getbuffer())


def _table(found: Results, *, histories: bool) -> pl.DataFrame:
    return found.histories if histories else found.runs


def _document(state: State, found: Results, as_of: str) -> compared.ResultsDocument:
    """The runs as JSON values."""
    return {**output.head(state), "as_of": as_of or None, "at": found.at,
            "results": [_run_document(run, found) for run in found.known]}


def _run_document(run: Run, found: Results) -> compared.ResultOfRun:
    return {"address": run.job, "instance": run.instance, "launch": run.launch, "status": run.status,
            "sweep": run.trial.sweep or None, "archived": run.is_archived, "seed": run.seed,
            "settings": {path: run.settings.get(path) for path in found.settings},
            "launched_at": run.launched_at or None, "seconds": run.seconds, "cost": run.cost,
            "step": found.last_step(run), "metrics": dict(found.figures(run))}


def _print_table(found: Results) -> None:
    out = console()
    if not found.known:
        out.print("nothing is recorded")
        return
    names = {path: heading(name, _OWN) for path, name in short_names(found.settings).items()}
    shown = metrics.columns(found.metrics, [Progress(metrics=found.figures(run)) for run in found.known])
    settings = list(names)[:_MOST_SETTINGS]
    known = [printable(metric.title, room=_ROOM) for metric in shown]
    titles = [f"metrics.{title}" if title in names.values() else title for title in known]
    has_seed = any(run.seed is not None for run in found.known)
    has_sweeps = any(run.trial.sweep for run in found.known)
    table = tables.table("job", *(["sweep"] if has_sweeps else []), "status", *(["seed"] if has_seed else []),
                         *(names[path] for path in settings), found.metrics.step, *titles, "time", "instance")
    for run in found.known:
        progress = Progress(metrics=found.figures(run))
        step = found.last_step(run)
        table.add_row(
            run.job, *([run.trial.sweep] if has_sweeps else []),
            Text(run.status.value, style=COLOURS[run.status]), *([setting_text(run.seed)] if has_seed else []),
            *(setting_text(run.settings.get(path)) for path in settings), "" if step is None else count(step),
            *(metrics.value(metric, progress) for metric in shown),
            formatting.duration(run.seconds) if run.seconds else "", run.instance)
    # The first metric stays longer than settings: it is what the table is for.
    narrow = tables.narrow(tables.narrow(table, out, keep=[found.metrics.step, *titles[:1]]), out)
    out.print(tables.rendered(narrow, out))
    headers = {str(column.header) for column in narrow.columns}
    logged = {name for run in found.known for name in found.figures(run)}
    hidden = [_count(len(names) - sum(names[path] in headers for path in settings), "setting"),
              _count(len(logged) - sum(title in headers for title in titles), "metric")]
    if left := " and ".join(word for word in hidden if word):
        out.print(f"not shown: {left}; --format csv has them all", style="dim", soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number > 0 else ""


def heading(name: str, taken: Sequence[str]) -> str:
    """The head of a column of a setting."""
    short = name if len(name) <= _ROOM else f"…{name[1 - _ROOM:]}"
    return printable(f"settings.{short}" if short in taken else short)


def setting_text(thing: Any) -> str:
    """A setting in a table."""
    return printable(wording.setting_text(thing), room=_ROOM)
