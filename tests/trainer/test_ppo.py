"""PPO's losses: on numbers small enough to check by hand, and against other implementations of the definitions."""

from math import exp, log

import numpy as np
import pytest
import torch
from torch import tensor
from torch.distributions import Categorical, kl_divergence

from trainer import ppo
from trainer.config import PPOConfig


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss"),
    [(1.1, 2.0, -2.2), (1.5, 2.0, -2.4), (0.5, 2.0, -1.0), (1.5, -2.0, 3.0), (0.5, -2.0, 1.6)],
)
def test_the_clipped_surrogate_gives_no_credit_beyond_the_clip(ratio: float, advantage: float, loss: float):
    """ε = 0.2. Moving further in the good direction earns no more; in the bad one it costs in full."""
    actual = ppo.policy_loss(tensor([log(ratio)]), tensor([0.0]), tensor([advantage]), clip_coef=0.2)
    assert actual.mean.item() == pytest.approx(loss)


def test_the_value_loss_is_half_the_squared_error():
    assert ppo.value_loss(tensor([3.0]), tensor([0.0]), tensor([1.0]), clip_coef=None).mean.item() == 2.0


def test_a_clipped_value_is_held_near_the_old_one():
    """From 0 towards 1, a step to 1 counts as one to 0.2: half of 0.8²."""
    assert ppo.value_loss(tensor([1.0]), tensor([0.0]), tensor([1.0]), clip_coef=0.2).mean.item() == pytest.approx(0.32)


def test_probabilities_and_entropy_of_two_even_actions():
    logits = torch.zeros(1, 2)
    assert ppo.log_prob(logits, tensor([1])).item() == pytest.approx(log(0.5))
    assert ppo.entropy(logits.log_softmax(-1).T).item() == pytest.approx(log(2))


def test_the_kl_estimate_is_zero_where_nothing_changed_and_positive_elsewhere():
    assert ppo.approximate_kl(tensor([-1.0]), tensor([-1.0])).item() == 0.0
    assert ppo.approximate_kl(tensor([0.0]), tensor([-1.0])).item() == pytest.approx(exp(1) - 2)


def test_normalized_advantages_have_zero_mean_and_unit_deviation():
    assert ppo.normalize(tensor([1.0, 3.0])).tolist() == pytest.approx([-1.0, 1.0])


def test_the_total_loss_weighs_its_parts():
    """Even actions and ratio 1: -1 for the policy, ½·2² for the value, log 2 of entropy."""
    config = PPOConfig(vf_coef=0.5, ent_coef=0.1, norm_adv=False)
    old = tensor([log(0.5)])
    losses = ppo.losses(
        config, torch.zeros(1, 2), tensor([4.0]), tensor([0]), old, tensor([1.0]), tensor([1.0]), tensor([2.0])
    )
    assert losses.total.item() == pytest.approx(-1 + 0.5 * 2 - 0.1 * log(2))
    assert losses.clipped.item() == 0.0


def test_a_weight_scales_what_its_sample_adds_to_the_policy_loss_alone():
    """Ratio 1, so that each sample's surrogate is its advantage: -(2·1 + ½·4)/2 for the policy."""
    config = PPOConfig(norm_adv=False)
    even, none = tensor([log(0.5)] * 2), torch.zeros(2)
    arguments = (config, torch.zeros(2, 2), none, tensor([0, 1]), even, none, tensor([1.0, 4.0]), tensor([1.0, 1.0]))
    weighted, plain = ppo.losses(*arguments, tensor([2.0, 0.5])), ppo.losses(*arguments)
    assert weighted.policy.item() == -2.0
    assert plain.policy.item() == -2.5
    assert (weighted.value, weighted.entropy) == (plain.value, plain.entropy)


def reference(config: PPOConfig, logits, value, action, old_logprob, old_value, advantage, target) -> float:
    """The loss of PPO with clipped values, sample by sample, in numpy and double precision."""
    if config.norm_adv:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    total = 0.0
    for b in range(len(action)):
        p = np.exp(logits[b]) / np.exp(logits[b]).sum()
        ratio = p[action[b]] / np.exp(old_logprob[b])
        clipped = min(max(ratio, 1 - config.clip_coef), 1 + config.clip_coef)
        error = (value[b] - target[b]) ** 2
        if config.clip_vloss:
            moved = min(max(value[b] - old_value[b], -config.vf_clip_coef), config.vf_clip_coef)
            error = max(error, (old_value[b] + moved - target[b]) ** 2)
        total -= min(ratio * advantage[b], clipped * advantage[b])
        total += config.vf_coef * error / 2 + config.ent_coef * (p * np.log(p)).sum()
    return total / len(action)


@pytest.mark.parametrize("norm_adv", [True, False])
@pytest.mark.parametrize("clip_vloss", [True, False])
def test_the_total_loss_is_that_of_a_loop_over_samples(norm_adv: bool, clip_vloss: bool):
    config = PPOConfig(norm_adv=norm_adv, clip_vloss=clip_vloss, clip_coef=0.1, ent_coef=0.03, vf_coef=0.7)
    rng = np.random.default_rng(0)
    logits, action = rng.normal(size=(50, 5)), rng.integers(0, 5, 50)
    columns = [*rng.normal(size=(2, 50)), *rng.normal(size=(3, 50))]
    columns[1] = np.log(rng.uniform(0.1, 0.4, 50))  # the probabilities that the actions were taken with
    value, old_logprob, old_value, advantage, target = columns
    expected = reference(config, logits, value, action, old_logprob, old_value, advantage, target)
    given = [torch.from_numpy(x) for x in (logits, value, action, old_logprob, old_value, advantage, target)]
    assert ppo.losses(config, *given).total.item() == pytest.approx(expected, rel=1e-6)


def test_log_probabilities_entropy_and_kl_are_those_of_torch():
    torch.manual_seed(0)
    logits, other, action = torch.randn(9, 5), torch.randn(9, 5), torch.randint(5, (9,))
    p, q = Categorical(logits=logits), Categorical(logits=other)
    torch.testing.assert_close(ppo.log_prob(logits, action), p.log_prob(action))
    torch.testing.assert_close(ppo.entropy(logits.log_softmax(-1).T), p.entropy())
    torch.testing.assert_close(ppo.kl_divergence(p.logits, other), kl_divergence(p, q).mean())


@pytest.mark.parametrize("norm_adv", [True, False])
@pytest.mark.parametrize("clip_vloss", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_gradient_is_the_one_that_autograd_finds(norm_adv: bool, clip_vloss: bool, weighted: bool):
    """In double precision, of the definitions written out here; also where the clip holds, and for ratios of just 1."""
    config = PPOConfig(norm_adv=norm_adv, clip_vloss=clip_vloss, clip_coef=0.1, ent_coef=0.03, vf_coef=0.7)
    torch.manual_seed(1)
    logits, value = torch.randn(200, 5).double().requires_grad_(), torch.randn(200).double().requires_grad_()
    action, advantage, old_value, target = torch.randint(5, (200,)), *torch.randn(3, 200).double()
    old = ppo.log_prob(logits.detach(), action) + 0.2 * torch.randn(200).double()
    old[:50] = ppo.log_prob(logits.detach(), action)[:50]
    weight = torch.rand(200).double() if weighted else None
    ours = ppo.losses(config, logits, value, action, old, old_value, advantage, target, weight)
    by_ours = torch.autograd.grad(3 * ours.total, (logits, value))

    p = Categorical(logits=logits)
    scaled = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8) if norm_adv else advantage
    scaled = scaled if weight is None else weight * scaled
    ratio = (p.log_prob(action) - old).exp()
    clip = config.clip_coef
    policy = -torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
    error = (value - target) ** 2
    if clip_vloss:
        held = old_value + (value - old_value).clamp(-config.vf_clip_coef, config.vf_clip_coef)
        error = torch.max(error, (held - target) ** 2)
    total = policy + config.vf_coef * 0.5 * error.mean() - config.ent_coef * p.entropy().mean()
    torch.testing.assert_close(ours.total, total)
    for here, there in zip(by_ours, torch.autograd.grad(3 * total, (logits, value)), strict=True):
        torch.testing.assert_close(here, there)
    is_clipped = (ratio - 1).abs() > config.clip_coef
    assert 0 < is_clipped.sum() < 200
    torch.testing.assert_close(ours.clipped.item(), is_clipped.double().mean().item())
