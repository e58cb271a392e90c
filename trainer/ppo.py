"""Proximal Policy Optimization: its maths, as pure functions of tensors.

Schulman et al. 2017, arXiv:1707.06347. Shapes are in the names: B samples of a minibatch, A actions. Advantages are in
`advantage.py`. Knows nothing of environments, networks or optimizers.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
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


class Graded(NamedTuple):
    """A mean over samples, a scalar, and its gradient by what each sample gives to it."""

    mean: Tensor
    gradient_B: Tensor


def normalize(advantage_B: Tensor) -> Tensor:
    """Zero mean and unit deviation, so that the learning rate means the same whatever the rewards are."""
    return (advantage_B - advantage_B.mean()) / (advantage_B.std(correction=0) + 1e-8)


def log_prob(logits_BA: Tensor, action_B: Tensor) -> Tensor:
    """The log-probability (B) of the action taken."""
    return taken(log_softmax(logits_BA, -1), action_B)


def taken(x_BA: Tensor, action_B: Tensor) -> Tensor:
    """What stands at the action taken (B)."""
    return x_BA.gather(-1, action_B.unsqueeze(-1)).squeeze(-1)


def entropy(logprob_AB: Tensor) -> Tensor:
    """The entropy (B) of each distribution, in nats."""
    return -(logprob_AB.exp() * logprob_AB).sum(0)


def policy_loss(logprob_B: Tensor, old_logprob_B: Tensor, advantage_B: Tensor, *, clip_coef: float) -> Graded:
    """Equation 7: the clipped surrogate, negated. It gives no credit for moving further than `clip_coef`."""
    ratio_B = (logprob_B - old_logprob_B).exp()
    surrogate_B = ratio_B * advantage_B  # which is also its gradient
    bounded_B = ratio_B.clamp(1 - clip_coef, 1 + clip_coef) * advantage_B
    gradient_B = torch.where(surrogate_B > bounded_B, 0.0, surrogate_B)
    return Graded(-torch.min(surrogate_B, bounded_B).mean(), gradient_B / -len(gradient_B))


def value_loss(value_B: Tensor, old_value_B: Tensor, return_B: Tensor, *, clip_coef: float | None) -> Graded:
    """Half the mean squared error; with `clip_coef`, the larger of it and the clipped value's error."""
    error_B = gradient_B = value_B - return_B
    square_B = error_B**2
    if clip_coef is not None:
        change_B = value_B - old_value_B
        near_B = old_value_B + change_B.clamp(-clip_coef, clip_coef) - return_B
        gradient_B = torch.where(near_B**2 > square_B, torch.where(change_B.abs() > clip_coef, 0.0, near_B), error_B)
        square_B = torch.max(square_B, near_B**2)
    return Graded(0.5 * square_B.mean(), gradient_B / len(gradient_B))


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

    `return_B` is what values are drawn to. `weight_B` weighs the samples of the policy's loss. The gradient is worked
    out here, in closed form: a third of the time that autograd takes for as many small operations.
    """
    with torch.no_grad():
        logprob_AB = log_softmax(logits_BA.T.contiguous(), 0)  # over few actions, faster than in rows
        logprob_B = logprob_AB.gather(0, action_B[None])[0]
        scaled_B = normalize(advantage_B) if config.norm_adv else advantage_B
        weighted_B = scaled_B if weight_B is None else weight_B * scaled_B
        policy = policy_loss(logprob_B, old_logprob_B, weighted_B, clip_coef=config.clip_coef)
        clip_coef = config.vf_clip_coef if config.clip_vloss else None
        value = value_loss(value_B, old_value_B, return_B, clip_coef=clip_coef)
        bonus = entropy(logprob_AB).mean()
        total = policy.mean + config.vf_coef * value.mean - config.ent_coef * bonus
        by_logits_AB = logits_gradient(logprob_AB, action_B, policy.gradient_B, -config.ent_coef / len(action_B))
        ratio_B = (logprob_B - old_logprob_B).exp()
        kl = approximate_kl(logprob_B, old_logprob_B)
        clipped = ((ratio_B - 1).abs() > config.clip_coef).float().mean()
    graded: Tensor = _WithGradient.apply(  # type: ignore[no-untyped-call]
        total, logits_BA, by_logits_AB.T, value_B, config.vf_coef * value.gradient_B
    )
    return Losses(graded, policy.mean, value.mean, bonus, kl, clipped)


def logits_gradient(logprob_AB: Tensor, action_B: Tensor, by_logprob_B: Tensor, by_entropy: float) -> Tensor:
    """The gradient (A, B) by the logits, from those by the log-probability of the action taken and by the entropy.

    By the logits, the gradient of the former is 1[a] - p, and that of the latter -p (log p + entropy).
    """
    probability_AB = logprob_AB.exp()
    is_taken_AB = action_B == torch.arange(len(logprob_AB), device=action_B.device)[:, None]
    spread_AB = probability_AB * (logprob_AB + entropy(logprob_AB))
    return (is_taken_AB.to(logprob_AB.dtype) - probability_AB) * by_logprob_B - by_entropy * spread_AB


class _WithGradient(torch.autograd.Function):
    """A loss whose gradient is known: by logits and by values."""

    @staticmethod
    def forward(
        ctx: Any, loss: Tensor, logits_BA: Tensor, by_logits_BA: Tensor, value_B: Tensor, by_value_B: Tensor
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(by_logits_BA, by_value_B)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        by_logits_BA, by_value_B = ctx.saved_tensors
        return None, scale * by_logits_BA, None, scale * by_value_B, None
