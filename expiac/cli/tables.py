"""The statuses and results of runs as tables and as JSON values. Knows nothing of how they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from expiac.apply.events import ResourceStatus
from expiac.declare.metrics import Metric, MetricSettings
from expiac.view import metrics
from expiac.view.figures import COLOURS, status, steps, time_left, time_spent

_FOLDED = ("job", "instance", "settings", "what", "value", "file")


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
    """What does not fit a table: the backend's own words, why a status could not be read, and notes."""
    words = [(resource.address, (resource.unseen or resource.detail, resource.note)) for resource in resources]
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


def document(resource: ResourceStatus) -> dict[str, Any]:
    """One resource as JSON values."""
    progress = resource.progress
    return {
        "address": resource.address,
        "instance": resource.instance,
        "provider": resource.provider,
        "status": resource.status.value,
        "launch": resource.launch,
        "detail": resource.detail,
        "unseen": resource.unseen,
        "note": resource.note,
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


def table(*headers: str) -> Table:
    """An empty table, without lines; names may be folded."""
    empty = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        empty.add_column(header, overflow="fold", no_wrap=header not in _FOLDED)
    return empty


def local_time(at: str) -> str:
    """A recorded time in this machine's time zone."""
    from datetime import datetime

    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}" if at else ""


def _status(resource: ResourceStatus) -> Text:
    return Text(status(resource), style=COLOURS[resource.status])


def _instance(resource: ResourceStatus) -> str:
    return f"{resource.instance} (launch {resource.launch})" if resource.launch > 1 else resource.instance
