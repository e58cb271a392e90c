"""Files and names of an earlier release mean what they meant: `tests/fixtures/format_2` was written by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_core import to_jsonable_python

from expiac import Job, Options, SkypilotJobConfig, Stack
from expiac.compile.prepare import desired
from expiac.declare.project import Project
from expiac.plan import saved
from expiac.plan.identity import fingerprint, instance_name
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.testing import Run, World

FIXTURES = Path(__file__).parents[1] / "fixtures" / "format_2"


def ppo(lr: float) -> Stack:
    """The last program that was applied to the fixture's state, at 0.2."""
    a = Run("a", config={"lr": lr, "layers": [64, 64]}, tags=("t",))
    b = Run("b", config={"from": a.output("checkpoint")}, options=Options(aliases=("old_b",), timeout="10m"))
    return Stack("ppo", [a, b])


def pair() -> Stack:
    sky = SkypilotJobConfig(workdir=None, gpus="H100:8", nodes=2, spot=True, infra="slurm/loop", envs={"A": "1.0"},
                            secrets=["TOKEN"])
    base = Job("base", run="echo 1 > out/model", skypilot=SkypilotJobConfig(workdir=None, gpus=0),
               outputs={"model": "out/model"})
    return Stack("pair", [base, Job("tuned", run="cat $MODEL", skypilot=sky)])


def test_a_state_says_what_it_said():
    state = Journal.read(FileLog(FIXTURES / "ppo.jsonl")).state
    assert _is_within(json.loads((FIXTURES / "state.json").read_text()), to_jsonable_python(state))


def _is_within(old: Any, new: Any) -> bool:
    """Whether everything that was said is said still; later releases add fields."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _is_within(old[key], new[key]) for key in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(_is_within, old, new))
    return bool(old == new)


def test_a_saved_plan_is_the_plan_that_is_made_today(tmp_path):
    """Of the fixture's state, with another learning rate."""
    world = World(tmp_path)
    world.file.write_bytes((FIXTURES / "ppo.jsonl").read_bytes())
    saved_plan = saved.read(FIXTURES / "ppo.plan")
    assert (saved_plan.stack, saved_plan.serial) == ("ppo", world.state.serial)
    assert [(step.address, step.action, step.run.fingerprint) for step in saved_plan.steps[:1]] == [
        (step.address, step.action, step.run.fingerprint) for step in world.plan(ppo(0.3)).plan.steps[:1]]


@pytest.mark.parametrize("stack", [pair(), ppo(0.3)], ids=lambda stack: stack.name)
def test_runs_have_the_names_that_they_had(stack):
    """Digests, and the names that follow from them: a new release launches nothing again."""
    known = json.loads((FIXTURES / "names.json").read_text())[stack.name]
    for want in desired(stack, Project(root=Path(__file__).parents[2]), {}):
        mark = fingerprint(want.digest, ("ppo.a.00000000",) * len(want.refs))
        name = instance_name(stack.name, want.address, "0" * 32, mark, 0)
        assert (want.digest, name) == (known[want.address]["digest"], known[want.address]["instance"])
        if "task.yaml" in want.texts:
            task, before = yaml.safe_load(want.texts["task.yaml"]), yaml.safe_load(known[want.address]["task"])
            told = {"DATA_DIR": "./train_dir"}  # every job is told this
            assert task == {**before, "envs": told | before.get("envs", {})}
