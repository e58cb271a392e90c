"""The policies that ship with expiac, on plans made in memory."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from expiac.declare.project import Project
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.plan.cost import add_price
from expiac.plan.model import Plan
from expiac.policies.builtin import Refuse, budget, max_gpus, required_tags, spot_only
from expiac.testing import Run, World

HERE = Project(root=Path())


def planned(tmp_path, *runs: Resource) -> Plan:
    return World(tmp_path).plan(Stack("ppo", runs)).plan


def refused(policy, plan: Plan) -> list[str]:
    return [verdict.address for verdict in policy(plan, HERE) if isinstance(verdict, Refuse)]


def test_gpus_are_counted_over_all_jobs(tmp_path):
    """Those that go on running too."""
    world = World(tmp_path)
    world.apply(Stack("ppo", [Run("a", gpus=4)]))
    plan = world.plan(Stack("ppo", [Run("a", gpus=4), Run("b", gpus=8)])).plan
    assert list(max_gpus(12)(plan, HERE)) == []
    (verdict,) = max_gpus(11)(plan, HERE)
    assert verdict.message == "12 GPUs, and 11 are allowed; b asks for 8"


def test_a_tag_for_each_pattern(tmp_path):
    """Of what is launched."""
    plan = planned(tmp_path, Run("a", tags=("team:rl", "paper")), Run("b", tags=("paper",)))
    assert refused(required_tags("team:*", "paper"), plan) == ["b"]


def test_a_budget_of_all_stacks(tmp_path):
    """As that of one: where nothing bounds a job, nobody can say."""
    plan = planned(tmp_path, Run("a"))
    dear = Plan(plan.stack, plan.lineage, plan.serial, tuple(add_price(step, 10.0) for step in plan.steps))
    (verdict,) = budget(100)(dear, HERE)
    assert "nothing bounds a" in verdict.message
    assert list(budget(100)(plan, HERE)) == []


def test_spot_is_asked_of_machines_of_others_only(tmp_path):
    """A run on this machine is nobody's bill."""
    plan = planned(tmp_path, Run("a"))
    assert refused(spot_only(), plan) == ["a"]
    assert refused(spot_only(False), plan) == []


class Numbers(Resource):
    """What is no job: its provider runs none."""

    type: ClassVar[str] = "numbers"
    gpus: int = 0


class NumbersProvider:
    """No backend: it does not inherit `RunsJobs`."""


def test_what_is_no_job_is_not_judged(tmp_path):
    """Neither its field `gpus`, nor that it is on no spot machine and has no tags."""
    project = Project(root=tmp_path, providers={"numbers": f"{__name__}:NumbersProvider"})
    plan = planned(tmp_path, Numbers("data", gpus=4), Run("a", gpus=2))
    for policy in (max_gpus(1), spot_only(), required_tags("team:*")):
        (verdict,) = policy(plan, project)
        assert verdict.address == "a" or verdict.message == "2 GPUs, and 1 are allowed; a asks for 2"
