"""Minibatches: each sample once, or segments as often as their priority says."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import tensor

from trainer.config import PrioritizedExperienceReplayConfig
from trainer.layout import Layout
from trainer.minibatches import beta_at, importance_weights, priorities, prioritized, shuffled

LAYOUT = Layout(environments=2, steps=3, samples=12, batch=12, minibatch=6)
ADVANTAGE = tensor([[1.0, 0.0, -1.0, 2.0], [0.0, 0.0, 2.0, -2.0], [0.0, 1.0, 1.0, 5.0]])  # in sum 1, 1, 4, 9


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_without_priorities_every_sample_comes_once():
    drawn = list(shuffled(12, LAYOUT, generator()))
    assert [len(minibatch.index_B) for minibatch in drawn] == [6, 6]
    assert sorted(torch.cat([minibatch.index_B for minibatch in drawn]).tolist()) == list(range(12))
    assert all(minibatch.weight_B is None for minibatch in drawn)


def test_priorities_are_powers_of_the_advantages():
    """√1, √1, √4 and √9, of 7."""
    assert priorities(ADVANTAGE, 0.5).tolist() == pytest.approx([1 / 7, 1 / 7, 2 / 7, 3 / 7], rel=1e-5)
    assert priorities(ADVANTAGE, 1.0).tolist() == pytest.approx([1 / 15, 1 / 15, 4 / 15, 9 / 15], rel=1e-5)


def test_a_segment_without_advantage_may_still_be_drawn():
    assert (priorities(torch.zeros(3, 4), 1.0) == 0.25).all()


def test_importance_weights_undo_the_priorities_as_far_as_beta_says():
    """N = 2, p = ⅛ and ⅞: with β = 1, 4 and 4/7; with β = ½, their roots; with β = 0, 1."""
    probability, drawn = tensor([1 / 8, 7 / 8]), tensor([0, 1, 1])
    for beta, weights in ((1.0, [4, 4 / 7, 4 / 7]), (0.5, [2, (4 / 7) ** 0.5, (4 / 7) ** 0.5]), (0.0, [1, 1, 1])):
        assert importance_weights(probability, drawn, beta).tolist() == pytest.approx(weights)


def test_with_beta_1_a_mean_over_draws_is_the_mean_over_segments():
    probability, value = priorities(ADVANTAGE, 1.0), tensor([3.0, -1.0, 2.0, 10.0])
    weights = importance_weights(probability, torch.arange(4), 1.0)
    assert (probability * weights * value).sum().item() == pytest.approx(value.mean().item())


def test_segments_are_drawn_as_often_as_their_probabilities_say():
    """20,000 draws: five standard deviations of a share are below 0.018."""
    layout = Layout(environments=2, steps=3, samples=12, batch=60_000, minibatch=600)
    drawn = torch.cat([m.index_B for m in prioritized(ADVANTAGE, layout, generator(), alpha=1.0, beta=1.0)])
    counts = torch.bincount(drawn % 4, minlength=4) / len(drawn)
    assert len(drawn) == 60_000
    torch.testing.assert_close(counts, priorities(ADVANTAGE, 1.0), atol=0.018, rtol=0)


def test_segments_are_drawn_and_weighted_as_numpy_says():
    """Probabilities and weights by their definitions in double precision; the draws pass a χ² test of scipy's."""
    advantage = torch.randn(3, 40, generator=generator())
    layout = Layout(environments=20, steps=3, samples=120, batch=60_000, minibatch=600)
    minibatches = list(prioritized(advantage, layout, generator(), alpha=0.7, beta=0.4))
    segment = np.concatenate([m.index_B.view(-1, 3)[:, 0].numpy() for m in minibatches])
    weight = np.concatenate([m.weight_B.view(-1, 3)[:, 0].numpy() for m in minibatches])
    share = np.abs(advantage.numpy().astype(np.float64)).sum(0) ** 0.7
    share /= share.sum()
    np.testing.assert_allclose(weight, (1 / (40 * share[segment])) ** 0.4, rtol=1e-5)
    assert chisquare(np.bincount(segment, minlength=40), share * len(segment)).pvalue > 1e-3


def test_a_segment_comes_whole_and_in_order_with_one_weight():
    (minibatch, _) = prioritized(ADVANTAGE, LAYOUT, generator(), alpha=1.0, beta=0.5)
    index_ST, weight_ST = minibatch.index_B.view(2, 3), minibatch.weight_B.view(2, 3)
    for index_T, weight_T in zip(index_ST, weight_ST, strict=True):
        agent = int(index_T[0])
        assert index_T.tolist() == [agent, agent + 4, agent + 8]
        expected = importance_weights(priorities(ADVANTAGE, 1.0), tensor([agent]), 0.5).item()
        assert weight_T.tolist() == pytest.approx([expected] * 3)


def test_beta_rises_to_1():
    config = PrioritizedExperienceReplayConfig(prio_alpha=0.5, prio_beta0=0.4)
    assert [beta_at(config, step, 1000) for step in (0, 500, 1000, 2000)] == pytest.approx([0.4, 0.7, 1.0, 1.0])
