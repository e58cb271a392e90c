"""What runs have cost: dollars, hours and GPU-hours. Pure.

A launch costs what its backend wrote into its output `cost`. Where there is none, its cost is estimated: the price
that the plan had when the run's last launch was approved, for as long as it ran. A run costs what its launches cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from expiac.analysis.listing import ListedRun
from expiac.plan.usage import earlier_launches, gpus_of
from expiac.util import duration
from expiac.util.errors import UsageError

By = Literal["stack", "job", "user", "week"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run has cost, or several together."""

    runs: int = 0
    hours: float = 0.0
    gpu_hours: float = 0.0
    dollars: float = 0.0
    estimated: float = 0.0
    """How many of the dollars are estimated."""
    free: int = 0
    """How many of the runs cost nothing."""
    unknown: int = 0
    """How many of the runs have a cost that is not known."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.runs + other.runs, self.hours + other.hours, self.gpu_hours + other.gpu_hours,
                     self.dollars + other.dollars, self.estimated + other.estimated, self.free + other.free,
                     self.unknown + other.unknown)


def spent_on(one: ListedRun, now: datetime, *, rents: bool) -> Spent:
    """What a run has cost until now; `rents` says whether its backend pays for machines by the hour."""
    launches = [*earlier_launches(one.record), (_hours(one, now), one.run.cost)]
    hours = sum(ran or 0.0 for ran, _ in launches)
    told = sum(cost for _, cost in launches if cost is not None)
    spent = Spent(1, hours, hours * gpus_of(one.record), told)
    untold = [ran for ran, cost in launches if cost is None]
    if not untold:
        return spent
    if not rents:
        return replace(spent, free=1)
    price = one.approval.approved.prices.get(one.run.instance) if one.approval is not None else None
    if price is None or None in untold:
        return replace(spent, unknown=1)
    estimated = price * sum(ran or 0.0 for ran in untold)
    return replace(spent, dollars=told + estimated, estimated=estimated)


def spending(runs: Iterable[tuple[ListedRun, Spent]], by: By) -> Mapping[str, Spent]:
    """What the runs of each stack, job, user or week have cost; weeks in their order, else the dearest first."""
    name = _NAMES[by]
    found: dict[str, Spent] = {}
    for one, spent in runs:
        found[name(one)] = found.get(name(one), Spent()) + spent
    if by == "week":
        return dict(sorted(found.items()))
    return dict(sorted(found.items(), key=lambda item: (-item[1].dollars, -item[1].hours, item[0])))


def total(spent: Iterable[Spent]) -> Spent:
    """All of it together."""
    return sum(spent, Spent())


def launched_since(runs: Sequence[ListedRun], since: datetime | None) -> list[ListedRun]:
    """The runs whose last launch was not before this."""
    return [one for one in runs
            if since is None or (one.run.launched_at and datetime.fromisoformat(one.run.launched_at) >= since)]


def since_of(word: str, now: datetime) -> datetime:
    """The time that `--since` names: so long ago, or the beginning of a day in this machine's time zone."""
    try:
        if word[-1:] in ("s", "m", "h", "d") and duration.validate(word):
            return now - timedelta(seconds=duration.seconds(word))
        day = date.fromisoformat(word)
        return datetime(day.year, day.month, day.day).astimezone()
    except (ValueError, OverflowError):
        raise UsageError("Invalid value", f"--since {word}", "such as 12h, 30d, or 2026-01-31") from None


def _hours(one: ListedRun, now: datetime) -> float | None:
    """How long its last launch ran, so far if it goes on; None where nobody knows."""
    if one.run.seconds is not None:
        return one.run.seconds / 3600
    if one.run.is_archived or not one.run.status.is_live or not one.run.launched_at:
        return None
    return max((now - datetime.fromisoformat(one.run.launched_at)).total_seconds(), 0.0) / 3600


def _week(one: ListedRun) -> str:
    if not one.run.launched_at:
        return "not known"
    year, week, _ = datetime.fromisoformat(one.run.launched_at).astimezone().isocalendar()
    return f"{year}-W{week:02}"


_NAMES: Mapping[By, Callable[[ListedRun], str]] = {
    "stack": lambda one: one.stack,
    "job": lambda one: f"{one.stack}/{one.run.job}",
    "user": lambda one: one.provenance("user") or "not known",
    "week": _week,
}
