"""Policies: what a team allows stands between a plan and its apply."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.plan.cost import add_price
from expiac.plan.model import Plan
from expiac.policies.builtin import Refuse, budget, max_gpus, required_tags, spot_only
from expiac.testing import Run, World

HERE = Project(root=Path())


def planned(tmp_path, *runs: Run) -> Plan:
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


def test_a_backend_says_whether_its_machines_are_rented(tmp_path):
    """A project's own backend is asked like those that are built in."""
    plan = planned(tmp_path, Run("a"))
    mine = Project(root=Path(), providers={"memory": "expiac.testing.memory:MemoryProvider"})
    assert list(spot_only()(plan, mine)) == []


def settings(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.expiac]\n{text}\n")


@pytest.mark.parametrize(("said", "what"), [
    ("policies.required_tags = ['team:*']", "say_0: has no tag team:*"),
    ("policies.max_gpus = -1", "0 GPUs, and -1 are allowed"),
    ("policies.max_gpu = 4", "did you mean max_gpus?"),
    ("policies.max_gpus = 'many'", "Input should be a valid integer"),
])
def test_a_policy_of_the_project_refuses(project, expiac, said, what):
    """Or is refused itself; and nothing is launched."""
    settings(project, said)
    answer = expiac("apply", "lab", "--yes")
    assert (answer.code, what in answer.err) == (1, True), answer.err
    assert not (project / ".expiac" / "lab.jsonl").exists()


def test_a_policy_of_ones_own(project, expiac):
    """It warns in the plan, and refuses with its own words; its file is no stack."""
    (project / "stacks" / "policies.py").write_text('''
from expiac.policies.builtin import Refuse, Warn

def named(plan, project):
    yield Warn(f"{len(plan.steps)} jobs in {project.backend}")
    for step in plan.steps:
        if "other" in step.desired.inputs["run"]:
            yield Refuse("no others", step.address)

POLICIES = [named]
''')
    assert "! 1 jobs in local" in expiac("plan").out
    assert json.loads(expiac("plan", "--json").out)["warnings"] == ["1 jobs in local"]
    assert "Refused by policy\n  say_0: no others" in expiac("plan", "lab", "words=other").err


@pytest.mark.parametrize(("text", "what"), [
    ("POLICIES = 3", "has no list POLICIES"),
    ("def f(plan, project):\n    return [3]\nPOLICIES = [f]", "f yields 3"),
    ("def f(plan, project):\n    raise KeyError('x')\nPOLICIES = [f]", "stacks/policies.py:2: KeyError: 'x'"),
    ("def f(", "Syntax error"),
])
def test_a_policy_with_a_mistake_is_told_as_its_authors(project, expiac, text, what):
    """With its line; a traceback would be ours."""
    (project / "stacks" / "policies.py").write_text(text)
    said = expiac("plan", "lab")
    assert (said.code, what in said.err, "Traceback" in said.err) == (1, True, False), said.err


def test_a_saved_plan_passes_by_the_policies_again(project, expiac):
    """They may have changed since."""
    assert expiac("plan", "lab", "--out", "lab.plan").code == 0
    settings(project, "policies.required_tags = ['paper']")
    said = expiac("apply", "lab.plan", "--yes")
    assert (said.code, "has no tag paper" in said.err) == (1, True)


def test_what_is_launched_was_reviewed(project, expiac):
    """Committed as it would be rendered now; a change of either is refused, and so is what git does not know."""
    settings(project, "policies.reviewed_snapshots = 'snapshots'")
    assert "is not what would be launched" in expiac("plan", "lab").err
    assert expiac("render", "lab", "--out", "snapshots/lab").code == 0
    assert "is not committed" in expiac("plan", "lab").err
    for words in (["init", "--quiet"], ["add", "snapshots"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit",
                                                             "--quiet", "-m", "reviewed"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    assert expiac("plan", "lab").code == 0
    assert "is not what would be launched" in expiac("plan", "lab", "words=bye").err
    (file,) = (project / "snapshots" / "lab").iterdir()
    file.write_text(file.read_text().replace("hello", "bye"))
    assert "is not committed" in expiac("plan", "lab", "words=bye").err
