"""What can be configured, its bounds and its defaults: the schema of every composed config.

Each class is at once a pydantic dataclass, a dataclasses-json value and an OmegaConf structured config, so that Python
declarations, the YAML in `configs/` and the command line are checked by the same lines. Choices (tuned values, folders)
live in `configs/`, defaults here. Imports neither torch nor the simulator.
"""

from dataclasses import field
from enum import Enum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from trainer.agent_config import AgentConfig, AgentType
from trainer.curriculum_config import CurriculumConfig, SimConfig
from trainer.declared import Declared, declared
from trainer.fields import ANNOTATION, Amount, Text
from trainer.learner_config import (
    KickstartConfig,
    LRSchedulerConfig,
    LRSchedulerType,
    OptimizerConfig,
    OptimizerType,
    PPOConfig,
    Precision,
    PrioritizedExperienceReplayConfig,
    VTraceConfig,
)
from trainer.task_config import BucketConfig, DrawConfig, DrawRule, Observe, TaskConfig, TaskKind
from trainer.trainer_config import (
    BestMode,
    CheckpointConfig,
    InitialPolicyConfig,
    SimulationConfig,
    TorchProfilerConfig,
    TrainerConfig,
)

__all__ = [
    "AgentConfig",
    "AgentType",
    "BestMode",
    "BucketConfig",
    "CheckpointConfig",
    "Config",
    "CurriculumConfig",
    "Device",
    "DrawConfig",
    "DrawRule",
    "InitialPolicyConfig",
    "KickstartConfig",
    "LRSchedulerConfig",
    "LRSchedulerType",
    "Observe",
    "OptimizerConfig",
    "OptimizerType",
    "PPOConfig",
    "Precision",
    "PrioritizedExperienceReplayConfig",
    "SimConfig",
    "SimulationConfig",
    "TaskConfig",
    "TaskKind",
    "TorchProfilerConfig",
    "TrainerConfig",
    "VTraceConfig",
    "WandbConfig",
    "WandbMode",
    "register",
]


class Device(str, Enum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class WandbMode(str, Enum):
    off = "off"
    offline = "offline"
    online = "online"


@declared
class WandbConfig(Declared):
    """Where results are logged. What is left out is taken from the environment (`WANDB_PROJECT`, …)."""

    mode: WandbMode = field(default=WandbMode.offline, metadata=ANNOTATION)
    entity: Text | None = field(default=None, metadata=ANNOTATION)
    project: Text | None = field(default=None, metadata=ANNOTATION)
    group: Text | None = field(default=None, metadata=ANNOTATION)
    job_type: Text | None = field(default=None, metadata=ANNOTATION)
    artifacts: bool = field(default=False, metadata=ANNOTATION)
    """Log each checkpoint and each replay as an artifact."""


@declared
class Config(Declared):
    """The whole of one run, as Hydra composes it."""

    run_name: Annotated[str, Field(pattern=r"^[^/\s]+$")]
    data_dir: Text
    run_dir: Text
    seed: Amount = 0
    device: Device = Device.auto
    agent: AgentConfig
    curriculum: CurriculumConfig
    sim: SimConfig
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    wandb: WandbConfig = field(default_factory=WandbConfig)

    @model_validator(mode="after")
    def _attention_has_tokens(self) -> Self:
        seen = self.curriculum.expanded()[0].extremes()[0].observe
        if self.agent.type is AgentType.attention and seen is not Observe.tokens:
            raise ValueError(f"an agent of type attention reads tokens: curriculum.observe is {seen.value}")
        return self

    @model_validator(mode="after")
    def _memory_is_not_compiled(self) -> Self:
        if self.agent.type is AgentType.lstm and self.trainer.compile:
            raise ValueError("trainer.compile is not for an agent of type lstm")
        return self

    @model_validator(mode="after")
    def _suites_are_valid(self) -> Self:
        self.sim.refuse_unlike(self.curriculum)
        return self

    @model_validator(mode="after")
    def _the_best_is_of_a_figure(self) -> Self:
        metric, known = self.trainer.checkpoint.best_metric, self.sim.figures_of(self.curriculum)
        if metric is not None and metric not in known:
            raise ValueError(f"trainer.checkpoint.best_metric is {metric}; evaluations have {', '.join(known)}")
        return self


def register() -> None:
    """Make the schema known to Hydra as `root_schema`, the first default in `configs/config.yaml`."""
    from hydra.core.config_store import ConfigStore

    store: Any = ConfigStore.instance()
    store.store("root_schema", node=Config)
