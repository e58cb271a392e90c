"""When a search is to propose no more: its bound is met, too many trials failed, or its budget is used up. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from expiac.apply.search.study import FAILED
from expiac.apply.search.trials import SearchTrial, trial_name
from expiac.declare.expectations import meets
from expiac.plan.cost import dollars
from expiac.plan.usage import gpus_of
from expiac.state.facts import COMPLETE
from expiac.state.model import Record


class Limits(Protocol):
    """What bounds a search: a `Search`, or what was approved of one."""

    @property
    def stop_when(self) -> str | None: ...

    @property
    def max_failures(self) -> int | None: ...

    @property
    def budget(self) -> float | None: ...

    @property
    def gpu_hours(self) -> float | None: ...


def why_no_more(search: Limits, trials: Sequence[SearchTrial], prices: Mapping[str, float], now: datetime) -> str:
    """Why nothing more is proposed, though trials are left; empty where more are. `prices` are dollars per hour."""
    if search.stop_when is not None:
        for trial in trials:
            value = trial.outcome.values[0] if trial.outcome and trial.state == COMPLETE else None
            if value is not None and meets(value, search.stop_when):
                return f"{trial_name(trial.number)} has come to {value:g}, and {search.stop_when} was enough"
    failed = sum(trial.state == FAILED for trial in trials)
    if search.max_failures is not None and failed > search.max_failures:
        return f"{failed} trials have failed, and max_failures is {search.max_failures}"
    records = [trial.record for trial in trials]
    spent = sum(_cost(record, prices.get(record.run.instance, 0.0), now) for record in records)
    if search.budget is not None and spent >= search.budget:
        return f"its trials have cost {dollars(spent)}, and its budget is {dollars(search.budget)}"
    hours = sum(_hours(record, now) * gpus_of(record) for record in records)
    if search.gpu_hours is not None and hours >= search.gpu_hours:
        return f"its trials have used {hours:.1f} GPU-hours of {search.gpu_hours:g}"
    return ""


def _cost(record: Record, price: float, now: datetime) -> float:
    """Dollars: what its backend says, or its price for as long as it has run."""
    said = record.outputs.get("cost")
    return float(said) if isinstance(said, int | float) else price * _hours(record, now)


def _hours(record: Record, now: datetime) -> float:
    if record.seconds is not None:
        return record.seconds / 3600
    if not record.status.is_live or not record.at:
        return 0.0
    return max(0.0, (now - datetime.fromisoformat(record.at)).total_seconds() / 3600)
