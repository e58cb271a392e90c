"""A plan that nobody has approved is made anew where another command was faster, and an approved one is refused."""

from __future__ import annotations

import pytest

from expiac.apply.events import Began, Warned
from expiac.plan.model import Action
from expiac.util.errors import ExpiacError, Stale


def faster(chain, *overrides: str) -> None:
    """Another command, from its plan to its end."""
    chain.apply(*overrides, wait=False)
    chain.moments.clear()


def test_the_same_apply_finds_nothing_left_to_do(chain):
    """And says why its plan is another one."""
    with chain.open() as session:
        plan = session.plan()
        faster(chain)
        result = session.apply(plan, make_anew=session.plan)
        assert (result.is_well, result.done) == (True, ())
    assert chain.launched == ["a"]
    (warned,) = [one.text for one in chain.moments if isinstance(one, Warned)]
    assert warned.startswith("planned anew, under the lock: The plan stands on serial 0")
    assert [one.plan.is_empty for one in chain.moments if isinstance(one, Began)] == [False, False]


def test_what_the_other_one_launched_is_planned_from(chain):
    """The last apply decides, as if it had begun later."""
    with chain.open("lr=0.5") as session:
        plan = session.plan()
        assert plan["a"].action is Action.CREATE
        faster(chain)
        session.apply(plan, make_anew=session.plan)
        assert session.state.records["a"].inputs["config"] == {"lr": 0.5}
    plans = [one.plan["a"].action for one in chain.moments if isinstance(one, Began)]
    assert plans == [Action.CREATE, Action.REPLACE]
    assert chain.launched == ["a", "a"]
    assert len(chain.memory.running()) == 1


def test_a_destroy_destroys_what_was_launched_meanwhile(chain):
    chain.apply(wait=False)
    with chain.open_recorded("chain") as session:
        plan = session.plan_destroy()
        faster(chain, "lr=0.5")
        assert session.apply(plan, make_anew=session.plan_destroy).is_well
    assert chain.memory.running() == []


def test_an_approved_plan_stays_stale(chain):
    """Nothing is launched that nobody has seen."""
    with chain.open("lr=0.5") as session:
        plan = session.plan()
        faster(chain)
        with pytest.raises(Stale):
            session.apply(plan)
    assert chain.launched == ["a"]


def test_waiting_follows_the_new_plan(chain):
    """Its deferred steps, and not those of the plan that was stale."""
    with chain.open("lr=0.5") as session:
        plan = session.plan()
        faster(chain)
        result = session.apply(plan, make_anew=session.plan, wait=True, timeout=5)
    assert [step.address for step in result.done] == ["a", "b", "c"]
    assert chain.launched == ["a", "a", "b", "c"]


def test_a_new_plan_that_is_refused_launches_nothing(chain):
    """What is wrong with it is the error."""
    def refuse():
        raise ExpiacError("Over the budget", "too dear")

    with chain.open("lr=0.5") as session:
        plan = session.plan()
        faster(chain)
        with pytest.raises(ExpiacError, match="too dear"):
            session.apply(plan, make_anew=refuse)
    assert chain.launched == ["a"]
