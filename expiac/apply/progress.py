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
    return tuple(_status_of(record, durations) for record in state.records.values())


def progress_of(record: Record) -> Progress | None:
    """How far a run is, or how far it came, where its metrics are on this machine and can be read."""
    return _progress_and_note(record)[0]


def _status_of(record: Record, durations: Durations) -> ResourceStatus:
    progress, note = _progress_and_note(record)
    return ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                          record.detail, record.unseen, progress, record.seconds,
                          durations.usual_seconds(record.address), note)


def _progress_and_note(record: Record) -> tuple[Progress | None, str]:
    """How far a run is, and why that can't be read although its metrics are there."""
    path = metrics_in(record.outputs)
    if path is None or "://" in path:
        return None, ""
    try:
        return metrics.read(Path(path)), ""
    except metrics.MissingPackage as error:
        return None, str(error)
