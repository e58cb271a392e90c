"""How each resource is, and how far, by its metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from expiac.apply.events import Progress, ResourceStatus
from expiac.apply.metrics.places import Look, MetricsSource
from expiac.apply.metrics.progress_cache import ProgressCache
from expiac.apply.metrics.sources import find_metrics, progress_of
from expiac.plan.budgets import sweep_usage
from expiac.plan.durations import Durations
from expiac.plan.groups import group_of
from expiac.plan.sweeps import recorded_sweeps
from expiac.plan.usage import prices_of, usage_of
from expiac.state.facts import SweepFacts
from expiac.state.model import Record, State


def statuses_of(state: State, sources: Sequence[MetricsSource], look: Look, kept: ProgressCache | None = None
                ) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far; what is `kept` of those that have ended is not read again."""
    durations, sweeps, prices = Durations(state), recorded_sweeps(state), prices_of(state)
    records = tuple(state.records.values())
    found = find_metrics(records, sources, look)
    progress = kept.progress_of if kept is not None else lambda record, found: progress_of(found)
    statuses = tuple(_status_of(record, durations, *progress(record, found.get(record.run.instance)))
                     for record in records)
    if kept is not None:
        kept.save({record.run.instance for record in records})
    used = {name: sweep_usage(name, state, datetime.now(UTC)) for name, facts in sweeps.items() if facts.is_limited}
    grouped = (_with_group(one, state.records[one.address], sweeps, prices) for one in statuses)
    return tuple(replace(one, sweep_usage=used[one.group]) if one.group in used else one for one in grouped)


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


def _dollars(record: Record, price: float | None) -> float | None:
    """What a run has cost so far; None where neither its backend says it nor a price is known."""
    if price is None and record.cost is None:
        return None
    return usage_of(record, price or 0.0, datetime.now(UTC)).dollars
