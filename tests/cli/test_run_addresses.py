"""`expiac://stack/job@best` in a training config: the checkpoint of a run of any stack here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PYPROJECT = """
[tool.expiac]
run = '''
mkdir -p $DATA_DIR/$EXPIAC_INSTANCE && cd $DATA_DIR/$EXPIAC_INSTANCE
echo "$EXPIAC_ADDRESSES" > told
echo "{\\"step\\": 1, \\"reward\\": $REWARD}" > metrics.jsonl
echo weights > latest.pt
'''
[tool.expiac.training]
format = "yaml"
[tool.expiac.outputs]
checkpoint = "$DATA_DIR/$EXPIAC_INSTANCE/latest.pt"
metrics = "$DATA_DIR/$EXPIAC_INSTANCE/metrics.jsonl"
told = "$DATA_DIR/$EXPIAC_INSTANCE/told"
[tool.expiac.metrics]
show = [{ name = "reward", direction = "max" }]
"""
STACK = '''
from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig

class Config(ExperimentConfig):
    name: str = "%s"
    reward: int = 1
    start: str = ""

def stack(config: Config) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None, envs={"REWARD": str(config.reward)})
    return Stack(config.name, [TrainingJob("train", skypilot=where,
                                           training=TrainingRunConfig(trainer={"start": config.start}))])
'''


@pytest.fixture
def stacks(project):
    (project / "pyproject.toml").write_text(PYPROJECT)
    for name in ("lab", "next"):
        (project / "stacks" / f"{name}.py").write_text(STACK % name)


def apply(expiac, stack: str, *settings: str) -> str:
    """Applies and waits; gives the instance name of the run."""
    said = expiac("apply", stack, *settings, "--yes", "--wait")
    assert said.code == 0, said.err
    return json.loads(expiac("status", stack, "--json").out)["resources"][0]["instance"]


@pytest.mark.usefixtures("stacks")
def test_best_and_latest_are_runs_of_another_stack(expiac, project):
    """The config that is compared names the run, and the job finds in a variable where its checkpoint is."""
    best = apply(expiac, "lab", "reward=5")
    latest = apply(expiac, "lab", "reward=2")
    for which, run in {"best": best, "latest": latest, best: best}.items():
        apply(expiac, "next", f"start=expiac://lab/train@{which}")
        told = json.loads(Path(expiac("output", "next", "train", "told").out.strip()).read_text())
        ((address, path),) = told.items()
        assert address == f"expiac://lab/train@{run}"
        assert path.endswith(f"{run}/latest.pt")
    assert expiac("plan", "next", f"start=expiac://lab/train@{best}", "--detailed-exitcode").code == 0


@pytest.mark.usefixtures("stacks")
def test_a_job_in_a_component_has_an_address_too(expiac, project):
    """Its name there, `arms/train`."""
    file = project / "stacks" / "lab.py"
    text = file.read_text().replace("import ", "import Component, ", 1)
    text = text.replace("[TrainingJob(", '[Component("arms", [TrainingJob(')
    file.write_text(text.replace("config.start}))])", "config.start}))])])"))
    run = apply(expiac, "lab", "reward=5")
    apply(expiac, "next", "start=expiac://lab/arms/train@best")
    told = json.loads(Path(expiac("output", "next", "train", "told").out.strip()).read_text())
    assert list(told) == [f"expiac://lab/arms/train@{run}"]
    assert expiac("plan", "next", f"start=expiac://lab/arms/train@{run}", "--detailed-exitcode").code == 0
    assert "lab has no job arms/tran" in expiac("plan", "next", "start=expiac://lab/arms/tran@best").err


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize(("address", "said"), [
    ("expiac://lob/train@best", "train: there is no state of a stack lob\n  Hint: did you mean lab?"),
    ("expiac://lab/train@worst", "no run worst of it has left an output checkpoint"),
    ("expiac://lab/tran@best", "lab has no job tran"),
    ("expiac://lab/train", "names no run\n  Hint: expiac://stack/job@best"),
], ids=["stack", "run", "job", "form"])
def test_an_address_of_nothing_is_refused_while_planning(expiac, address, said):
    apply(expiac, "lab")
    planned = expiac("plan", "next", f"start={address}")
    assert planned.code == 1
    assert said in planned.err
