"""Refuses plans that would take away what is protected. Pure."""

from __future__ import annotations

from expiac.plan.model import Action, Plan, Step
from expiac.util.errors import ExpiacError


def refuse_protected(plan: Plan) -> None:
    """Raises where a step would stop, replace or forget a protected resource, or move it while it runs."""
    if struck := [step for step in plan.steps if step.protects and _takes_away(step)]:
        lines = [f"{step.address}: the plan would {step.action.value} it ({_why(step)})" for step in struck]
        without = " ".join(f"--exclude {step.address}" for step in struck)
        raise ExpiacError("Protected", "\n".join(lines),
                          f"{without}, to leave {'them' if len(struck) > 1 else 'it'} as is; or protect=False in the "
                          "program, and expiac apply")


def _why(step: Step) -> str:
    changed = ", ".join(change.path for change in step.changes)
    return "; ".join(filter(None, [step.reason, f"{changed} changed" if changed else ""]))


def _takes_away(step: Step) -> bool:
    if step.restores is not None:
        return step.record is not None
    if step.action is Action.RELAUNCH:
        return step.extends or (step.record is not None and step.record.status.is_live)
    return step.action in (Action.REPLACE, Action.STOP, Action.FORGET)
