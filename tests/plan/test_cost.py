"""What a plan costs, and the budget that refuses it."""

from __future__ import annotations

import pytest

from expiac.plan.cost import add_price, longest_hours, refuse_over
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.state.events import Run
from expiac.state.model import Record
from expiac.state.status import Status
from expiac.util.errors import ExpiacError
from expiac.view import show

RUN = Run("s.a.00000000", "f", 0, 1)


def step(address, per_hour, action=Action.CREATE, status=None, **inputs):
    want = Desired(address, "job", "skypilot", inputs, {}, "d")
    record = status and Record(address, "job", "skypilot", RUN, inputs, status=status)
    return add_price(Step(address, "job", action, "new", RUN, desired=want, record=record), per_hour)


def plan(*steps):
    return Plan("s", "l", 0, steps)


@pytest.mark.parametrize(("inputs", "hours"), [
    ({}, None), ({"max_runtime": 1800}, 0.5), ({"max_runtime": "90m"}, 1.5), ({"max_runtime": "2d"}, 48),
    ({"max_runtime": "1h", "max_restarts": 2}, 3), ({"max_runtime": "1h", "recover_on_exit_codes": [3]}, None),
])
def test_what_bounds_a_run(inputs, hours):
    """Each start that is allowed may take as long again."""
    assert longest_hours(inputs) == hours


def test_a_plan_says_what_it_costs_and_what_has_no_price():
    shown = show.text(plan(step("a", 2.5, max_runtime="4h"), step("b", None)))
    assert "$2.50 per hour, at most $10.00" in shown
    assert "no price known" in shown
    assert shown.endswith("2 to create, at least $2.50 per hour, at most $10.00")


def test_a_plan_within_its_budget_goes():
    refuse_over(10, plan(step("a", 2.5, max_runtime="4h"), step("b", None)))


def test_a_plan_above_its_budget_names_what_costs_most():
    """What goes on running counts, what has ended does not."""
    kept = step("kept", 5, Action.KEEP, Status.RUNNING, max_runtime="1h")
    over = step("over", 900, Action.KEEP, Status.SUCCEEDED, max_runtime="1h")
    refuse_over(15, plan(step("a", 2.5, max_runtime="4h"), kept, over))
    with pytest.raises(ExpiacError, match="Over budget") as raised:
        refuse_over(14.99, plan(kept, over, step("a", 2.5, max_runtime="4h")))
    assert [line.split(":")[0] for line in raised.value.detail.splitlines()[1:]] == ["a", "kept"]


def test_a_budget_needs_a_worst_case():
    with pytest.raises(ExpiacError, match="nothing bounds a"):
        refuse_over(1000, plan(step("a", 2.5)))
