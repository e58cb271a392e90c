"""What reviewed snapshots say of a plan: marks what was never reviewed, and refuses it where that is asked for.

Where a stack has no snapshots, nobody reviews it, and nothing is said. A plan that launches nothing waits for none of
what reads and writes rendered files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from expiac.declare.override_words import command_line
from expiac.declare.project import Project
from expiac.plan.model import Plan
from expiac.util.errors import ExpiacError

_MOST = 4


def mark_reviewed(plan: Plan, project: Project, *, demanded: bool = False) -> Plan:
    """The plan, which knows what of it was reviewed. Raises `ExpiacError` where all of it has to be, and is not."""
    if not _launches(plan) or not (demanded or (project.root / project.snapshots).is_dir()):
        return plan
    from expiac.review.reviewed import launched, rendered_launches, sets_of_stack
    from expiac.review.snapshots import Snapshots

    if sets := sets_of_stack(Snapshots(project), plan.stack):
        known = rendered_launches(plan, project, sets)
        plan = replace(plan, reviewed={one.job: one.digest if one.sets else "" for one in known})
    if demanded:
        reviewed = plan.reviewed or {}
        _refuse([address for address in launched(plan) if not reviewed.get(address)], plan)
    return plan


def review_facts(plan: Plan, project: Project) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the journal records of the launches of a plan, by instance: the digest of the rendered files, and the set of
    snapshots that holds them, which is empty where none does. Nothing of the latter where the stack has no snapshots.
    """
    if not _launches(plan):
        return {}, {}
    from expiac.review.reviewed import rendered_launches, sets_of_stack
    from expiac.review.snapshots import Snapshots

    sets = sets_of_stack(Snapshots(project), plan.stack)
    known = rendered_launches(plan, project, sets)
    rendered = {one.instance: one.digest for one in known}
    return rendered, {one.instance: one.sets[0].name if one.sets else "" for one in known} if sets else {}


def _launches(plan: Plan) -> bool:
    return any(step.action.launches for step in plan.steps)


def _refuse(unreviewed: list[str], plan: Plan) -> None:
    if unreviewed:
        more = f" and {len(unreviewed) - _MOST:,} more" if len(unreviewed) > _MOST else ""
        raise ExpiacError("Not reviewed",
                          f"{', '.join(unreviewed[:_MOST])}{more}: what would be launched was not accepted",
                          command_line("review", plan.program or plan.stack, plan.overrides))
