"""Which samples an epoch learns from, in which minibatches: each one once, or segments with large advantages rather.

Indices count the samples of a rollout of T steps and N agents, flattened: t × N + n.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from trainer.config import PrioritizedExperienceReplayConfig
from trainer.layout import Layout
from trainer.schedule import linear_fade

FLOOR = 1e-6  # so that a segment without any advantage has a probability too


class Minibatch(NamedTuple):
    """The indices (B) of its samples, and their importance weights where they were not drawn evenly."""

    index_B: Tensor
    weight_B: Tensor | None


def shuffled(samples: int, layout: Layout, generator: torch.Generator) -> Iterator[Minibatch]:
    """Every sample in one minibatch, but for those that the last one has no room for."""
    order_B = torch.randperm(samples, generator=generator, device=generator.device)
    for index_B in torch.split(order_B[: layout.batch], layout.minibatch):
        yield Minibatch(index_B, None)


def prioritized(
    advantage_TN: Tensor, layout: Layout, generator: torch.Generator, *, alpha: float, beta: float
) -> Iterator[Minibatch]:
    """As many minibatches, of whole segments that are drawn with replacement. A segment is an agent's T steps."""
    steps, agents = advantage_TN.shape
    probability_N = priorities(advantage_TN, alpha)
    for _ in range(layout.batch // layout.minibatch):
        count = max(1, layout.minibatch // steps)
        segment_S = torch.multinomial(probability_N, count, replacement=True, generator=generator)
        weight_S = importance_weights(probability_N, segment_S, beta)
        index_ST = samples_of(segment_S, steps, agents)
        yield Minibatch(index_ST.flatten(), weight_S[:, None].expand_as(index_ST).flatten())


def whole_segments(steps: int, agents: int, layout: Layout, generator: torch.Generator) -> Iterator[Minibatch]:
    """Every segment whole, in one of as many minibatches, if there are as many segments."""
    order_N = torch.randperm(agents, generator=generator, device=generator.device)
    for segment_S in torch.tensor_split(order_N, min(agents, layout.batch // layout.minibatch)):
        yield Minibatch(samples_of(segment_S, steps, agents).flatten(), None)


def samples_of(segment_S: Tensor, steps: int, agents: int) -> Tensor:
    """The indices (S, T) of some segments' samples, in the order of time."""
    return segment_S[:, None] + agents * torch.arange(steps, device=segment_S.device)


def priorities(advantage_TN: Tensor, alpha: float) -> Tensor:
    """The probability (N) of each segment: its summed |advantage| to the power of alpha, as a share of all."""
    priority_N = advantage_TN.abs().sum(0) ** alpha + FLOOR
    return priority_N / priority_N.sum()


def importance_weights(probability_N: Tensor, segment_S: Tensor, beta: float) -> Tensor:
    """(N × p)^-beta of each drawn segment (S): with beta 1 a mean over draws is the mean over all segments."""
    return (len(probability_N) * probability_N[segment_S]) ** -beta


def beta_at(config: PrioritizedExperienceReplayConfig, step: int, total: int) -> float:
    """Beta rises linearly over the run, from `prio_beta0` to 1: Schaul et al. 2016, arXiv:1511.05952, section 3.4."""
    return 1.0 - (1.0 - config.prio_beta0) * linear_fade(step, total)
