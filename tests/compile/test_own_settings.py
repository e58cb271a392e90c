"""What a plan shows of a new training job: what the program sets, without what the project and a class say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from expiac import SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from expiac.compile.prepare import desired
from expiac.declare.project import Project, find_project
from trainer.config import OptimizerConfig, TrainerConfig


class Network(BaseModel):
    depth: int = 3
    width: int = 8


class Learning(BaseModel):
    lr: float = 0.1
    network: Network = Network()


class Required(BaseModel):
    lr: float
    depth: int = 3


def settings(project: Project, training: TrainingRunConfig, **place: Any) -> Any:
    job = TrainingJob("train", training=training, skypilot=SkypilotJobConfig(**place))
    (want,) = desired(Stack("lab", [job]), project)
    return want.settings


def of_format(folder: Path, trainer: Any, values: str = "{}") -> Any:
    (folder / "pyproject.toml").write_text(
        f'[tool.expiac.training]\nformat = "yaml"\nkey = "learn"\nvalues = {values}\n')
    return settings(find_project(folder), TrainingRunConfig(trainer=trainer), run="python train.py")["config"]


def test_what_hydra_composes_is_left_out(project):
    """So are the project's groups and values; a group that the job chooses stands by its package."""
    training = TrainingRunConfig(curriculum="env/mettagrid/curriculum/arena/small", agent="fast", seed=0,
                                 trainer=TrainerConfig(optimizer=OptimizerConfig(learning_rate=0.1)), wandb_tags=["a"])
    assert settings(project, training, gpus=4) == {
        "config": {"curriculum": "env/mettagrid/curriculum/arena/small",
                   "trainer": {"optimizer": {"learning_rate": 0.1}}},
        "tags": ["a"], "gpus": 4}


def test_defaults_of_a_config_class_are_left_out(tmp_path):
    """A file holds them, since there is nothing beneath it."""
    assert of_format(tmp_path, Learning(network=Network(width=9))) == {"learn": {"network": {"width": 9}}}


def test_the_projects_values_stand_above_a_class(tmp_path):
    """Of a value that the project says, what differs from the project's is shown."""
    assert of_format(tmp_path, Learning(lr=0.5), "{ learn = { lr = 0.5 }, seed = 1 }") == {}
    assert of_format(tmp_path, Learning(lr=0.1), "{ learn = { lr = 0.5 }, seed = 1 }") == {"learn": {"lr": 0.1}}


def test_a_class_without_defaults_is_shown_whole(tmp_path):
    assert of_format(tmp_path, Required(lr=0.1)) == {"learn": {"lr": 0.1, "depth": 3}}
