"""When a search is to propose no more: its bound is met, too many trials failed, or its budget is used up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from expiac.apply.search.study import FAILED
from expiac.apply.search.trials import SearchTrial, trial_name
from expiac.declare.expectations import meets
from expiac.plan.budgets import why_spent
from expiac.plan.usage import Usage
from expiac.state.facts import COMPLETE


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


def why_no_more(search: Limits, trials: Sequence[SearchTrial], used: Usage) -> str:
    """Why nothing more is proposed, though trials are left; empty where more are. `used` is by all its runs."""
    if search.stop_when is not None:
        for trial in trials:
            value = trial.outcome.values[0] if trial.outcome and trial.state == COMPLETE else None
            if value is not None and meets(value, search.stop_when):
                return f"{trial_name(trial.number)} has come to {value:g}, and {search.stop_when} was enough"
    failed = sum(trial.state == FAILED for trial in trials)
    if search.max_failures is not None and failed > search.max_failures:
        return f"{failed} trials have failed, and max_failures is {search.max_failures}"
    return why_spent(search.budget, search.gpu_hours, used)
