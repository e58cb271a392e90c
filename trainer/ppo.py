"""Proximal Policy Optimization: its maths, as pure functions of tensors.

Schulman et al. 2017, arXiv:1707.06347. Shapes are in the names: B samples of a minibatch, A actions. Advantages are in
`advantage.py`. Knows nothing of environments, networks or optimizers.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from trainer.config import PPOConfig


class Losses(NamedTuple):
    """The losses of one minibatch; `total` is what is minimised, the rest are metrics. Scalars."""

    total: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor
    kl: Tensor
    clipped: Tensor


def normalize(advantage_B: Tensor) -> Tensor:
    """Zero mean and unit deviation, so that the learning rate means the same whatever the rewards are."""
    return (advantage_B - advantage_B.mean()) / (advantage_B.std(correction=0) + 1e-8)


def log_prob(logits_BA: Tensor, action_B: Tensor) -> Tensor:
    """The log-probability (B) of the action taken."""
    return taken(log_softmax(logits_BA, -1), action_B)


def taken(x_BA: Tensor, action_B: Tensor) -> Tensor:
    """What stands at the action taken (B)."""
    return x_BA.gather(-1, action_B.unsqueeze(-1)).squeeze(-1)


def entropy(logprob_BA: Tensor) -> Tensor:
    """The entropy (B) of each distribution, in nats."""
    return -(logprob_BA.exp() * logprob_BA).sum(-1)


def policy_loss(logprob_B: Tensor, old_logprob_B: Tensor, advantage_B: Tensor, *, clip_coef: float) -> Tensor:
    """Equation 7: the clipped surrogate, negated. It gives no credit for moving further than `clip_coef`."""
    ratio_B = (logprob_B - old_logprob_B).exp()
    bounded_B = ratio_B.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.min(ratio_B * advantage_B, bounded_B * advantage_B).mean()


def value_loss(value_B: Tensor, old_value_B: Tensor, return_B: Tensor, *, clip_coef: float | None) -> Tensor:
    """Half the mean squared error; with `clip_coef`, the larger of it and the clipped value's error."""
    error_B = (value_B - return_B) ** 2
    if clip_coef is not None:
        near_B = old_value_B + (value_B - old_value_B).clamp(-clip_coef, clip_coef)
        error_B = torch.max(error_B, (near_B - return_B) ** 2)
    return 0.5 * error_B.mean()


def approximate_kl(logprob_B: Tensor, old_logprob_B: Tensor) -> Tensor:
    """The k3 estimator of KL(old, new), http://joschu.net/blog/kl-approx.html: unbiased and never negative."""
    log_ratio_B = logprob_B - old_logprob_B
    return (log_ratio_B.exp() - 1 - log_ratio_B).mean()


def kl_divergence(logprob_BA: Tensor, other_logits_BA: Tensor) -> Tensor:
    """KL(p, q), summed over the actions, mean over the batch: p by its log-probabilities, q by its logits."""
    return (logprob_BA.exp() * (logprob_BA - log_softmax(other_logits_BA, -1))).sum(-1).mean()


def losses(
    config: PPOConfig, logits_BA: Tensor, value_B: Tensor, action_B: Tensor, old_logprob_B: Tensor, old_value_B: Tensor,
    advantage_B: Tensor, return_B: Tensor, weight_B: Tensor | None = None,
) -> Losses:  # fmt: skip
    """Equation 9 for one minibatch: policy, value and entropy together.

    `return_B` is what values are drawn to. `weight_B` weighs the samples of the policy's loss.
    """
    logprob_BA = log_softmax(logits_BA, -1)
    logprob_B = taken(logprob_BA, action_B)
    scaled_B = normalize(advantage_B) if config.norm_adv else advantage_B
    policy = policy_loss(
        logprob_B,
        old_logprob_B,
        scaled_B if weight_B is None else weight_B * scaled_B,
        clip_coef=config.clip_coef,
    )
    value = value_loss(value_B, old_value_B, return_B, clip_coef=config.vf_clip_coef if config.clip_vloss else None)
    bonus = entropy(logprob_BA).mean()
    with torch.no_grad():
        kl = approximate_kl(logprob_B, old_logprob_B)
        clipped = (((logprob_B - old_logprob_B).exp() - 1).abs() > config.clip_coef).float().mean()
    total = policy + config.vf_coef * value - config.ent_coef * bonus
    return Losses(total, policy.detach(), value.detach(), bonus.detach(), kl, clipped)
