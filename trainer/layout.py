"""How one update's samples are divided over ranks, environments and steps. Arithmetic only."""

from dataclasses import dataclass
from typing import Self

from trainer.config import TrainerConfig


@dataclass(frozen=True)
class Layout:
    """One rank's share of every update. The totals are the config's, whatever the number of ranks."""

    environments: int  # of this rank
    steps: int  # T, taken in each environment
    samples: int  # collected by all ranks together
    batch: int  # this rank's samples that each epoch learns from
    minibatch: int  # this rank's samples in one gradient

    @classmethod
    def of(cls, config: TrainerConfig, *, agents: int, world: int) -> Self:
        """As many environments as fill a batch in `horizon` steps, and the fewest whole steps that then fill it.

        Where agents do not divide the batch, a few samples more are collected than each epoch (at random) learns from.
        """
        environments = max(1, config.batch_size // (config.horizon * agents * world))
        parallel = environments * agents * world
        steps = -(-config.batch_size // parallel)
        minibatches = config.batch_size // config.minibatch_size
        minibatch = max(1, config.batch_size // world // minibatches)
        return cls(environments, steps, steps * parallel, minibatch * minibatches, minibatch)

    def total(self, timesteps: int, *, done: int) -> int:
        """The step at which a run that has done `done` ends: whole updates, at least `timesteps` in all."""
        return done + max(0, -(-(timesteps - done) // self.samples)) * self.samples
