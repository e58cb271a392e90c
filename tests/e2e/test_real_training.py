"""The main job, end to end, in real processes: plan, launch, train, hand a checkpoint on, resume."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STACK = """
SMALL = "env/mettagrid/curriculum/arena/small"

def job(name, steps, **more):
    where = SkypilotJobConfig(gpus=0, nodes=more.pop("nodes", 1), cpus=more.pop("cpus", 1))
    trainer = TrainerConfig(total_timesteps=steps, batch_size=2048, minibatch_size=512, **more)
    return TrainingJob(name, skypilot=where, training=TrainingRunConfig(curriculum=SMALL, sim="quick", trainer=trainer))

def stack(config: Config) -> Stack:
    base = job("base", 4096)
    tuned = job("tuned", 2048, initial_policy=InitialPolicyConfig(uri=base.output("checkpoint")))
    return Stack(config.name, [base, tuned, job("wide", 4096, nodes=2, cpus=config.cpus)])
"""

HEAD = """
from trainer.config import InitialPolicyConfig
class Config(ExperimentConfig):
    name: str = "real"
    cpus: int = 1
"""


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for file in folder.rglob("metrics.jsonl") for line in file.read_text().splitlines()]


@pytest.mark.slow
def test_training_end_to_end(project):
    """One run, one that starts from its checkpoint, one on two nodes: each leaves its metrics and its W&B run."""
    pyproject = project.root / "pyproject.toml"
    text = pyproject.read_text()
    start, end = text.index("run = '''"), text.index("'''", text.index("run = '''") + 9) + 3
    pyproject.write_text(text[:start] + text[end:])  # the shipped command, not the stand-in
    (project.root / "configs/sim/quick.yaml").write_text("episodes: 2\n")
    project.stack(HEAD + STACK, "real")

    with project.begin("apply", "real", "--yes", "--wait", "--json") as applying:
        out, errors = applying.communicate(timeout=240)
    assert applying.returncode == 0, out + errors
    runs = {path.name.split(".")[1]: path for path in (project.root / ".expiac/local").iterdir()}
    assert set(runs) == {"base", "tuned", "wide"}
    for name, steps in {"base": 4096, "tuned": 2048, "wide": 4096}.items():
        lines = metrics(runs[name])
        assert lines[0]["step"] == 0, "it is evaluated before it learns"
        assert "eval/hearts" in lines[0]["metrics"]
        assert lines[-1]["step"] >= steps
        assert "eval/hearts" in lines[-1]["metrics"]
        offline = list(runs[name].rglob(f"offline-run-*-{runs[name].name}"))
        assert len(offline) == 1, "one W&B run, under the instance's name"

    assert project.expiac("plan", "real", "--detailed-exitcode").returncode == 0
    assert "running" not in project.expiac("status", "real").stdout
