"""A project whose jobs write curves of 200 steps at once: two learning rates, several seeds, a run that fails."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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
    row = "{\\\\"step\\\\": %d, \\\\"elapsed\\\\": %d, \\\\"metrics\\\\": {\\\\"reward\\\\": %f, \\\\"loss\\\\": %f}}"
    printf row "\\\\n", step * 100, step, reward, exp(-step / 50) + rand() / 10
  }
}' > metrics.jsonl
if [ "$SEED" = 9 ]; then printf 'first line\\\\n%s\\\\n' "$WORD"; exit 3; fi
"""

def stack(config: Lab) -> Stack:
    runs = [
        Job(f"lr_{lr}_seed_{seed}", run=WRITE, outputs={"metrics": "metrics.jsonl"},
            skypilot=SkypilotJobConfig(gpus=0, workdir=None,
                                       envs={"LR": str(lr), "SEED": str(seed), "WORD": config.word}))
        for lr in (1, 2) for seed in (*range(config.seeds_of_each), *([9] if config.fails and lr == 2 else []))]
    return Stack(config.name, runs)
'''


def replay_values(**changes: Any) -> dict[str, Any]:
    """A replay as mettagrid writes it: one agent that walks and mines, one mine, four walls."""
    walls = [{"type_name": "wall", "location": [x, y]} for x, y in ((0, 0), (1, 0), (2, 0), (3, 0))]
    agent = {"type_name": "agent", "is_agent": True, "agent_id": 0, "alive": True,
             "location": [[0, [1, 1]], [2, [2, 1]], [5, [2, 2]]], "inventory": [[0, []], [4, [[0, 1]]]],
             "total_reward": [[0, 0.0], [4, 0.5]]}
    mine = {"type_name": "mine", "location": [3, 2], "inventory": [[0, 5]], "alive": [[0, True], [6, False]]}
    return {"version": 4, "map_size": [4, 3], "max_steps": 8, "item_names": ["ore"],
            "objects": [*walls, agent, mine], **changes}


def write_replay(folder: Path, name: str = "step_000000000100") -> Path:
    """That replay, as a file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json.z"
    file.write_bytes(zlib.compress(json.dumps(replay_values()).encode()))
    return file


@contextmanager
def standing_in(folder: Path, *, destroys: bool = True) -> Iterator[pytest.MonkeyPatch]:
    """A project of that stack, in which we stand; at the end, nothing of it runs."""
    (folder / "pyproject.toml").write_text(
        '[tool.expiac.metrics]\nshow = [{ name = "reward", format = ".2f", direction = "max" }]\n')
    (folder / "stacks").mkdir()
    (folder / "stacks" / "lab.py").write_text(STACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("EXPIAC_LOCAL_CPUS", "8")
        patch.setenv("EXPIAC_LOCAL_MACHINE", str(folder / "machine"))
        yield patch
        if destroys and (folder / ".expiac" / "lab.jsonl").exists():
            api.destroy("lab", project=api.find(folder))


def apply(**overrides: object) -> None:
    """Carries the stack out, and waits for its runs."""
    api.apply("lab", overrides, wait=True, timeout=120)
