"""What a plan costs, and whether its budget allows it. Pure: prices come from the provider.

The worst case of a job is its price for as long as `max_runtime` lets it run, once for each start that `max_restarts`
allows. Recoveries of a job whose machine was taken away come on top: nobody can bound them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from expiac.plan.model import Plan, Step
from expiac.util import duration
from expiac.util.errors import ExpiacError

_NAMED = 5


def add_price(step: Step, per_hour: float | None) -> Step:
    """The step with its price in dollars per hour; None where the provider knows none."""
    if per_hour is None or step.desired is None:
        return replace(step, unpriced=True)
    hours = longest_hours(step.desired.inputs)
    return replace(step, cost_per_hour=per_hour, cost_at_most=None if hours is None else per_hour * hours)


def longest_hours(inputs: Mapping[str, Any]) -> float | None:
    """How many hours a job may run at most, all its starts together; None where nothing bounds it."""
    limit = inputs.get("max_runtime")
    if limit is None or inputs.get("recover_on_exit_codes"):
        return None
    return duration.seconds(limit) / 3600 * (1 + int(inputs.get("max_restarts", 0)))


def will_run(step: Step) -> bool:
    """Whether a step's job will be running when the plan is done."""
    is_kept = step.desired is not None and step.record is not None and step.record.status.is_live
    return step.action.launches or is_kept


def refuse_over(budget: float, plan: Plan) -> None:
    """Raises where what the plan lets run may cost more than the budget, or where nothing bounds it."""
    if unknown := [step for step in plan.steps if will_run(step) and step.price_error]:
        detail = f"{plan.stack} has a budget of {dollars(budget)}, and the price of {_names(unknown)} is not known"
        raise ExpiacError("Price not known", f"{detail}: {unknown[0].price_error}", "credentials, or no budget")
    steps = [step for step in plan.steps if will_run(step) and step.cost_per_hour]
    if unbounded := [step for step in steps if step.cost_at_most is None]:
        detail = f"{plan.stack} has a budget of {dollars(budget)}, and nothing bounds {_names(unbounded)}"
        raise ExpiacError("No worst case", detail, "max_runtime=12h, in the job's SkypilotJobConfig, or no budget")
    total = sum(step.cost_at_most or 0 for step in steps)
    if total > budget:
        detail = f"{plan.stack} may cost {dollars(total)}, and its budget is {dollars(budget)}"
        hint = f"a shorter max_runtime, fewer gpus, spot, or budget={total:.2f}"
        raise ExpiacError("Over budget", "\n".join([detail, *_most_expensive(steps)]), hint)


def cost_text(per_hour: float, at_most: float | None) -> str:
    """`$10.00 per hour, at most $40.00`."""
    return f"{dollars(per_hour)} per hour" + ("" if at_most is None else f", at most {dollars(at_most)}")


def dollars(amount: float) -> str:
    """With cents."""
    return f"${amount:,.2f}"


def _most_expensive(steps: list[Step]) -> list[str]:
    """A line for each of the most expensive steps, and one that counts the rest."""
    by_cost = sorted(steps, key=lambda step: -(step.cost_at_most or 0))
    lines = [f"{step.address}: {cost_text(step.cost_per_hour or 0, step.cost_at_most)}" for step in by_cost[:_NAMED]]
    return [*lines, f"and {len(steps) - _NAMED} more"] if len(steps) > _NAMED else lines


def _names(steps: list[Step]) -> str:
    names = ", ".join(step.address for step in steps[:_NAMED])
    return f"{names} and {len(steps) - _NAMED} more" if len(steps) > _NAMED else names
