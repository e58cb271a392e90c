"""How long runs should take, from how long earlier runs of the same job took. Pure: providers measure the times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.model import Plan
from expiac.state.model import Record, State
from expiac.state.status import Status

_NEWEST = 5


class Durations:
    """What the runs of one state took that succeeded at their first launch, by address."""

    def __init__(self, state: State) -> None:
        self._known: dict[str, list[Record]] = {}
        for record in (*state.history, *state.records.values()):
            if record.seconds is not None and record.status is Status.SUCCEEDED and record.run.launch == 1:
                self._known.setdefault(record.address, []).append(record)

    def expected_seconds(self, address: str, inputs: Mapping[str, Any], kinds: Mapping[str, Kind]) -> float | None:
        """Seconds that a run with these inputs should take: the median of the newest ones, those placed alike first."""
        known = self._known.get(address)
        if not known:
            return None
        placed = [key for key, kind in kinds.items() if kind is Kind.PLACEMENT]
        alike = [record for record in known if all(record.inputs.get(key) == inputs.get(key) for key in placed)]
        return _median(alike or known)

    def usual_seconds(self, address: str) -> float | None:
        """Seconds that the newest runs of this address took."""
        return _median(self._known.get(address, []))


def _median(records: list[Record]) -> float | None:
    from statistics import median  # it takes a while to import, and most plans need none

    took = [record.seconds for record in records[-_NEWEST:] if record.seconds is not None]
    return median(took) if took else None


def seconds_until_done(plan: Plan) -> tuple[float, bool] | None:
    """Seconds until all that the plan launches should have ended, what waits for other runs after these, and whether
    that is all of it; None where nothing is known. Time in a queue comes on top."""
    launched = [step for step in plan.steps if step.action.launches]
    ends: dict[str, float] = {}
    for step in launched:
        before = max((ends.get(name, 0.0) for name in step.depends_on), default=0.0) if step.deferred else 0.0
        ends[step.address] = before + (step.expected_seconds or 0.0)
    known = [step for step in launched if step.expected_seconds is not None]
    return (max(ends.values()), len(known) == len(launched)) if known else None
