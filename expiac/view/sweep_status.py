"""How a sweep or a component is as a whole, from how each of its resources is. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expiac.apply.events import ResourceStatus
from expiac.declare.component import SEPARATOR
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan import formatting as inline
from expiac.plan.budgets import gpu_hours, why_spent
from expiac.plan.cost import dollars
from expiac.plan.usage import Usage
from expiac.state.facts import SweepFacts
from expiac.state.status import Status
from expiac.view import show
from expiac.view.step_lines import wrap
from expiac.view.trial_table import trial_text

if TYPE_CHECKING:
    from expiac.view import documents

_ROWS = 10
"""Of more trials that run or have failed, only so many are shown."""
_MOST_SETTINGS = 3
"""A trial with more settings is told by its name."""


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A sweep or a component at one look."""

    name: str
    resources: tuple[ResourceStatus, ...]
    facts: SweepFacts | None
    """None of a component that is no sweep."""
    done: int
    running: int
    pending: int
    failed: int
    ended: int
    """Stopped early or taken back, and no failure."""
    best: ResourceStatus | None
    seconds_left: float | None
    """Until all its trials have ended, as many at once as run now; None where that is not known."""
    dollars: float | None
    used: Usage | None = None
    """What all its runs have used, those that are archived among them; None where it has no budget."""

    @property
    def why_spent(self) -> str:
        """Why its budget is used up; empty where it is not, or where it has none."""
        if self.used is None or self.facts is None:
            return ""
        return why_spent(self.facts.budget, self.facts.gpu_hours, self.used)

    @property
    def total(self) -> int:
        """How many trials there are, those that have not begun among them."""
        seen = self.done + self.running + self.pending + self.failed + self.ended
        return max(seen, self.facts.trials if self.facts is not None else 0)

    @property
    def unbegun(self) -> int:
        """How many trials have not begun."""
        return self.total - self.done - self.running - self.pending - self.failed - self.ended

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of its resources have which status, by its name."""
        return Counter(one.status.value for one in self.resources)

    @property
    def best_value(self) -> float | None:
        """The value of the sweep's metric in its best trial."""
        return None if self.best is None or self.facts is None else _value(self.best, self.facts.metric)

    @property
    def shown(self) -> list[ResourceStatus]:
        """Those that run or have failed; of very many, some of each sort."""
        failed = [one for one in self.resources if _sort(one) == "failed"]
        running = [one for one in self.resources if _sort(one) == "running"]
        most_failed = max(_ROWS // 2, _ROWS - len(running))
        kept = failed[:most_failed]
        chosen = {one.address for one in (*kept, *running[:_ROWS - len(kept)])}
        return [one for one in self.resources if one.address in chosen]

    @property
    def hidden(self) -> int:
        """How many run or have failed and are not shown."""
        return self.running_or_failed - len(self.shown)

    @property
    def running_or_failed(self) -> int:
        """How many resources run or have failed."""
        return sum(_sort(one) in ("failed", "running") for one in self.resources)


def group_statuses(resources: Sequence[ResourceStatus]) -> Mapping[str, GroupStatus]:
    """Each sweep and component, by name, in the order of the resources."""
    groups: dict[str, list[ResourceStatus]] = {}
    for one in resources:
        if one.group:
            groups.setdefault(one.group, []).append(one)
    return {name: _status_of(name, tuple(own)) for name, own in groups.items()}


def alone(resources: Sequence[ResourceStatus]) -> list[ResourceStatus]:
    """The resources that stand in no sweep or component."""
    return [one for one in resources if not one.group]


def shown_rows(resources: Sequence[ResourceStatus], groups: Mapping[str, GroupStatus]) -> list[ResourceStatus]:
    """What has a row of its own: what stands alone, and what runs or has failed in groups, in its order."""
    in_groups = {one.address for group in groups.values() for one in group.shown}
    return [one for one in resources if not one.group or one.address in in_groups]


def lines(groups: Collection[GroupStatus], settings: MetricSettings, width: int) -> list[str]:
    """A line for each sweep and component, aligned and safe to print; a long one goes on in the next line."""
    pad = max((len(group.name) for group in groups), default=0)
    return [part for group in groups
            for part in wrap(inline.printable(f"{group.name:<{pad}}   {sentence(group, settings)}"), "", width)]


def sentence(group: GroupStatus, settings: MetricSettings) -> str:
    """`47/60 done, 4 running, 1 failed, best 14.2 (learning_rate 0.0003), 1h 20m left, $12.00`."""
    if group.facts is None:
        return ", ".join(f"{count:,} {status}" for status, count in group.counts.items())
    unbegun = group.unbegun if group.used is not None and not group.facts.is_search else 0
    counts = ((group.running, "running"), (group.pending, "pending"), (group.failed, "failed"),
              (group.ended, "ended early"), (unbegun, "not begun"))
    parts = [f"{group.done:,}/{group.total:,} done", *(f"{count:,} {word}" for count, word in counts if count)]
    if group.best is not None and group.best_value is not None:
        value = format(group.best_value, _format(group.facts.metric, settings))
        parts.append(f"best {value} ({_told(group.best, group.facts)})")
    if group.seconds_left:
        parts.append(f"{inline.duration(group.seconds_left)} left")
    return ", ".join([*parts, *_spending(group, group.facts)])


def _spending(group: GroupStatus, facts: SweepFacts) -> list[str]:
    """What it has used, and of how much; that nothing more is begun, where all of that is used up."""
    parts = []
    if facts.budget is not None and group.used is not None:
        parts.append(f"{dollars(group.used.dollars)} of {dollars(facts.budget)}")
    elif group.dollars is not None:
        parts.append(dollars(group.dollars))
    if facts.gpu_hours is not None and group.used is not None:
        used = gpu_hours(group.used.gpu_hours).partition(" ")[0]
        parts.append(f"{used} of {gpu_hours(facts.gpu_hours)}")
    return [*parts, "budget spent"] if group.why_spent else parts


def more_line(group: GroupStatus) -> str:
    """That some of a group have no row; empty where all have."""
    return f"… {group.hidden:,} more of {group.name} run or have failed: --verbose" if group.hidden else ""


def _status_of(name: str, resources: tuple[ResourceStatus, ...]) -> GroupStatus:
    facts = next((one.sweep for one in resources if one.sweep is not None), None)
    units = _trials(name, resources) if facts is not None else [[one] for one in resources]
    counts = Counter(_sort_of_trial(unit) for unit in units)
    known = [one.dollars for one in resources if one.dollars is not None]
    total = max(len(units), facts.trials if facts is not None else 0)
    to_begin = counts["pending"] + max(0, total - len(units))
    return GroupStatus(name, resources, facts, counts["done"], counts["running"], counts["pending"],
                       counts["failed"], counts["ended"], _best(resources, facts),
                       _seconds_left(resources, to_begin), sum(known) if known else None,
                       next((one.sweep_usage for one in resources), None))


def _trials(name: str, resources: Sequence[ResourceStatus]) -> list[list[ResourceStatus]]:
    """The resources of each trial: they share the name that follows that of the sweep."""
    trials: dict[str, list[ResourceStatus]] = {}
    for one in resources:
        trials.setdefault(one.address.removeprefix(f"{name}{SEPARATOR}").partition(SEPARATOR)[0], []).append(one)
    return list(trials.values())


def _sort(one: ResourceStatus) -> str:
    if one.status in (Status.SUCCEEDED, Status.READY):
        return "done"
    if one.status is Status.PENDING:
        return "pending"
    if one.status.is_live:
        return "running"
    return "ended" if one.was_pruned or one.status is Status.STOPPED else "failed"


def _sort_of_trial(jobs: Sequence[ResourceStatus]) -> str:
    sorts = {_sort(one) for one in jobs}
    return next(sort for sort in ("failed", "running", "pending", "ended", "done") if sort in sorts)


def _best(resources: Sequence[ResourceStatus], facts: SweepFacts | None) -> ResourceStatus | None:
    if facts is None or not facts.metric:
        return None
    sign = -1.0 if facts.goal == "minimize" else 1.0
    known = [(value, one) for one in resources
             if _sort(one) != "failed" and (value := _value(one, facts.metric)) is not None]
    return max(known, key=lambda pair: sign * pair[0])[1] if known else None


def _value(one: ResourceStatus, metric: str) -> float | None:
    value = one.progress.metrics.get(metric) if one.progress is not None else None
    return value if value is not None and math.isfinite(value) else None


def _format(metric: str, settings: MetricSettings) -> str:
    return next((one.format for one in settings.show if one.name == metric), Metric(metric).format)


def _told(trial: ResourceStatus, facts: SweepFacts) -> str:
    if 0 < len(trial.trial) <= _MOST_SETTINGS:
        return trial_text(trial.trial, facts.keys)
    return trial.address.rpartition(SEPARATOR)[2]


def _seconds_left(resources: Sequence[ResourceStatus], to_begin: int) -> float | None:
    """At the pace of what runs, with the usual time of what has not begun; None where one of them is not known.

    Of what runs and tells no pace, the usual time counts in full.
    """
    running = [one for one in resources if _sort(one) == "running"]
    usual = _usual(resources)
    left = [usual if one.progress is None or one.progress.seconds_left is None else one.progress.seconds_left
            for one in running]
    known = [seconds for seconds in left if seconds is not None]
    if not known or len(known) < len(left) or (to_begin and usual is None):
        return None
    return max(*known, (sum(known) + to_begin * (usual or 0.0)) / len(running))


def _usual(resources: Sequence[ResourceStatus]) -> float | None:
    """How long a trial takes: those that succeeded, else those that run, at their pace."""
    from statistics import median  # it takes a while to import, and most commands need none

    ended = [one.seconds for one in resources if one.status is Status.SUCCEEDED and one.seconds is not None]
    paces = [one.progress.elapsed + (one.progress.seconds_left or 0.0) for one in resources
             if one.progress is not None and one.status is Status.RUNNING and one.progress.elapsed]
    return median(ended or paces) if ended or paces else None


def document(group: GroupStatus) -> documents.SweepStatus | None:
    """A sweep as JSON values; None of a component that is no sweep."""
    if group.facts is None:
        return None
    return {**show.sweep_document(group.facts), "trials": group.total, "done": group.done, "running": group.running,
            "pending": group.pending, "failed": group.failed, "ended": group.ended, "best": group.best_value,
            "best_address": None if group.best is None else group.best.address,
            "seconds_left": group.seconds_left, "cost": group.dollars if group.used is None else group.used.dollars,
            "gpu_hours_used": None if group.used is None else group.used.gpu_hours, "spent": group.why_spent or None}


def sweep_documents(resources: Sequence[ResourceStatus]) -> dict[str, documents.SweepStatus]:
    """How each sweep is, as JSON values by its address."""
    known = ((name, document(group)) for name, group in group_statuses(resources).items())
    return {name: one for name, one in known if one is not None}
