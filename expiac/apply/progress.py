"""How each resource is, and how far, by its metrics."""

from __future__ import annotations

from collections.abc import Sequence

from expiac.apply.events import Progress, ResourceStatus
from expiac.apply.metrics.places import Look, MetricsSource
from expiac.apply.metrics.progress_cache import ProgressCache
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.plan.durations import Durations
from expiac.state.model import Record, State


def statuses_of(state: State, sources: Sequence[MetricsSource], look: Look, kept: ProgressCache | None = None
                ) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far; what is `kept` of those that have ended is not read again."""
    durations = Durations(state)
    records = tuple(state.records.values())
    found = find_metrics(records, sources, look)
    progress = kept.progress_of if kept is not None else lambda record, found: progress_of(found)
    statuses = tuple(_status_of(record, durations, *progress(record, found.get(record.run.instance)))
                     for record in records)
    if kept is not None:
        kept.save({record.run.instance for record in records})
    return statuses


def progress_of_run(record: Record, sources: Sequence[MetricsSource], look: Look) -> Progress | None:
    """How far a run is, or how far it came, where its metrics can be read."""
    return progress_of(find_metrics([record], sources, look).get(record.run.instance))[0]


def _status_of(record: Record, durations: Durations, progress: Progress | None, note: str) -> ResourceStatus:
    return ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                          record.detail, record.unseen, progress, record.seconds,
                          durations.usual_seconds(record.address), note)
