"""What runs use, by their records: hours, dollars and GPU-hours, so far or in all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from expiac.plan.cost import longest_hours
from expiac.state.events import Json
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util.gpus import parse_gpus


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run has used, or several together."""

    dollars: float = 0.0
    gpu_hours: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.dollars + other.dollars, self.gpu_hours + other.gpu_hours)


def usage_of(record: Record, price: float, now: datetime) -> Usage:
    """What all launches of a run have used by now; `price` is in dollars per hour."""
    launches = [*earlier_launches(record), (hours_of(record, now), record.cost)]
    dollars = sum(price * hours if told is None else told for hours, told in launches)
    return Usage(dollars, gpus_of(record) * sum(hours for hours, _ in launches))


def earlier_launches(record: Record) -> list[tuple[float, float | None]]:
    """How many hours each launch before the last one ran, and the dollars that its backend told of it."""
    return [(one.seconds / 3600, one.cost) for one in record.earlier]


def total_usage(records: Iterable[Record], prices: Mapping[str, float], now: datetime) -> Usage:
    """What several runs have used; `prices` are dollars per hour, by instance."""
    return sum((usage_of(record, prices.get(record.run.instance, 0.0), now) for record in records), Usage())


def hours_of(record: Record, now: datetime) -> float:
    """How long the last launch of a run has run by now; 0 while it waits for its turn.

    Where its backend does not say it, that is until it was recorded to have ended, and no longer than it may run.
    """
    if record.ran_seconds is not None:
        estimated = record.ran_seconds / 3600
        return estimated if record.seconds is not None else _bounded(record, estimated)
    begin = record.began_at or record.at
    if record.status is Status.PENDING or not record.status.is_live or not begin:
        return 0.0
    end = datetime.fromisoformat(record.ended_at) if record.ended_at else now
    return _bounded(record, max(0.0, (end - datetime.fromisoformat(begin)).total_seconds() / 3600))


def prices_of(state: State) -> Mapping[str, float]:
    """Dollars per hour of each run that was launched at a known price, by its instance."""
    return {instance: price for one in state.approvals for instance, price in one.approved.prices.items()}


def gpus_of(record: Record) -> int:
    """How many GPUs it asked for, all nodes together."""
    return gpus_asked(record.type, record.inputs)


def gpus_asked(type: str, inputs: Json) -> int:
    """How many GPUs a resource with these inputs asks for, all nodes together."""
    asked = inputs.get("gpus")
    try:
        each = parse_gpus(str(_default_gpus().get(type, 0) if asked is None else asked)).number
        return each * int(inputs.get("nodes") or 1)
    except (TypeError, ValueError):
        return 0


def _bounded(record: Record, hours: float) -> float:
    longest = longest_hours(record.inputs)
    return hours if longest is None else min(hours, longest)


@cache
def _default_gpus() -> Mapping[str, int]:
    """How many GPUs a job has that does not say, by its type."""
    from expiac.declare.evaluation import Evaluation  # they take a while to import, and most commands need none
    from expiac.declare.job import Job
    from expiac.declare.training import TrainingJob

    return {kind.type: kind.default_gpus for kind in (Evaluation, Job, TrainingJob)}
