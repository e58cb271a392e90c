"""expiac for other programs: typed results, typed errors, and not a word printed."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from expiac import api
from expiac.apply.events import Finished, StepEnded
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.project import find_project
from expiac.declare.stack import Stack
from expiac.plan.planner import PlanOptions
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale, UsageError

PROGRAM = '''
from dataclasses import field

from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    seconds: float = 0
    words: list[str] = field(default_factory=lambda: ["hello"])

def stack(config: Lab) -> Stack:
    print("declaring")
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [Job(word, run=f"sleep {config.seconds}; test {word} != fail", skypilot=where)
                               for word in config.words])
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project that we do not stand in."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "lab.py").write_text(PROGRAM)
    copytree(Path(__file__).parents[1] / "templates", tmp_path / "templates")
    monkeypatch.chdir("/")
    yield find_project(tmp_path)
    for file in (tmp_path / ".expiac").glob("*.jsonl"):
        api.destroy(file.stem, project=find_project(tmp_path))


class Heard:
    def __init__(self) -> None:
        self.moments: list[object] = []

    def on_event(self, moment: object) -> None:
        self.moments.append(moment)


def test_a_plan_is_made_shown_to_nobody_and_carried_out(project, capfd):
    """Values come back; stdout stays empty, whatever the stack file prints."""
    plan = api.plan("lab", {"words": ["one", "two"]}, project=project)
    assert plan.summary["create"] == 2
    heard = Heard()
    result = api.apply(plan, wait=True, timeout=60, reporter=heard, project=project)
    assert (result.is_well, [seen.status for seen in result.seen]) == (True, [Status.SUCCEEDED] * 2)
    assert [type(moment) for moment in heard.moments].count(StepEnded) == 2
    assert isinstance(heard.moments[-1], Finished)
    assert api.plan("lab", {"words": ["one", "two"]}, project=project).is_empty
    assert capfd.readouterr().out == ""


def test_a_stack_made_by_the_program_itself(project):
    """No file declares it; the next plan of an equal stack changes nothing."""
    where = SkypilotJobConfig(gpus=0, workdir=None)

    def stack(word: str) -> Stack:
        return Stack("own", [Job("job", run=f"sleep 60; echo {word}", skypilot=where)])

    assert api.apply(stack("a"), project=project).is_well
    assert api.plan(stack("a"), project=project).is_empty
    assert api.plan(stack("b"), project=project)["job"].action.glyph == "±"
    (seen,) = api.status("own", project=project)
    assert seen.status.is_live
    assert api.destroy("own", project=project).is_well
    assert api.status("own", project=project) == ()


def test_a_failed_run_is_a_result_and_no_error(project):
    """Its status says so; `--retry` is a wish."""
    result = api.apply("lab", {"words": ["fail"]}, wait=True, timeout=60, project=project)
    assert (result.is_well, result.seen[0].status) == (False, Status.FAILED)
    assert [seen.status for seen in api.refresh("lab", project=project)] == [Status.FAILED]
    again = api.plan("lab", {"words": ["fail"]}, options=PlanOptions(retry=True), project=project)
    assert again["fail"].action.glyph == "↻"


def test_a_plan_that_does_not_hold_any_more_is_stale(project):
    """The error is of a class of its own, and nothing was done."""
    plan = api.plan("lab", {"seconds": 60}, project=project)
    assert api.apply("lab", {"seconds": 60}, project=project).is_well
    with pytest.raises(Stale):
        api.apply(plan, project=project)


def test_what_archived_runs_left_is_deleted(project, capfd):
    """Not by a dry run; and nothing is printed."""
    api.apply("lab", wait=True, project=project)
    api.destroy("lab", project=project)
    (folder,) = [path for path in (project.root / ".expiac" / "local").iterdir() if path.name.startswith("lab.hello.")]
    capfd.readouterr()
    (would,) = api.prune("lab", dry_run=True, project=project).runs
    assert (would.record.run.instance, folder.exists()) == (folder.name, True)
    (did,) = api.prune("lab", options=api.PruneOptions(), project=project).runs
    assert (did.record.run.instance, folder.exists(), capfd.readouterr()) == (folder.name, False, ("", ""))


@pytest.mark.parametrize("parallelism", [0, -1])
def test_no_step_at_a_time_is_refused(project, parallelism):
    """Before anything is written or done, by apply and by destroy."""
    assert api.apply("lab", {"seconds": 60}, project=project).is_well
    before = api.status("lab", refresh=False, project=project)
    for call in (api.apply, api.destroy):
        with pytest.raises(UsageError, match=f"parallelism={parallelism}: at least one step") as error:
            call("lab", project=project, parallelism=parallelism)
        assert error.value.code == "invalid-value"
    assert api.status("lab", refresh=False, project=project) == before


@pytest.mark.parametrize(("call", "error"), [
    (lambda project: api.plan("nothing", project=project), UsageError),
    (lambda project: api.plan("lab", {"word": 1}, project=project), UsageError),
    (lambda project: api.plan("lab", {"seconds": "long"}, project=project), ExpiacError),
    (lambda project: api.destroy("lab", project=project), UsageError),
    (lambda project: api.plan("lab", project=dataclasses.replace(project, backend="locl")), ExpiacError),
    (lambda project: api.plan("lab"), ExpiacError),
])
def test_every_error_is_typed(project, call, error):
    """A program can tell them apart."""
    with pytest.raises(error):
        call(project)


@pytest.mark.parametrize("call", [
    lambda plan, project: api.apply(plan, {"seconds": 1}, project=project),
    lambda plan, project: api.apply(plan, {}, project=project),
    lambda plan, project: api.apply(plan, options=PlanOptions(retry=True), project=project),
    lambda plan, project: api.plan(Stack("own", []), {"seconds": 1}, project=project),
    lambda plan, project: api.apply(Stack("own", []), {"seconds": 1}, project=project),
])
def test_settings_that_would_have_no_effect_are_refused(project, call):
    """A plan and a `Stack` are complete: a setting beside one is a wrong call, and nothing is carried out."""
    plan = api.plan("lab", {"seconds": 60}, project=project)
    with pytest.raises(UsageError):
        call(plan, project)
    assert not list((project.root / ".expiac").glob("*.jsonl"))


def test_a_wrong_call_is_refused_without_assertions_too(project):
    """`python -O` skips assertions; the check of a caller's arguments is not one."""
    code = ("from pathlib import Path; from expiac import api; from expiac.util.errors import UsageError\n"
            f"project = api.find(Path({str(project.root)!r}))\n"
            "plan = api.plan('lab', {'seconds': 0}, project=project)\n"
            "try: api.apply(plan, {'seconds': 60}, project=project)\n"
            "except UsageError as error: print(error.summary)\n")
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    assert done.stdout == "Plan is complete\n", done.stderr
