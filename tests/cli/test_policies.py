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


def commit(project: Path, *paths: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", *paths], [*who, "commit", "--quiet", "-m", "reviewed"]):
        subprocess.run(["git", *words], cwd=project, check=True)


def test_what_is_launched_was_reviewed(project, expiac):
    """Committed as it would be rendered now; a change of either is refused, and so is what git does not know."""
    settings(project, "policies.reviewed_snapshots = true")
    assert "(there is no such file): expiac review stacks/lab.py" in expiac("plan", "lab").err
    assert expiac("review", "lab", "--accept").code == 0
    assert "is not committed" in expiac("plan", "lab").err
    commit(project, "snapshots")
    assert expiac("plan", "lab").code == 0
    said = expiac("plan", "lab", "words=bye 'you'").err
    assert "say_0.task.yaml is not what would be launched (run: " in said
    assert """expiac review stacks/lab.py 'words=bye '"'"'you'"'"''""" in said
    (file,) = (project / "snapshots" / "lab").glob("*.yaml")
    file.write_text(file.read_text().replace("hello", "bye"))
    assert "is not committed" in expiac("plan", "lab", "words=bye").err


def test_the_snapshots_of_any_overrides_count(project, expiac):
    """What was accepted and committed under some overrides may be launched under these."""
    settings(project, "policies.reviewed_snapshots = 'snapshots'")
    assert expiac("review", "lab", "words=bye", "--accept").code == 0
    assert "is not committed" in expiac("plan", "lab", "words=bye").err
    commit(project, "snapshots")
    assert expiac("plan", "lab", "words=bye").code == 0
    assert expiac("plan", "lab", "words=bye", "seconds=0.0").code == 1
    assert "snapshots/lab/say_0.task.yaml is not what would be launched" in expiac("plan", "lab").err


def test_jobs_that_changed_alike_are_told_of_once(project, expiac):
    """However many they are; so are those that are not committed."""
    settings(project, "policies.reviewed_snapshots = true")
    assert expiac("review", "lab", "--accept").code == 0
    said = expiac("plan", "lab", "jobs=4", "words=bye").err
    assert said.count("is not what would be launched") == 2  # the one that has a snapshot, and the others
    assert "(there is no such file), and of 2 more jobs alike: expiac review stacks/lab.py jobs=4 words=bye" in said
    assert expiac("review", "lab", "jobs=4", "--accept").code == 0
    assert "is not committed, and so not reviewed; nor are files of 3 more jobs" in expiac("plan", "lab", "jobs=4").err


@pytest.mark.parametrize(("said", "what"), [
    ("false", ""),
    ("'elsewhere'", "elsewhere/lab/say_0.task.yaml is not what would be launched"),
    ("'elsewhere'", "with snapshots = 'elsewhere' in [tool.expiac]"),
])
def test_the_folder_of_the_policy(project, expiac, said, what):
    """It may be another one than that of the project, or the policy may be off."""
    settings(project, f"policies.reviewed_snapshots = {said}")
    answer = expiac("plan", "lab")
    assert (answer.code, what in answer.err) == (1 if what else 0, True), answer.err


TRAINING = """
from expiac import SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
trains = Stack("trains", [TrainingJob(name, skypilot=SkypilotJobConfig(run="true", workdir=None),
                                      training=TrainingRunConfig(trainer={"steps": 3})) for name in ("a", "b")])
"""


@pytest.fixture
def trains(project, expiac):
    """A stack of two jobs whose configs Hydra composes, with its snapshots committed."""
    settings(project, "policies.reviewed_snapshots = 'snapshots'")
    (project / "stacks" / "trains.py").write_text(TRAINING)
    (project / "configs").mkdir()
    (project / "configs" / "config.yaml").write_text("run_name: ???\nlr: 0.1\ngamma: 0.95\nhome: ${oc.env:HOME}\n")
    assert expiac("review", "trains", "--accept").code == 0
    commit(project, "snapshots")
    assert expiac("plan", "trains").code == 0
    return project


def test_a_changed_default_is_to_be_reviewed(trains, expiac):
    """The declaration, and so the rendered config, are as they were: what Hydra makes of them is not."""
    (trains / "configs" / "config.yaml").write_text("run_name: ???\nlr: 0.1\ngamma: 0.5\nhome: ${oc.env:HOME}\n")
    said = expiac("apply", "trains", "--yes")
    assert (said.code, "a.composed.yaml is not what would be launched (gamma: 0.95 → 0.5)" in said.err) == (1, True)
    assert expiac("review", "trains", "--accept").code == 0
    assert "a.composed.yaml is not committed" in expiac("plan", "trains").err
    commit(trains, "snapshots")
    assert expiac("plan", "trains").code == 0


def test_a_composed_config_is_the_same_everywhere(trains, expiac, monkeypatch, tmp_path):
    """Whether it was composed now or earlier, in whatever folder and environment, and in a saved plan."""
    first = (trains / "snapshots" / "trains" / "a.composed.yaml").read_text()
    assert "gamma: 0.95" in first
    assert str(trains) not in first
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    assert first.rstrip() in expiac("render", "trains").out
    assert expiac("plan", "trains", "--out", "trains.plan").code == 0
    settings(trains, "policies.reviewed_snapshots = 'nowhere'")
    assert "nowhere/trains/a.config.yaml is not" in expiac("apply", "trains.plan", "--yes").err
    settings(trains, "policies.reviewed_snapshots = 'snapshots'")
    assert expiac("apply", "trains.plan", "--yes", "--wait").code == 0
    assert expiac("destroy", "trains", "--yes").code == 0


def test_what_is_composed_elsewhere_is_told(project, expiac):
    """Without configs here nobody can see the defaults, and a plan says so."""
    settings(project, "policies.reviewed_snapshots = 'snapshots'")
    (project / "stacks" / "trains.py").write_text(TRAINING)
    assert expiac("review", "trains", "--accept").code == 0
    commit(project, "snapshots")
    assert "! a: its config is composed only where it runs" in expiac("plan", "trains").out


@pytest.mark.parametrize("format", ["yaml", "json", "toml", "args"])
def test_without_hydra_the_rendered_files_are_all_that_runs(project, expiac, format):
    """Nothing is composed, and a changed default of the declaration shows in them."""
    settings(project, f"policies.reviewed_snapshots = 'snapshots'\ntraining.format = '{format}'")
    (project / "stacks" / "trains.py").write_text(TRAINING)
    (project / "configs").mkdir()
    (project / "configs" / "config.yaml").write_text("lr: 0.1\n")
    assert expiac("review", "trains", "--accept").code == 0
    assert not list((project / "snapshots").rglob("*composed*"))
    commit(project, "snapshots")
    assert expiac("plan", "trains").code == 0
    (project / "stacks" / "trains.py").write_text(TRAINING.replace('"steps": 3', '"steps": 4'))
    file = "task.yaml" if format == "args" else f"config.{format}"
    assert f"a.{file} is not what would be launched (" in expiac("plan", "trains").err
