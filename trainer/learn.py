"""One update of the policy from a rollout, and its metrics."""

import math

import torch
from torch import nn

from trainer import ppo
from trainer.errors import TrainerError
from trainer.rollout import Rollout
from trainer.training import Training

LOSSES = ("loss", "policy_loss", "value_loss", "entropy", "kl", "clipped")


def update_policy(run: Training, rollout: Rollout) -> dict[str, float]:
    """Several epochs of minibatch gradients on one rollout. Gives the metrics of this update, over all ranks."""
    settings, parameters = run.config.trainer.ppo, list(run.policy.parameters())
    advantage_TN = ppo.gae(
        rollout.reward_TN, rollout.value_TN, rollout.done_TN, rollout.last_value_N,
        gamma=settings.gamma, lam=settings.gae_lambda,
    )  # fmt: skip
    features_BF = rollout.features_TNF.flatten(0, 1)
    action_B, logprob_B, value_B, advantage_B = (
        x.flatten() for x in (rollout.action_TN, rollout.logprob_TN, rollout.value_TN, advantage_TN)
    )
    minibatches: list[ppo.Losses] = []
    for _ in range(settings.update_epochs):
        order_B = torch.randperm(len(action_B), generator=run.generator, device=run.generator.device)
        for b in torch.split(order_B[: run.layout.batch], run.layout.minibatch):
            logits_BA, new_value_B = run.policy(features_BF[b])
            losses = ppo.losses(settings, logits_BA, new_value_B, action_B[b], logprob_B[b], value_B[b], advantage_B[b])
            run.optimizer.zero_grad()
            torch.autograd.backward(losses.total)
            overdue, kl = run.ranks.average(parameters, torch.tensor(float(run.stop.is_overdue)), losses.kl)
            nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
            run.optimizer.step()
            minibatches.append(losses)
            if overdue:
                return summary(run, minibatches)
        if settings.target_kl is not None and kl > settings.target_kl:
            break
    return summary(run, minibatches)


def summary(run: Training, minibatches: list[ppo.Losses]) -> dict[str, float]:
    """The metrics of the update. Raises `TrainerError` if the loss is not finite: training cannot recover."""
    losses_ML = torch.stack([torch.stack([part.detach() for part in losses]) for losses in minibatches])
    means = losses_ML.mean(0).tolist()
    named = dict(zip(LOSSES, run.ranks.mean(*means), strict=True))
    if not math.isfinite(named["loss"]):
        raise TrainerError(f"the loss is {named['loss']}; try a smaller trainer.optimizer.learning_rate")
    return named
