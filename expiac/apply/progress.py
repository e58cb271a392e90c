"""How each resource is, and how far, by its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from expiac.apply.events import Progress, ResourceStatus
from expiac.apply.metrics.places import Look, MetricsSource
from expiac.apply.metrics.progress_cache import ProgressCache
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.plan.durations import Durations
from expiac.plan.groups import group_of
from expiac.plan.sweeps import recorded_sweeps
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State


def statuses_of(state: State, sources: Sequence[MetricsSource], look: Look, kept: ProgressCache | None = None
                ) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far; what is `kept` of those that have ended is not read again."""
    durations, sweeps, prices = Durations(state), recorded_sweeps(state), _prices(state)
    records = tuple(state.records.values())
    found = find_metrics(records, sources, look)
    progress = kept.progress_of if kept is not None else lambda record, found: progress_of(found)
    statuses = tuple(_status_of(record, durations, *progress(record, found.get(record.run.instance)))
                     for record in records)
    if kept is not None:
        kept.save({record.run.instance for record in records})
    return tuple(_with_group(one, state.records[one.address], sweeps, prices) for one in statuses)


def progress_of_run(record: Record, sources: Sequence[MetricsSource], look: Look) -> Progress | None:
    """How far a run is, or how far it came, where its metrics can be read."""
    return progress_of(find_metrics([record], sources, look).get(record.run.instance))[0]


def _status_of(record: Record, durations: Durations, progress: Progress | None, note: str) -> ResourceStatus:
    return ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                          record.detail, record.unseen, progress, record.seconds,
                          durations.usual_seconds(record.address), note)


def _with_group(one: ResourceStatus, record: Record, sweeps: Mapping[str, SweepFacts],
                prices: Mapping[str, float]) -> ResourceStatus:
    group = group_of(record.address, sweeps, is_trial=bool(record.trial))
    if not group:
        return one
    default = SweepFacts(tuple(record.trial)) if record.trial else None
    was_pruned = record.outcome is not None and record.outcome.state == "pruned"
    return replace(one, group=group, sweep=sweeps.get(group, default), trial=record.trial, was_pruned=was_pruned,
                   dollars=_dollars(record, prices.get(record.run.instance)))


def _prices(state: State) -> Mapping[str, float]:
    """Dollars per hour of each instance that was launched at a known price."""
    return {instance: price for one in state.approvals for instance, price in one.approved.prices.items()}


def _dollars(record: Record, price: float | None) -> float | None:
    """What its backend says that a run has cost, else its price for as long as its last launch has run so far."""
    told = record.outputs.get("cost")
    if isinstance(told, int | float):
        return float(told)
    if price is None:
        return None
    if record.seconds is not None:
        return price * record.seconds / 3600
    if not record.status.is_live or not record.at:
        return None
    return price * max((datetime.now(UTC) - datetime.fromisoformat(record.at)).total_seconds(), 0.0) / 3600
