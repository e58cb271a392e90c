"""Sums up the steps of large sweeps and components while a plan is carried out: `lr   1,000 created`. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from expiac.apply.events import Began, Finished, ProgressEvent, StepDeferred, StepEnded, StepFailed, StepSkipped
from expiac.plan.groups import groups_of
from expiac.plan.model import Action, Plan, Step

DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.RELAUNCH: "launched again",
    Action.STOP: "stopped",
    Action.KEEP: "kept",
    Action.RESTORE: "restored",
    Action.FORGET: "forgotten",
}
"""What has become of a step that was done."""
MANY = 10
"""The steps of a group with more of them are summed up."""


@dataclass(slots=True)
class _Count:
    """How far the steps of one group are."""

    due: int
    """How many are to end before the group is told of."""
    ended: int = 0
    done: Counter[Action] = field(default_factory=Counter)
    """Those that were not told of yet."""
    skipped: Counter[str] = field(default_factory=Counter)
    """By the reason; those that were not told of yet."""


@dataclass(frozen=True, slots=True)
class Summed:
    """What has become of some steps of a group."""

    name: str
    words: str
    action: Action | None
    """What they all did; None where they did several things, or nothing."""


class StepTally:
    """Counts the steps of the groups of one plan."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._is_verbose = verbose
        self._groups: dict[str, str] = {}
        """By address, the group of a step that is summed up."""
        self._counts: dict[str, _Count] = {}

    def name_of(self, step: Step) -> str:
        """The group with which a step is told of; empty where it is told of by itself."""
        return self._groups.get(step.address, "")

    def is_counted(self, event: ProgressEvent) -> bool:
        """Whether an event has no line of its own. What failed always has one."""
        match event:
            case StepEnded(step, status):
                return bool(self.name_of(step)) and not (step.action.launches and status.is_failure)
            case StepSkipped(step):
                return bool(self.name_of(step))
        return False

    def count(self, event: ProgressEvent) -> list[Summed]:
        """Counts the event; gives what is to be told now of groups of which every step has ended."""
        match event:
            case Began(plan):
                self._begin(plan)
            case StepEnded(step) | StepFailed(step) | StepSkipped(step):
                return self._end(step, event)
            case StepDeferred(step) if name := self.name_of(step):
                self._counts[name].due -= 1
            case Finished():
                return [told for name in self._counts for told in self._tell(name)]
        return []

    def under_way(self) -> list[str]:
        """A line for each group of which some steps have ended and others have not: `lr   137 of 1,000 done`."""
        return [f"{name}   {count.ended:,} of {count.due:,} done" for name, count in self._counts.items()
                if 0 < count.ended < count.due]

    def _begin(self, plan: Plan) -> None:
        self._groups, self._counts = {}, {}
        for name, steps in ({} if self._is_verbose else groups_of(plan)).items():
            active = [step for step in steps if step.action is not Action.KEEP]
            if len(active) > MANY:
                self._groups |= {step.address: name for step in steps}
                self._counts[name] = _Count(len(active))

    def _end(self, step: Step, event: ProgressEvent) -> list[Summed]:
        name = self.name_of(step)
        if not name:
            return []
        count = self._counts[name]
        count.ended += 1
        if isinstance(event, StepSkipped):
            count.skipped[event.why] += 1
        elif self.is_counted(event):
            count.done[step.action] += 1
        return list(self._tell(name)) if count.ended == count.due else []

    def _tell(self, name: str) -> Iterator[Summed]:
        count = self._counts[name]
        if count.done:
            words = ", ".join(f"{number:,} {DONE[action]}" for action, number in count.done.items())
            yield Summed(name, words, next(iter(count.done)) if len(count.done) == 1 else None)
        for why, number in count.skipped.items():
            yield Summed(name, f"{number:,} skipped: {why}", None)
        count.done, count.skipped = Counter(), Counter()
