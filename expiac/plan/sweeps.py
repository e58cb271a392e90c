"""What a plan and the state say of the sweeps that a program declares. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from expiac.state.facts import SweepFacts
from expiac.state.model import State

if TYPE_CHECKING:
    from expiac.declare.stack import Stack


def sweep_facts(stack: Stack) -> Mapping[str, SweepFacts]:
    """What is recorded of each sweep, by its address."""
    return {sweep.name: SweepFacts(sweep.keys, sweep.metric, sweep.goal,
                                   sweep.search.trials if sweep.search else len(sweep.trials), bool(sweep.search),
                                   sweep.max_failures, sweep.budget, sweep.gpu_hours)
            for sweep in stack.sweeps}


def recorded_sweeps(state: State) -> Mapping[str, SweepFacts]:
    """The sweeps that the last applied program declared, by address: a destroy declares nothing."""
    return next((one.approved.sweeps for one in reversed(state.approvals) if one.approved.program), {})


def has_search(state: State) -> bool:
    """Whether any of them is a search."""
    return any(facts.is_search for facts in recorded_sweeps(state).values())


def limits_of(sweeps: Mapping[str, SweepFacts]) -> Mapping[str, tuple[float | None, float | None]]:
    """The budget and the GPU-hours of each sweep that limits them."""
    return {name: (facts.budget, facts.gpu_hours) for name, facts in sweeps.items() if facts.is_limited}
