"""Says which other stacks use outputs of the runs that a plan destroys. Their own runs stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from expiac.declare.project import Project
from expiac.plan.model import Action, Plan
from expiac.state.stores import states
from expiac.util.errors import ExpiacError


def warn_of_users(plan: Plan, project: Project) -> Plan:
    """The plan of a destroy, with a warning for each resource of another stack that uses what it takes away."""
    gone = {step.address for step in plan.steps if step.action in (Action.STOP, Action.FORGET)}
    if not gone:
        return plan
    warnings = [f"{user} uses {address}: a plan of its stack is refused until there is another run of it"
                for user, address in _users(plan.stack, project) if address in gone]
    return replace(plan, warnings=(*plan.warnings, *warnings))


def _users(stack: str, project: Project) -> Iterator[tuple[str, str]]:
    """Each present resource of another stack that uses an output of this one, and whose output that is."""
    store = states(project)
    for other in store.names():
        if other == stack:
            continue
        with suppress(ExpiacError):  # a state that can't be read is no reason to keep another one
            for record in store.read(other).state.records.values():
                used = dict.fromkeys(one.resource for one in record.references if one.stack == stack)
                yield from ((f"{other}.{record.address}", address) for address in used)
