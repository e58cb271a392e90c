"""How the policy learns: the optimizer, its schedule, PPO and what may be added to it. Part of the schema.

`trainer.config` has these names too; declarations import them from there.
"""

from enum import Enum
from typing import Annotated, Self

from pydantic import Field, model_validator

from trainer.addresses import PolicyAddress
from trainer.declared import Declared, are_named, declared
from trainer.fields import Amount, Count, Fraction, NonNegative, Positive


class OptimizerType(str, Enum):
    adam = "adam"
    muon = "muon"


class LRSchedulerType(str, Enum):
    constant = "constant"
    linear = "linear"
    cosine = "cosine"
    exponential = "exponential"


class Precision(str, Enum):
    float32 = "float32"
    bfloat16 = "bfloat16"


@declared
class OptimizerConfig(Declared):
    """How gradients become steps."""

    type: OptimizerType = OptimizerType.adam
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: Positive = 1e-5
    weight_decay: NonNegative = 0.0

    def config_groups(self) -> dict[str, str]:
        """A named type selects its file in `configs/optimizer/`."""
        return {"optimizer@trainer.optimizer": self.type.value} if "type" in self.fields_set else {}


@declared
class LRSchedulerConfig(Declared):
    """How the learning rate changes: it rises linearly over the warm-up, then falls until `total_timesteps`."""

    type: LRSchedulerType = LRSchedulerType.constant
    warmup_steps: Amount = 0
    """Samples over which the learning rate rises to `optimizer.learning_rate`."""
    min_lr_ratio: Fraction = 0.0
    """What is left of `optimizer.learning_rate` at the end, as a fraction of it."""

    @model_validator(mode="after")
    def _the_ratio_suits_the_type(self) -> Self:
        if are_named(self, "type", "min_lr_ratio"):
            if self.type is LRSchedulerType.constant and self.min_lr_ratio:
                raise ValueError(f"min_lr_ratio ({self.min_lr_ratio}) has no effect on a constant learning rate")
            if self.type is LRSchedulerType.exponential and not self.min_lr_ratio:
                raise ValueError("an exponential schedule never reaches 0: give a min_lr_ratio above 0")
        return self


@declared
class PPOConfig(Declared):
    """The coefficients of Proximal Policy Optimization (Schulman et al. 2017), by their usual names."""

    clip_coef: Annotated[float, Field(gt=0, le=1)] = 0.2
    ent_coef: NonNegative = 0.01
    vf_coef: NonNegative = 0.5
    gamma: Fraction = 0.99
    gae_lambda: Fraction = 0.95
    update_epochs: Count = 4
    norm_adv: bool = True
    clip_vloss: bool = False
    vf_clip_coef: Positive = 0.2
    max_grad_norm: Positive = 0.5
    target_kl: float | None = None


@declared
class VTraceConfig(Declared):
    """V-trace (Espeholt et al. 2018) in place of GAE from the second epoch of an update on. Neither clip: GAE."""

    rho_clip: Positive | None = None
    """The largest importance ratio of a temporal difference, ρ̄: which policy the values converge to."""
    c_clip: Positive | None = None
    """The largest importance ratio of what flows back over a step, c̄: how fast they converge."""

    @model_validator(mode="after")
    def _both_clips_or_neither(self) -> Self:
        if are_named(self, "rho_clip", "c_clip"):
            if (self.rho_clip is None) != (self.c_clip is None):
                raise ValueError("V-trace needs both rho_clip and c_clip; GAE neither")
            if self.rho_clip is not None and self.c_clip is not None and self.c_clip > self.rho_clip:
                raise ValueError(f"c_clip ({self.c_clip}) must not be larger than rho_clip ({self.rho_clip})")
        return self


@declared
class PrioritizedExperienceReplayConfig(Declared):
    """Minibatches that prefer segments with large advantages, as in PufferLib. A segment is one agent's rollout."""

    prio_alpha: Fraction = 0.0
    """A segment is drawn in proportion to its |advantage| to this power. `0`: every sample once an epoch."""
    prio_beta0: Fraction = 0.6
    """How much of the bias importance weights take away at first; all of it (1) at the end of the run."""

    @model_validator(mode="after")
    def _there_is_a_bias(self) -> Self:
        if are_named(self, "prio_alpha", "prio_beta0") and self.prio_alpha == 0 and self.prio_beta0 != 0.6:
            raise ValueError(f"prio_beta0 ({self.prio_beta0}) without a prio_alpha above 0 has no effect")
        return self


@declared
class KickstartConfig(Declared):
    """Kickstarting (Schmitt et al. 2018): a teacher whose policy the loss also draws near to, at first."""

    teacher_uri: PolicyAddress | None = None
    """The checkpoint of the teacher: an address as in `initial_policy`. Its network may be of another size."""
    action_loss_coef: Positive = 1.0
    """The weight at first of KL(teacher, policy) in the loss."""
    kickstart_steps: Count | None = None
    """Samples over which the weight falls linearly to 0; `null`: `total_timesteps`."""

    @model_validator(mode="after")
    def _there_is_a_teacher(self) -> Self:
        given = [name for name in ("action_loss_coef", "kickstart_steps") if getattr(self, name) not in (1.0, None)]
        if are_named(self, "teacher_uri") and self.teacher_uri is None and given:
            raise ValueError(f"{' and '.join(given)} without a teacher_uri has no effect")
        return self
