"""How many trials of a search are still to be proposed, as the state alone tells it: nobody is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath

from expiac.apply.events import SearchLeft
from expiac.apply.search.limits import why_no_more
from expiac.apply.search.trials import recorded_trials
from expiac.plan.budgets import sweep_usage
from expiac.plan.failures import ended_sweeps
from expiac.plan.searches import apply_command, recorded_searches
from expiac.plan.sweeps import recorded_sweeps
from expiac.state.model import State


def searches_left(state: State, stacks: PurePath) -> tuple[SearchLeft, ...]:
    """The searches that would go on, each with the command for that; `stacks` is the project's folder of stack files.

    One is left out that has ended early, as far as the state knows: its bound is met, or its budget is used up.
    """
    last = state.approved
    if last is None or not last.program:
        return ()  # it was destroyed
    sweeps, approved = recorded_sweeps(state), recorded_searches(state)
    ended = {sweep.name for sweep in ended_sweeps(sweeps, state, last.max_failures)}
    found = []
    for name, facts in sweeps.items():
        if not facts.is_search or name in ended:
            continue
        known = approved.get(name)
        trials = recorded_trials(name, state, known.study if known else "")
        left = facts.trials - len(trials)
        if left > 0 and not (known and why_no_more(known, trials, sweep_usage(name, state, datetime.now(UTC)))):
            command = f"expiac status {state.stack} --watch --continue" if known else apply_command(state, stacks)
            found.append(SearchLeft(name, left, facts.trials, command))
    return tuple(found)
