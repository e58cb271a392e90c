"""A project whose jobs write curves of 200 steps at once: two learning rates, five seeds each, and one run that fails."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expiac import api

HOSTILE = "</script><script>alert(1)</script>\x1b[31m\u202egnp"
"""Ends a script, begins another, colours a terminal, and turns the direction of writing."""
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    seeds_of_each: int = 5
    fails: bool = False
    word: str = "nothing"

WRITE = """
awk -v lr=$LR -v seed=$SEED 'BEGIN {
  srand(seed * 100 + lr)
  for (step = 1; step <= 200; step++) {
    reward = 10 * (1 - exp(-step * lr / 100)) + (seed - 2) / 2 + rand()
    printf "{\\\\"step\\\\": %d, \\\\"elapsed\\\\": %d, \\\\"metrics\\\\": {\\\\"reward\\\\": %f, \\\\"loss\\\\": %f}}\\\\n", \\
      step * 100, step, reward, exp(-step / 50) + rand() / 10
  }
}' > metrics.jsonl
"""

def stack(config: Lab) -> Stack:
    runs = [
        Job(f"lr_{lr}_seed_{seed}", run=WRITE, outputs={"metrics": "metrics.jsonl"},
            skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={"LR": str(lr), "SEED": str(seed)}))
        for lr in (1, 2) for seed in range(config.seeds_of_each)]
    bad = [Job("bad", run='printf "first line\\\\n%s\\\\n" "$WORD"; exit 3',
               skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={"LR": "3", "SEED": "0", "WORD": config.word}))]
    return Stack(config.name, [*runs, *(bad if config.fails else [])])
'''


def write_replay(folder: Path, name: str = "step_000000000100", **changes: Any) -> Path:
    """A replay in mettagrid's format: one agent that walks and mines, one mine, four walls."""
    walls = [{"type_name": "wall", "location": [x, y]} for x, y in ((0, 0), (1, 0), (2, 0), (3, 0))]
    agent = {"type_name": "agent", "is_agent": True, "agent_id": 0, "alive": True,
             "location": [[0, [1, 1]], [2, [2, 1]], [5, [2, 2]]], "inventory": [[0, []], [4, [[0, 1]]]],
             "total_reward": [[0, 0.0], [4, 0.5]]}
    mine = {"type_name": "mine", "location": [3, 2], "inventory": [[0, 5]], "alive": [[0, True], [6, False]]}
    replay = {"version": 4, "map_size": [4, 3], "max_steps": 8, "item_names": ["ore"],
              "objects": [*walls, agent, mine], **changes}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json.z"
    file.write_bytes(zlib.compress(json.dumps(replay).encode()))
    return file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """We stand in it; at the end nothing of it runs."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.expiac.metrics]\nshow = [{ name = "reward", format = ".2f", direction = "max" }]\n')
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "lab.py").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPIAC_LOCAL_CPUS", "8")
    yield tmp_path
    if (tmp_path / ".expiac" / "lab.jsonl").exists():
        api.destroy("lab")


@pytest.fixture
def applied(project: Path) -> Path:
    """Two runs of each arm have succeeded."""
    assert api.apply("lab", {"seeds_of_each": 2}, wait=True, timeout=120).is_well
    return project
