"""What a plan and the state say of the sweeps that a program declares. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from expiac.declare.stack import Stack
from expiac.state.events import SweepFacts


def sweep_facts(stack: Stack) -> Mapping[str, SweepFacts]:
    """What is recorded of each sweep, by its address."""
    return {sweep.name: SweepFacts(sweep.keys, sweep.metric, sweep.goal,
                                   sweep.search.trials if sweep.search else len(sweep.trials), bool(sweep.search))
            for sweep in stack.sweeps}
