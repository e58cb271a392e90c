"""What the training configs of a project stand on and how a job gets them: `[tool.expiac.training]`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

ConfigFormat = Literal["hydra", "yaml", "json", "toml", "args"]
"""How a job gets its training config: as an experiment that Hydra composes, as a file, or as arguments."""
Default = str | dict[str, str | None]
"""An entry of a Hydra defaults list: a config, or a group and its option."""
PACKAGE_HEADER = "# @package _global_"
"""How an experiment config of Hydra begins."""


def _is_key(key: str) -> str:
    if key and not all(part.isidentifier() for part in key.split(".")):
        raise ValueError(f"{key!r} is no key of a config: use such as trainer or model.optimizer")
    return key


ConfigKey = Annotated[str, AfterValidator(_is_key)]


def _is_default(entry: Default) -> Default:
    if isinstance(entry, dict) and len(entry) != 1:
        raise ValueError(f"{entry} is no entry of a defaults list: one group and its option, {{'/model' = 'small'}}")
    return entry


DefaultsList = tuple[Annotated[Default, AfterValidator(_is_default)], ...]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class TrainingSettings:
    """The same for all training jobs of a project, where a job does not say otherwise."""

    format: ConfigFormat = "hydra"
    """`hydra`: an experiment config under `configs/experiments/`, which the job's Hydra composes. `yaml`, `json`,
    `toml`: a file, whose path the job finds in `EXPIAC_CONFIG`. `args`: arguments at the end of its command."""
    defaults: DefaultsList = ()
    """The Hydra defaults list that every config stands on; a job chooses other options of its groups."""
    key: ConfigKey = ""
    """Where a job's config is written, such as `trainer`; empty for the whole config."""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Values of every config, unless a job sets them."""
    kinds: Mapping[ConfigKey, Literal["identity", "placement", "annotation"]] = dataclasses.field(default_factory=dict)
    """What kind of thing a field of the config is, by its key path, with all that is below it: `"wandb.group" =
    "annotation"`. It counts before what the schema says."""
    config_name: str = "config"
    """The primary config of the Hydra app, in the folder of configs."""
