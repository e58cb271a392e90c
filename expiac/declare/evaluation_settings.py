"""How the policies of a project are evaluated: `[tool.expiac.evaluation]`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

from expiac.declare.training_settings import ConfigKey, TrainingSettings


def _is_suite(name: str) -> str:
    if not name.removeprefix("override ").strip("/ "):
        raise ValueError("name the Hydra group of suites, such as /sim, or without Hydra a key")
    return name


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class EvaluationSettings(TrainingSettings):
    """The same for all evaluations of a project; what `[tool.expiac.training]` is for training jobs."""

    config_name: str = "evaluation"
    """The primary config of the Hydra app, in the folder of configs."""
    run: str = ""
    """The shell command of an evaluation; without it a project has none."""
    schema: str = ""
    """`module:Class` of an evaluation's config; empty where it has none."""
    policy: ConfigKey = "policy"
    """Where the address of the policy is written in the config. A file (`yaml`, `json`, `toml`) can't hold an output of
    another job: there the job finds the address in `EXPIAC_POLICY`."""
    suite: Annotated[str, AfterValidator(_is_suite)] = "/sim"
    """The Hydra group that a suite is an option of, `override /sim` where the primary config chose one already; without
    Hydra the key under which its name is written."""
    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Output name → path, with interpolations of the composed config."""
