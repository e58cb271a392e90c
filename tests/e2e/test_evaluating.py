"""An evaluation of what a training left, in real processes, with another trainer than this repository's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from throwaway import Folder

PYPROJECT = """\
[tool.expiac]
run = "bash train.sh"

[tool.expiac.training]
format = "args"

[tool.expiac.outputs]
checkpoint = "$DATA_DIR/$EXPIAC_INSTANCE/weights"

[tool.expiac.evaluation]
run = "bash evaluate.sh"
format = "args"
suite = "suite"

[tool.expiac.evaluation.outputs]
metrics = "$DATA_DIR/$EXPIAC_INSTANCE/metrics.jsonl"

[tool.expiac.metrics]
show = [{ name = "eval/score", format = ".1f", direction = "max" }]
"""
TRAIN = """\
mkdir -p "$DATA_DIR/$EXPIAC_INSTANCE"
echo "${1#--lr=}" > "$DATA_DIR/$EXPIAC_INSTANCE/weights"
"""
EVALUATE = """\
set -e
for word in "$@"; do case "$word" in --policy=*) policy=${word#*=};; --suite=*) suite=${word#*=};; esac; done
mkdir -p "$DATA_DIR/$EXPIAC_INSTANCE"
[ "$suite" != broken ] || exit 1
echo "{\\"step\\": 1, \\"total_steps\\": 1, \\"eval/score\\": $(cat "$policy")}" \
  > "$DATA_DIR/$EXPIAC_INSTANCE/metrics.jsonl"
"""
STACK = """
from expiac import Evaluation

class Config(ExperimentConfig):
    name: str = "small"
    lr: float = 0.5
    suite: str = "arena"

def stack(config: Config) -> Stack:
    train = TrainingJob("train", skypilot=HERE, training=TrainingRunConfig(trainer={"lr": config.lr}))
    final = Evaluation("final", policy=train.output("checkpoint"), suite=config.suite, skypilot=HERE)
    return Stack(config.name, [train, final], outputs={"figures": final.output("metrics")})
"""


@pytest.fixture
def lab(project: Folder) -> Folder:
    (project.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for name, text in (("train.sh", TRAIN), ("evaluate.sh", EVALUATE)):
        (project.root / name).write_text(text, encoding="utf-8")
    project.stack(STACK.replace("skypilot=HERE", "skypilot=SkypilotJobConfig(gpus=0)"))
    return project


def score(lab: Folder) -> float:
    row = next(one for one in lab.said("results", "small")["results"] if one["address"] == "final")
    value: float = row["metrics"]["eval/score"]
    return value


def test_its_figures_are_results_and_a_new_training_means_a_new_evaluation(lab: Folder) -> None:
    """It waits for the training, and the plan says why it is to run again."""
    lab.apply("small")
    assert score(lab) == 0.5
    assert "0.5" in lab.output("status", "small")
    figures = Path(lab.output("output", "small", "figures").strip())
    assert json.loads(figures.read_text(encoding="utf-8"))["eval/score"] == 0.5
    assert "no changes" in lab.output("plan", "small")

    steps = {step["address"]: step for step in lab.said("plan", "small", "lr=0.75")["steps"]}
    assert steps["final"]["action"] == "replace"
    assert "train is a new run" in lab.output("plan", "small", "lr=0.75")
    lab.apply("small", "lr=0.75")
    assert score(lab) == 0.75


def test_another_suite_evaluates_anew_and_trains_nothing(lab: Folder) -> None:
    lab.apply("small")
    actions = {step["address"]: step["action"] for step in lab.said("plan", "small", "suite=rooms")["steps"]}
    assert actions == {"train": "keep", "final": "replace"}


def test_one_that_fails_is_a_failed_run(lab: Folder) -> None:
    done = lab.expiac("apply", "small", "suite=broken", "--yes", "--wait")
    assert done.returncode == 1
    statuses = {one["address"]: one["status"] for one in lab.said("status", "small")["resources"]}
    assert statuses == {"train": "succeeded", "final": "failed"}
