"""A project whose jobs write a metrics file at once: two learning rates, several seeds, on the local backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from expiac import api

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    seeds_of_each: int = 2

WRITE = """
for step in 10 20 30; do
  reward=$(( $LR * 10 + $SEED + $step ))
  echo "{\\\\"step\\\\": $step, \\\\"elapsed\\\\": $step, \\\\"metrics\\\\": {\\\\"reward\\\\": $reward}}"
done > metrics.jsonl
"""

def stack(config: Lab) -> Stack:
    return Stack(config.name, [
        Job(f"lr_{lr}_seed_{seed}", run=WRITE, outputs={"metrics": "metrics.jsonl"},
            skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={"LR": str(lr), "SEED": str(seed)}))
        for lr in (1, 2) for seed in range(config.seeds_of_each)])
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """We stand in it; at the end nothing of it runs."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.expiac.metrics]\nshow = [{ name = "reward", format = ".1f", direction = "max" }]\n')
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "lab.py").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPIAC_LOCAL_CPUS", "8")
    yield tmp_path
    if (tmp_path / ".expiac" / "lab.jsonl").exists():
        api.destroy("lab")


@pytest.fixture
def applied(project: Path) -> Path:
    """Its runs have succeeded; one was launched after the other, which is the order of the tables."""
    assert api.apply("lab", wait=True, timeout=120, parallelism=1).is_well
    return project
