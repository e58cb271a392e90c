"""How long runs should take, from how long earlier runs of the same job took. Pure: providers measure the times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from expiac.declare.fields import Kind
from expiac.plan.kinds import CONFIG
from expiac.plan.model import Action, Plan, Step
from expiac.state.model import Record, State
from expiac.state.status import Status

_NEWEST = 5


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a run should take."""

    seconds: float
    by_steps: bool
    """Whether its steps, and those of earlier runs, are counted."""


class Durations:
    """What the runs of one state took that succeeded at their first launch, by address."""

    def __init__(self, state: State) -> None:
        self._known: dict[str, list[Record]] = {}
        for record in (*state.history, *state.records.values()):
            if record.seconds is not None and record.status is Status.SUCCEEDED and record.run.launch == 1:
                self._known.setdefault(record.address, []).append(record)

    def expected(
        self, address: str, inputs: Mapping[str, Any], kinds: Mapping[str, Kind], total_steps: str = "",
    ) -> Expected | None:
        """How long a run with these inputs should take: the median of the newest ones, those placed alike first.

        Where `total_steps`, the key path of the number of steps, tells it of both, as much longer as it has more steps.
        """
        known = self._known.get(address)
        if not known:
            return None
        placed = [key for key, kind in kinds.items() if kind is Kind.PLACEMENT]
        alike = [record for record in known if all(record.inputs.get(key) == inputs.get(key) for key in placed)]
        newest = _newest(alike or known)
        wanted = _number_at(total_steps, inputs)
        per_step = [seconds / steps for record, seconds in newest if (steps := _number_at(total_steps, record.inputs))]
        if wanted and per_step:
            return Expected(wanted * _median(per_step), by_steps=True)
        return Expected(_median(seconds for _, seconds in newest), by_steps=False)

    def usual_seconds(self, address: str) -> float | None:
        """Seconds that the newest runs of this address took."""
        known = self._known.get(address)
        return _median(seconds for _, seconds in _newest(known)) if known else None


def _newest(records: list[Record]) -> list[tuple[Record, float]]:
    """The newest records, each with how long its run took."""
    return [(record, record.seconds) for record in records[-_NEWEST:] if record.seconds is not None]


def _number_at(path: str, inputs: Mapping[str, Any]) -> float:
    """The number at a key path of the training config or of the inputs; 0 where there is none."""
    for value in (inputs.get(CONFIG), inputs):
        found: Any = value
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        try:
            if found is not None and (number := float(found)) > 0:
                return number
        except (TypeError, ValueError):
            continue
    return 0.0


def _median(numbers: Iterable[float]) -> float:
    from statistics import median  # it takes a while to import, and most plans need none

    return median(numbers)


def seconds_until_done(plan: Plan) -> tuple[float, bool] | None:
    """Seconds until all that the plan launches should have ended, and whether that is all of it; None where nothing is
    known.

    What waits for other runs comes after these, and where `max_running` bounds what runs at once, what finds no place
    comes after what has one. How long the runs take that have places already is not known, nor time in a queue.
    """
    launched = [step for step in plan.steps if step.action.launches]
    known = [step for step in launched if step.expected_seconds is not None]
    if not known:
        return None
    kept = sum(_keeps_place(step) for step in plan.steps) if plan.max_running else 0
    places = [0.0] * max(1, (plan.max_running or len(launched)) - kept)
    """When each place becomes free, the earliest first."""
    ends: dict[str, float] = {}
    for step in launched:
        before = max((ends.get(name, 0.0) for name in step.depends_on), default=0.0) if step.deferred else 0.0
        ends[step.address] = max(before, heappop(places)) + (step.expected_seconds or 0.0)
        heappush(places, ends[step.address])
    is_all = len(known) == len(launched) and not (kept and any(step.deferred for step in launched))
    return max(ends.values()), is_all


def _keeps_place(step: Step) -> bool:
    """Whether a job that runs now goes on beside what is launched."""
    stays = step.action in (Action.KEEP, Action.UPDATE) and step.record is not None
    return stays and step.record is not None and step.record.status.is_live and step.record.status is not Status.READY
