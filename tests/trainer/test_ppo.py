"""The maths, on numbers small enough to check by hand."""

from math import exp, log

import pytest
import torch
from torch import Tensor, tensor

from trainer import ppo
from trainer.config import PPOConfig


def column(*values: float) -> Tensor:
    return tensor(values, dtype=torch.float32).unsqueeze(1)


def test_the_advantage_discounts_what_comes_after():
    """γ = ½, λ = 1: the last step earns 4 + ½·2 - 1 = 4; the first, 1 + ½·1 - 2 + ½·4 = 1.5."""
    advantage = ppo.gae(column(1, 4), column(2, 1), column(0, 0), tensor([2.0]), gamma=0.5, lam=1.0)
    assert advantage.flatten().tolist() == [1.5, 4.0]


def test_without_lambda_the_advantage_looks_one_step_ahead():
    advantage = ppo.gae(column(1, 4), column(2, 1), column(0, 0), tensor([2.0]), gamma=0.5, lam=0.0)
    assert advantage.flatten().tolist() == [-0.5, 4.0]


def test_nothing_flows_back_over_the_end_of_an_episode():
    """The first step ended its episode: 1 - 2, whatever the next one brings."""
    advantage = ppo.gae(column(1, 4), column(2, 1), column(1, 0), tensor([2.0]), gamma=0.5, lam=1.0)
    assert advantage.flatten().tolist() == [-1.0, 4.0]


def test_agents_do_not_mix():
    reward = tensor([[1.0, 0.0], [0.0, 1.0]])
    zero = torch.zeros(2, 2)
    advantage = ppo.gae(reward, zero, zero, torch.zeros(2), gamma=1.0, lam=1.0)
    assert advantage.tolist() == [[1.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss"),
    [(1.1, 2.0, -2.2), (1.5, 2.0, -2.4), (0.5, 2.0, -1.0), (1.5, -2.0, 3.0), (0.5, -2.0, 1.6)],
)
def test_the_clipped_surrogate_gives_no_credit_beyond_the_clip(ratio: float, advantage: float, loss: float):
    """ε = 0.2. Moving further in the good direction earns no more; in the bad one it costs in full."""
    actual = ppo.policy_loss(tensor([log(ratio)]), tensor([0.0]), tensor([advantage]), clip_coef=0.2)
    assert actual.item() == pytest.approx(loss)


def test_the_value_loss_is_half_the_squared_error():
    assert ppo.value_loss(tensor([3.0]), tensor([0.0]), tensor([1.0]), clip_coef=None).item() == 2.0


def test_a_clipped_value_is_held_near_the_old_one():
    """From 0 towards 1, a step to 1 counts as one to 0.2: half of 0.8²."""
    assert ppo.value_loss(tensor([1.0]), tensor([0.0]), tensor([1.0]), clip_coef=0.2).item() == pytest.approx(0.32)


def test_probabilities_and_entropy_of_two_even_actions():
    logits = torch.zeros(1, 2)
    assert ppo.log_prob(logits, tensor([1])).item() == pytest.approx(log(0.5))
    assert ppo.entropy(logits).item() == pytest.approx(log(2))


def test_the_kl_estimate_is_zero_where_nothing_changed_and_positive_elsewhere():
    assert ppo.approximate_kl(tensor([-1.0]), tensor([-1.0])).item() == 0.0
    assert ppo.approximate_kl(tensor([0.0]), tensor([-1.0])).item() == pytest.approx(exp(1) - 2)


def test_normalized_advantages_have_zero_mean_and_unit_deviation():
    assert ppo.normalize(tensor([1.0, 3.0])).tolist() == pytest.approx([-1.0, 1.0])


def test_the_total_loss_weighs_its_parts():
    """Even actions and ratio 1: -1 for the policy, ½·2² for the value, log 2 of entropy."""
    config = PPOConfig(vf_coef=0.5, ent_coef=0.1, norm_adv=False)
    old = tensor([log(0.5)])
    losses = ppo.losses(config, torch.zeros(1, 2), tensor([4.0]), tensor([0]), old, tensor([1.0]), tensor([1.0]))
    assert losses.total.item() == pytest.approx(-1 + 0.5 * 2 - 0.1 * log(2))
    assert losses.clipped.item() == 0.0
