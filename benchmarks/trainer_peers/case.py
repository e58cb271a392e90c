"""What all contestants train: the config of `arena/small` with the agent `fast`, and what follows from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from trainer.config import Config, register
from trainer.layout import Layout
from trainer.vector import Environments

CONFIGS = Path(__file__).parents[2] / "configs"
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
sim: {episodes: 1}
trainer:
  total_timesteps: 1000000000000
  checkpoint: {interval: 1000000000000}
  simulation: {write_replays: false}
"""
"""Without an end, checkpoints and evaluations; only before the first turn there is one, of an episode."""


def config_of(data_dir: Path, *overrides: str) -> Config:
    """The config that a training job of the arena has, with overrides as Hydra takes them."""
    register()
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder, "experiments", "peers.yaml")
        experiment.parent.mkdir()
        experiment.write_text(EXPERIMENT, encoding="utf-8")
        named = [f"hydra.searchpath=[file://{folder}]", "+experiments=peers", "run_name=peers", f"data_dir={data_dir}"]
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = OmegaConf.to_object(compose("config", [*named, *overrides]))
    if not isinstance(config, Config):
        raise TypeError(f"the config is a {type(config).__name__}, not what trainer.config declares")
    return config


def layout_of(config: Config) -> Layout:
    """How one process divides the samples of an update."""
    return Layout.of(config.trainer, agents=config.curriculum.expanded()[0].extremes()[0].total_agents, world=1)


def environments_of(config: Config) -> Environments:
    """The environments that the config asks for: all contestants step these."""
    count = layout_of(config).environments
    return Environments(config.curriculum, count=count, seed=config.seed, workers=config.trainer.num_workers)
