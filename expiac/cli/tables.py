"""The statuses and results of runs as tables and as JSON values. Knows nothing of how they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from expiac.apply.events import ResourceStatus
from expiac.declare.component import component_of
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan.formatting import printable
from expiac.view import metrics
from expiac.view.figures import COLOURS, status, steps, time_left, time_spent

if TYPE_CHECKING:
    from expiac.view import documents

_FOLDED = ("job", "name", "settings", "what", "value", "file")
"""Columns whose texts may take several lines."""
_FOLDED_WIDTH = 20
_LONG = 50
"""Rows; longer tables are printed without rich's layout, which takes a millisecond a row."""
_DROPPED = ("sweep", "age", "archived", "commit", "who", "file", "instance", "launched")
"""Columns that a narrow screen does without, the first first."""
_KEPT = ("job", "name", "stack", "status", "time", "size", "serial", "when", "what", "settings", "output", "value",
         "live", "succeeded", "failed", "applied")


def statuses(resources: Sequence[ResourceStatus], settings: MetricSettings) -> Table:
    """One row per resource: its status, its progress, and the metrics that the settings or the runs name."""
    shown = metrics.columns(settings, (resource.progress for resource in resources))
    rows = table("job", "status", *_headers(resources, settings, shown), "time", "instance")
    for resource in resources:
        figures = [metrics.value(metric, resource.progress) for metric in shown]
        time = time_left(resource) if resource.status.is_live else time_spent(resource)
        rows.add_row(resource.address, _status(resource), *_steps(resource, resources), *figures, time,
                     _instance(resource))
    return rows


def remarks(resources: Sequence[ResourceStatus]) -> list[str]:
    """What does not fit a table: the backend's own words, why a status could not be read, notes, pages at W&B."""
    words = [(one.address, (one.unseen or one.detail, one.note, one.page)) for one in resources]
    return [f"{address}: {text}" for address, texts in words for text in texts if text]


def results(resources: Sequence[ResourceStatus], settings: MetricSettings) -> Table:
    """One row per run that expiac waited for: its status, and each metric at the beginning and at the end."""
    shown = metrics.columns(settings, (resource.progress for resource in resources))
    rows = table("job", "status", *_headers(resources, settings, shown), "time")
    for resource in resources:
        figures = [metrics.first_and_last(metric, resource.progress) for metric in shown]
        rows.add_row(resource.address, _status(resource), *_steps(resource, resources), *figures, time_spent(resource))
    return rows


def _headers(resources: Sequence[ResourceStatus], settings: MetricSettings, shown: Sequence[Metric]) -> list[str]:
    """The headers of the step, where a run has progress, and of the metrics."""
    has_progress = any(resource.progress is not None for resource in resources)
    return [*([settings.step] if has_progress else []), *(metric.title for metric in shown)]


def _steps(resource: ResourceStatus, resources: Sequence[ResourceStatus]) -> list[str]:
    has_progress = any(other.progress is not None for other in resources)
    return [steps(resource.progress)] if has_progress else []


def document(resource: ResourceStatus) -> documents.Resource:
    """One resource as JSON values."""
    progress = resource.progress
    return {
        "address": resource.address,
        "component": component_of(resource.address) or None,
        "trial": dict(resource.trial),
        "instance": resource.instance,
        "provider": resource.provider,
        "status": resource.status,
        "launch": resource.launch,
        "detail": resource.detail,
        "unseen": resource.unseen,
        "note": resource.note,
        "page": resource.page,
        "seconds": resource.seconds,
        "usual_seconds": resource.usual_seconds,
        "progress": None if progress is None else {
            "step": progress.step,
            "total_steps": progress.total_steps,
            "elapsed": progress.elapsed,
            "seconds_left": progress.seconds_left,
            "metrics": dict(progress.metrics),
            "first": dict(progress.first),
        },
    }


class _Rows(Table):
    """A table whose texts are safe to print, whoever wrote them."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **options)


class _Lines:
    """A table of which every cell stands on one line and fits."""

    def __init__(self, rows: Table, widths: Sequence[int]) -> None:
        self._rows = rows
        self._widths = widths

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style = console.get_style(self._rows.header_style)
        yield from self._line([Text(str(column.header)) for column in self._rows.columns], style)
        for cells in zip(*(column.cells for column in self._rows.columns), strict=True):
            yield from self._line(cells, None, console)

    def _line(self, cells: Sequence[Any], style: Any, console: Console | None = None) -> RenderResult:
        alike = ""
        """The cells before this one that have the style of the line: one piece, for each takes its time."""
        for cell, width in zip(cells, self._widths, strict=True):
            text = _text(cell)
            padded = text + " " * (width - _length(text) + 2)
            if console is None or not isinstance(cell, Text):
                alike += padded
                continue
            yield Segment(alike, style)
            yield Segment(padded, console.get_style(cell.style))
            alike = ""
        yield Segment(alike + "\n", style)


def table(*headers: str) -> Table:
    """An empty table, without lines; names may be folded. What is added is made safe to print."""
    empty = _Rows(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        empty.add_column(printable(header), overflow="fold", no_wrap=header not in (*_FOLDED, "instance"))
    return empty


def of_rows(rows: Sequence[Sequence[str]]) -> Table:
    """A table of cells, whose first row is its head."""
    made = table(*rows[0])
    for row in rows[1:]:
        made.add_row(*row)
    return made


def fit(rows: Table, console: Console, *, keep: Sequence[str] = ()) -> RenderableType:
    """The table as it fits the console: with short names of runs where it is too wide, then with fewer columns."""
    return rendered(narrow(rows, console, keep=keep), console)


def narrow(rows: Table, console: Console, *, keep: Sequence[str] = ()) -> Table:
    """The table, with short names of runs and without the columns that do not fit; those to keep go last."""
    room = console.width
    if (width := _width(rows)) > room:
        rows = _rebuilt(rows, [str(column.header) for column in rows.columns], shorten=True)
        width = _width(rows)
    for header in _least_needed(rows, keep) if width > room else ():
        if _width(rows) <= room:
            break
        rows = _rebuilt(rows, [str(column.header) for column in rows.columns if column.header != header])
    return rows


def rendered(rows: Table, console: Console) -> RenderableType:
    """What prints the table: if it is long and no cell needs several lines, without a layout."""
    widths = _widths(rows)
    return _Lines(rows, widths) if rows.row_count > _LONG and sum(widths) + 2 * len(widths) <= console.width else rows


def _width(rows: Table) -> int:
    """How wide the table is at least, if texts in several words are folded and nothing else is."""
    folded = [min(width, _FOLDED_WIDTH) if column.header in _FOLDED else width
              for width, column in zip(_widths(rows), rows.columns, strict=True)]
    return sum(folded) + 2 * (len(folded) - 1)


def _widths(rows: Table) -> list[int]:
    return [max(_length(_text(cell)) for cell in (column.header, *column.cells)) for column in rows.columns]


def _length(text: str) -> int:
    """How many cells of the terminal a text takes, which is safe to print; of plain letters, as many as they are."""
    return len(text) if text.isascii() else cell_len(text)


def _text(cell: Any) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _least_needed(rows: Table, keep: Sequence[str]) -> list[str]:
    """The columns that may go, the least needed first; of the metrics, which have names of their own, the last."""
    headers = [str(column.header) for column in rows.columns]
    metrics = [header for header in reversed(headers) if header not in (*_KEPT, *_DROPPED, *keep)]
    return [header for header in (*_DROPPED, *metrics) if header in headers]


def _rebuilt(rows: Table, headers: Sequence[str], *, shorten: bool = False) -> Table:
    columns = [column for column in rows.columns if column.header in headers]
    changed = table(*headers)
    for cells in zip(*(column.cells for column in columns), strict=True):
        changed.add_row(*(_short(cell) if shorten and header == "instance" else cell
                          for header, cell in zip(headers, cells, strict=True)))
    return changed


def _short(instance: Any) -> str:
    """The digits of a run's name, by which commands know it too, and what is said of it."""
    name, space, remark = str(instance).partition(" ")
    return name.rpartition(".")[2] + space + remark


def local_time(at: str) -> str:
    """A recorded time in this machine's time zone."""
    from datetime import datetime

    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}" if at else ""


def _status(resource: ResourceStatus) -> Text:
    return Text(status(resource), style=COLOURS[resource.status])


def _instance(resource: ResourceStatus) -> str:
    return f"{resource.instance} (launch {resource.launch})" if resource.launch > 1 else resource.instance
