"""How each resource is, and how far, where its metrics are on this machine."""

from __future__ import annotations

from pathlib import Path

from expiac.apply import metrics
from expiac.apply.events import Progress, ResourceStatus
from expiac.plan.durations import Durations
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record, State


def statuses_of(state: State) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far."""
    durations = Durations(state)
    return tuple(
        ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                       record.detail, record.unseen, progress_of(record), record.seconds,
                       durations.usual_seconds(record.address))
        for record in state.records.values())


def progress_of(record: Record) -> Progress | None:
    """How far a run is, or how far it came, where its metrics are on this machine."""
    path = metrics_in(record.outputs)
    return metrics.read(Path(path)) if path is not None and "://" not in path else None
