"""Whether a command may go on with the searches of a stack that an earlier apply began: only as they were approved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from expiac.apply.planning import Planning
from expiac.apply.search import only_proposed
from expiac.declare.component import component_of
from expiac.plan.model import Action, Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.searches import apply_command, changes_of_search, recorded_searches
from expiac.plan.sweeps import recorded_sweeps
from expiac.state.events import Approved
from expiac.state.facts import ApprovedSearch
from expiac.state.model import State
from expiac.util.errors import ExpiacError, UsageError


def approved_searches(state: State, stacks: PurePath) -> Sequence[str]:
    """The addresses of the searches that were approved. Raises `UsageError` where there is no search, and `ExpiacError`
    where none was approved, as in a state of an earlier release; `stacks` is the project's folder of stack files."""
    searches = [name for name, facts in recorded_sweeps(state).items() if facts.is_search]
    if not searches:
        raise UsageError("No search", f"{state.stack} has no search to go on with",
                         f"expiac status {state.stack} --watch")
    approved = tuple(recorded_searches(state))
    if not approved:
        raise _refusal(f"no apply has approved {', '.join(searches)} yet", state, stacks)
    return approved


def approved_program(state: State, stacks: PurePath) -> Approved:
    """What says which program was applied last, under which overrides. Raises as `approved_searches` does."""
    approved_searches(state, stacks)
    return _last(state)


def _last(state: State) -> Approved:
    return next(one.approved for one in reversed(state.approvals) if one.approved.program)


def continuation(planning: Planning, state: State, stacks: PurePath) -> tuple[Plan, int]:
    """A plan without steps for what was approved, and the serial of its approval.

    Raises `ExpiacError`, which says what has changed, where the program declares something else by now.
    """
    names, approved, declared = approved_searches(state, stacks), recorded_searches(state), planning.searches
    for name in names:
        if name not in declared:
            raise _refusal(f"{name} is no search any more", state, stacks)
        if changes := changes_of_search(approved[name], declared[name]):
            raise _refusal(f"{name} has changed since it was approved: {changes}", state, stacks)
    plan = planning.plan(PlanOptions(target=names), refresh=True)
    if _last(state).provenance.get("declared") != plan.declared:
        raise _refusal("what else the program declares has changed since it was approved", state, stacks)
    if steps := _unfinished(plan, planning.proposed, approved):
        raise _refusal(f"{steps[0]}, which needs an apply", state, stacks)
    return replace(plan, steps=(), changed_searches={}), state.approval


def _unfinished(plan: Plan, proposed: Collection[str], approved: Mapping[str, ApprovedSearch]) -> list[str]:
    """What an apply would do to trials besides, such as run them anew."""
    asked = {step.address for step in only_proposed(plan, proposed).steps}
    return [f"the plan has a {step.action.value} of {step.address}" for step in plan.steps
            if step.action is not Action.KEEP and step.address not in asked and component_of(step.address) in approved]


def _refusal(why: str, state: State, stacks: PurePath) -> ExpiacError:
    return ExpiacError("Search not approved", why, apply_command(state, stacks))
