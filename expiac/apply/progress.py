"""How each resource is, and how far, by its metrics."""

from __future__ import annotations

from collections.abc import Sequence

from expiac.apply.events import Progress, ResourceStatus
from expiac.apply.metrics.places import Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.plan.durations import Durations
from expiac.state.model import Record, State


def statuses_of(state: State, sources: Sequence[MetricsSource], look: Look) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far."""
    durations = Durations(state)
    found = find_metrics(state.records.values(), sources, look)
    return tuple(_status_of(record, durations, found.get(record.run.instance)) for record in state.records.values())


def progress_of_run(record: Record, sources: Sequence[MetricsSource], look: Look) -> Progress | None:
    """How far a run is, or how far it came, where its metrics can be read."""
    return progress_of(find_metrics([record], sources, look).get(record.run.instance))[0]


def _status_of(record: Record, durations: Durations, found: Found | None) -> ResourceStatus:
    progress, note = progress_of(found)
    return ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                          record.detail, record.unseen, progress, record.seconds,
                          durations.usual_seconds(record.address), note)
