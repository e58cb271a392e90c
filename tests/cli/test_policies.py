"""Policies of a project, on the command line: what a team allows stands between a plan and its apply."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest


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
