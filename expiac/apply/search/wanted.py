"""What the searches of a stack want while an apply waits: trials to begin and to end, as results come in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from expiac.apply.search.searching import Found, is_wanted, only_proposed
from expiac.plan.model import Plan
from expiac.plan.planner import PlanOptions


class PlansSearches(Protocol):
    """What makes the plans of a stack with searches."""

    @property
    def proposed(self) -> Collection[str]:
        """The addresses of the trials that the last look proposes."""

    @property
    def told(self) -> Sequence[str]:
        """The addresses of the trials whose outcomes the last look found."""

    @property
    def look(self) -> object:
        """What decides whether a proposal can begin."""

    @property
    def awaits_results(self) -> bool:
        """Whether results are on their way."""

    def search(self, *, asks: bool = True, without: Collection[str] = ()) -> Found | None:
        """Looks at the searches."""

    def plan(self, options: PlanOptions, *, refresh: bool, goes_on: bool = False,
             without: Collection[str] = ()) -> Plan:
        """Makes a plan."""


class WantedTrials:
    """What the searches of a stack want to begin and to end, as far as the user has let them: see `options`."""

    def __init__(self, planning: PlansSearches, names: Collection[str], options: PlanOptions) -> None:
        self._planning = planning
        self._left_out = {name for name in names if not is_wanted(name, options)}
        self._names = [name for name in names if name not in self._left_out]
        self._idle: object = None
        """How the runs were when there was nothing to do, though trials were proposed."""

    def leave_out(self, names: Collection[str]) -> None:
        """Nothing more is proposed by these searches."""
        self._left_out |= set(names)
        self._names = [name for name in self._names if name not in self._left_out]

    def are_due(self) -> bool:
        found = self._planning.search(without=self._left_out)
        return found is not None and found.has_news and self._planning.look != self._idle

    def are_awaited(self) -> bool:
        return bool(self._names) and self._planning.awaits_results

    def plan(self) -> Plan | None:
        """Only what a search asks for: of what else would have to be done by now, the user has not been told."""
        trials = [f"{name}/*" for name in self._names] or self._planning.told
        plan = self._planning.plan(PlanOptions(target=trials), refresh=True, goes_on=True, without=self._left_out)
        plan = only_proposed(plan, self._planning.proposed)
        if plan.is_empty and not plan.told:
            self._idle = self._planning.look
            return None
        return plan
