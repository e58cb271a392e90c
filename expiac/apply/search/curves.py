"""How the metric of a trial went: its value at equal distances on the way, so that trials can be compared early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from expiac.apply.metrics.errors import MetricsError
from expiac.apply.metrics.places import Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics
from expiac.apply.search.study import LIVE
from expiac.apply.search.trials import SearchTrial


@dataclass(frozen=True, slots=True)
class _Logged:
    """What a trial has logged of one metric."""

    points: Sequence[tuple[float, float]]
    """Step and value, in the order of the steps."""
    total: float
    """How many steps it takes, where it says so, or has taken."""


@dataclass
class Curves:
    """The curves of the trials of one search; those of trials that have ended are read once."""

    metric: str
    checks: int
    _ended: dict[str, _Logged] = field(default_factory=dict)

    def of(self, trials: Sequence[SearchTrial], sources: Sequence[MetricsSource], look: Look) -> Mapping[
            int, Mapping[int, float]]:
        """By the number of each trial, the last value logged at each check that it has come to.

        The checks divide the way of the longest trial. A trial whose metrics can't be read has no curve.
        """
        unread = [trial.record for trial in trials if trial.record.run.instance not in self._ended]
        found = find_metrics(unread, sources, look)
        logged: dict[int, _Logged] = {}
        for trial in trials:
            instance = trial.record.run.instance
            one = self._ended.get(instance) or self._read(found.get(instance))
            if one is not None:
                logged[trial.number] = one
                if trial.state != LIVE:
                    self._ended[instance] = one
        length = max((one.total for one in logged.values()), default=0.0)
        return {number: self._at_checks(one, length) for number, one in logged.items()} if length > 0 else {}

    def _read(self, found: Found | None) -> _Logged | None:
        if found is None or found.metrics is None:
            return None
        points: list[tuple[float, float]] = []
        total = 0.0
        try:
            for row in found.metrics.rows():
                if row.step is None:
                    continue
                total = max(total, row.step, row.total_steps or 0.0)
                if (value := row.metrics.get(self.metric)) is not None:
                    points.append((row.step, value))
        except (MetricsError, OSError):
            pass  # what was read before it counts
        return _Logged(sorted(points), total) if points else None

    def _at_checks(self, logged: _Logged, length: float) -> Mapping[int, float]:
        values: dict[int, float] = {}
        last, place = logged.points[-1][0], 0
        for check in range(1, self.checks + 1):
            step = length * check / self.checks
            if last < step * (1 - 1e-9):
                break
            while place < len(logged.points) and logged.points[place][0] <= step * (1 + 1e-9):
                place += 1
            if place:
                values[check] = logged.points[place - 1][1]
        return values
