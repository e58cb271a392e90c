"""One evaluation of a policy that was trained before: the schema of its composed config.

Imports neither torch nor an environment. Needs no curriculum: a checkpoint says what its policy was trained on.
"""

from dataclasses import field
from typing import Annotated

from pydantic import Field

from trainer.addresses import PolicyAddress
from trainer.config import Device, WandbConfig
from trainer.curriculum_config import SimConfig
from trainer.declared import Declared, declared
from trainer.fields import PLACEMENT, Count, Text


@declared
class EvaluationConfig(Declared):
    """The whole of one evaluation, as Hydra composes it."""

    run_name: Annotated[str, Field(pattern=r"^[^/\s]+$")]
    data_dir: Text
    run_dir: Text
    policy: PolicyAddress
    """The checkpoint of the policy: an address as in `trainer.initial_policy`."""
    sim: SimConfig
    device: Device = Device.auto
    torch_threads: Count = field(default=1, metadata=PLACEMENT)
    replay_dir: Text | None = field(default=None, metadata=PLACEMENT)
    """Where a replay of each suite's first episode goes; `null`: none is written."""
    wandb: WandbConfig = field(default_factory=WandbConfig)
