"""The learning rate over a run, as a pure function of the samples done: a resumed run needs nothing else."""

from math import cos, pi
from typing import assert_never

from trainer.config import LRSchedulerConfig, LRSchedulerType


def lr_factor(config: LRSchedulerConfig, *, step: int, samples: int, total: int) -> float:
    """What the learning rate is multiplied with in the update after `step` samples.

    An update has `samples`, the run `total`. The warm-up reaches 1 in the update that ends at `warmup_steps`; the
    decay would reach `min_lr_ratio` in an update after the last one.
    """
    if step < config.warmup_steps:
        return min(1.0, (step + samples) / config.warmup_steps)
    done = min(1.0, (step - config.warmup_steps) / (total - config.warmup_steps))
    least = config.min_lr_ratio
    match config.type:
        case LRSchedulerType.constant:
            return 1.0
        case LRSchedulerType.linear:
            return 1.0 + (least - 1.0) * done
        case LRSchedulerType.cosine:
            return least + (1.0 - least) * (1.0 + cos(pi * done)) / 2
        case LRSchedulerType.exponential:
            return float(least**done)
        case never:
            assert_never(never)


def linear_fade(step: int, steps: int) -> float:
    """From 1 at step 0 down to 0 at `steps` samples, and 0 from there on."""
    return max(0.0, 1.0 - step / steps)
