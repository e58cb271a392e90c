"""The tasks in which the trainings are evaluated, from the configs that they have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from trainer.curriculum_config import CurriculumConfig, SimConfig

CONFIGS = Path(__file__).parents[2] / "configs"
NAVIGATION: Mapping[str, str] = {
    "navigation": "`navigation/basic`",
    "navigation_lstm": "`navigation/basic`, an LSTM",
    "bucketed": "`navigation/bucketed`",
    "learning_progress": "`navigation/learning_progress`",
}
"""What each training of rooms is called, by its name in the stack."""
SUITES: Mapping[str, str] = {"open": "no walls", "walls": "80 walls", "dense": "130 walls"}
"""What is different in each suite of `sim=navigation`."""
_CURRICULA = {"arena": "arena/small", "navigation": "navigation/basic"}


def configs_of(name: str) -> tuple[CurriculumConfig, SimConfig]:
    """The curriculum, and how it is evaluated: `arena` or `navigation`."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        curriculum = compose(f"env/mettagrid/curriculum/{_CURRICULA[name]}")
        sim = compose(f"sim/{name}")
    return (
        CurriculumConfig.from_dict(_part(curriculum, f"env.mettagrid.curriculum.{_CURRICULA[name].split('/')[0]}")),
        SimConfig.from_dict(_part(sim, "sim")),
    )


def _part(composed: DictConfig, path: str) -> dict[str, Any]:
    """A part of what was composed, as plain values."""
    part: dict[str, Any] = OmegaConf.to_container(OmegaConf.select(composed, path))
    return part
