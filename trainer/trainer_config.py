"""One training: its sizes, how it learns, what it writes and what it starts from. Part of the schema.

`trainer.config` has these names too; declarations import them from there.
"""

from dataclasses import field
from enum import Enum
from typing import Self

from pydantic import model_validator

from trainer.addresses import PolicyAddress
from trainer.declared import Declared, are_named, declared
from trainer.fields import IN_YAML, PLACEMENT, Amount, Count, Text
from trainer.learner_config import (
    KickstartConfig,
    LRSchedulerConfig,
    OptimizerConfig,
    PPOConfig,
    Precision,
    PrioritizedExperienceReplayConfig,
    VTraceConfig,
)


class BestMode(str, Enum):
    max = "max"
    min = "min"


@declared
class CheckpointConfig(Declared):
    """Where checkpoints are, how many samples are between two of them, and which are kept beside the latest."""

    checkpoint_dir: Text = IN_YAML
    interval: Count = field(default=100_000, metadata=PLACEMENT)
    best_metric: Text | None = field(default=None, metadata=PLACEMENT)
    """The figure of evaluations, such as `eval/hearts`, by which the best checkpoint is kept; `null`: the reward in the
    first suite."""
    best_mode: BestMode = field(default=BestMode.max, metadata=PLACEMENT)
    """Whether the largest or the smallest figure is the best."""
    keep_last: Count | None = field(default=None, metadata=PLACEMENT)
    """How many of the newest checkpoints stay in the history."""
    keep_every: Amount = field(default=0, metadata=PLACEMENT)
    """Of every so many samples, one checkpoint stays in the history. With neither of the two there is no history."""

    @model_validator(mode="after")
    def _the_history_is_as_dense_as_asked(self) -> Self:
        if are_named(self, "interval", "keep_every") and 0 < self.keep_every < self.interval:
            raise ValueError(
                f"keep_every ({self.keep_every}) is less than interval ({self.interval}), and so no more is kept"
            )
        return self


@declared
class SimulationConfig(Declared):
    """When the policy is evaluated during training, and where replays go. `0`: only before and after training."""

    replay_dir: Text = IN_YAML
    evaluate_interval: Amount = 0
    write_replays: bool = field(default=True, metadata=PLACEMENT)


@declared
class TorchProfilerConfig(Declared):
    """Where traces of the torch profiler go, and every how many updates one is traced."""

    profile_dir: Text | None = None
    """`null`: nothing is traced."""
    interval_epochs: Amount = 0
    """`0`: the first update only."""

    @model_validator(mode="after")
    def _traces_have_a_place(self) -> Self:
        if are_named(self, "profile_dir", "interval_epochs") and self.interval_epochs and self.profile_dir is None:
            raise ValueError(f"interval_epochs ({self.interval_epochs}) needs a profile_dir for the traces")
        return self


@declared
class InitialPolicyConfig(Declared):
    """The checkpoint whose policy a new run starts from: a file, a folder with `latest.pt`, or an address.

    `file:///path`; `expiac://stack/job@best`, `@latest` or an instance name, which expiac resolves; and
    `wandb://entity/project/artifact:version`.
    """

    uri: PolicyAddress | None = None


@declared
class TrainerConfig(Declared):
    """One training. Counts are over all processes: the same run is the same run on any number of them."""

    total_timesteps: Count = 1_000_000
    batch_size: Count = 8_192
    minibatch_size: Count = 2_048
    horizon: Count = 32
    num_workers: Count = field(default=1, metadata=PLACEMENT)
    torch_threads: Count = field(default=1, metadata=PLACEMENT)
    async_rollouts: bool = False
    """Collect each rollout while the policy learns from the one before it; V-trace corrects for what that changes."""
    precision: Precision = Precision.float32
    """Of the network's matrix products; weights, losses and gradients are float32 in any case."""
    compile: bool = field(default=False, metadata=PLACEMENT)
    """Compile the network with `torch.compile`, which takes some seconds at the start."""
    torch_deterministic: bool = field(default=False, metadata=PLACEMENT)
    """Only use algorithms that give the same sums each time, also on a GPU, where they are slower."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    lr_scheduler: LRSchedulerConfig = field(default_factory=LRSchedulerConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    vtrace: VTraceConfig = field(default_factory=VTraceConfig)
    prioritized_experience_replay: PrioritizedExperienceReplayConfig = field(
        default_factory=PrioritizedExperienceReplayConfig
    )
    kickstart: KickstartConfig = field(default_factory=KickstartConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    profiler: TorchProfilerConfig = field(default_factory=TorchProfilerConfig, metadata=PLACEMENT)
    initial_policy: InitialPolicyConfig = field(default_factory=InitialPolicyConfig)

    @model_validator(mode="after")
    def _what_is_an_update_old_is_corrected(self) -> Self:
        if are_named(self, "async_rollouts", "vtrace") and self.async_rollouts and self.vtrace.rho_clip is None:
            raise ValueError("async_rollouts needs V-trace: give vtrace.rho_clip and vtrace.c_clip, such as 1.0")
        return self

    @model_validator(mode="after")
    def _minibatches_fill_the_batch(self) -> Self:
        if are_named(self, "batch_size", "minibatch_size") and self.batch_size % self.minibatch_size:
            raise ValueError(f"minibatch_size ({self.minibatch_size}) must divide batch_size ({self.batch_size})")
        return self

    @model_validator(mode="after")
    def _segments_fill_a_minibatch(self) -> Self:
        replay = self.prioritized_experience_replay
        if are_named(self, "minibatch_size", "horizon") and replay.prio_alpha and self.minibatch_size % self.horizon:
            raise ValueError(
                f"with prio_alpha, horizon ({self.horizon}) must divide minibatch_size ({self.minibatch_size})"
            )
        return self

    @model_validator(mode="after")
    def _the_warmup_ends_before_the_run(self) -> Self:
        warmup, total = self.lr_scheduler.warmup_steps, self.total_timesteps
        if are_named(self, "total_timesteps") and warmup and warmup >= total:
            raise ValueError(f"lr_scheduler.warmup_steps ({warmup}) must be less than total_timesteps ({total})")
        return self
