"""Compose configs of this repository as a rendered experiment does."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from trainer.config import Config, register

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENT = """\
# @package _global_
defaults:
  - /common
  - /{group}@curriculum: {option}
  - /agent: fast
  - /trainer: {trainer}
  - /sim: {sim}
  - /wandb: "off"
  - _self_
"""
CURRICULA = sorted(path.relative_to(CONFIGS).with_suffix("").as_posix() for path in (CONFIGS / "env").rglob("*.yaml"))


def composed(
    folder: Path, curriculum: str, *overrides: str, sim: str = "arena", trainer: str = "trainer"
) -> Config:
    """The config of a run on `curriculum`, such as `env/mettagrid/curriculum/arena/basic`."""
    register()
    (folder / "experiments").mkdir(exist_ok=True)
    group, _, option = curriculum.rpartition("/")
    text = EXPERIMENT.format(group=group, option=option, sim=sim, trainer=trainer)
    (folder / "experiments" / "x.yaml").write_text(text, encoding="utf-8")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        search = f"hydra.searchpath=[file://{folder}]"
        config = OmegaConf.to_object(compose("config", [search, "+experiments=x", "run_name=x", *overrides]))
    assert isinstance(config, Config)
    return config
