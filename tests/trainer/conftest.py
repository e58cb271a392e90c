"""Small runs: an arena that steps in no time, trained in this process or by the command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.config import (
    AgentConfig,
    CheckpointConfig,
    Config,
    CurriculumConfig,
    PPOConfig,
    SimConfig,
    SimulationConfig,
    TrainerConfig,
    WandbConfig,
)
from trainer.metrics import METRICS, read
from trainer.ranks import Ranks
from trainer.stop import Stop
from trainer.tracking import NullTracker
from trainer.train import train

ROOT = Path(__file__).parents[2]
ROOM = CurriculumConfig(agents=2, width=6, height=6, mines=2, generators=2, altars=2, max_steps=20)
EXPERIMENT = """\
# @package _global_
defaults:
  - /common
  - /env/mettagrid/curriculum/arena@curriculum: small
  - /agent: fast
  - /trainer: trainer
  - /sim: arena
  - /wandb: "off"
  - _self_
curriculum: {agents: 2, width: 6, height: 6, mines: 2, generators: 2, altars: 2, max_steps: 20}
sim: {episodes: 2}
trainer: {total_timesteps: 1024, batch_size: 256, minibatch_size: 64, horizon: 16}
"""


@dataclass(frozen=True)
class Runs:
    """Runs in a folder of their own."""

    folder: Path

    def config(
        self, name: str = "run", *, seed: int = 0, curriculum: CurriculumConfig = ROOM, **trainer: Any
    ) -> Config:
        run_dir = self.folder / name
        settings = {"total_timesteps": 1024, "batch_size": 256, "minibatch_size": 64, "horizon": 16} | trainer
        return Config(
            run_name=name,
            data_dir=str(self.folder),
            run_dir=str(run_dir),
            seed=seed,
            agent=AgentConfig(hidden_size=32, hidden_layers=2),
            curriculum=curriculum,
            sim=SimConfig(episodes=4),
            wandb=WandbConfig(mode="off"),
            trainer=TrainerConfig(
                checkpoint=CheckpointConfig(checkpoint_dir=str(run_dir / "checkpoints"), interval=512),
                simulation=SimulationConfig(replay_dir=str(run_dir / "replays")),
                ppo=PPOConfig(gamma=0.95),
                **settings,
            ),
        )

    def train(self, config: Config, *, stop: Stop | None = None) -> list[dict[str, Any]]:
        """Train here and now. Gives the lines of the metrics file."""
        train(config, Ranks(0, 1, torch.device("cpu")), stop or Stop(), NullTracker())
        return self.lines(config.run_name)

    def lines(self, name: str) -> list[dict[str, Any]]:
        return read(self.folder / name / METRICS)

    def policy(self, name: str) -> dict[str, torch.Tensor]:
        state = torch.load(self.folder / name / "checkpoints" / "latest.pt", weights_only=True)
        weights: dict[str, torch.Tensor] = state["policy"]
        return weights


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start `python -m trainer` in a project of its own, whose `configs/` has the experiment `tiny`."""
    (tmp_path / "configs").mkdir()
    for entry in (ROOT / "configs").iterdir():
        if entry.name != "experiments":
            (tmp_path / "configs" / entry.name).symlink_to(entry)
    (tmp_path / "configs" / "experiments").mkdir()
    (tmp_path / "configs" / "experiments" / "tiny.yaml").write_text(EXPERIMENT)

    def begin(
        *overrides: str, launcher: tuple[str, ...] = ("-m", "trainer"),
        run: tuple[str, ...] = ("+experiments=tiny", "run_name=tiny"), **env: str,
    ) -> "subprocess.Popen[str]":  # fmt: skip
        return subprocess.Popen(
            [sys.executable, *launcher, *run, "data_dir=.", *overrides],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin
