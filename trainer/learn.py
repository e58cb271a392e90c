"""One update of the policy from a rollout, and its metrics.

Nothing here waits for the device, but for the summary at the end, and the KL after each epoch if the config has a
`target_kl`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer import kickstart, ppo
from trainer.advantage import Targets, gae, vtrace
from trainer.agent import Policy
from trainer.errors import TrainerError
from trainer.learner_config import Precision
from trainer.minibatches import Minibatch, beta_at, prioritized, samples_of, shuffled, whole_segments
from trainer.ones import Ones
from trainer.rollout import Rollout
from trainer.schedule import lr_factor
from trainer.training import Training

LOSSES = ("loss", "policy_loss", "value_loss", "entropy", "kl", "clipped")
TEACHER_KL = "teacher_kl"


@dataclass(frozen=True)
class Batch:
    """The samples of a rollout in one row, and the teacher's log-probabilities there if there is a teacher."""

    features_BF: Tensor | Ones
    action_B: Tensor
    logprob_B: Tensor
    value_B: Tensor
    done_B: Tensor
    first_state_NS: Tensor
    teacher_logprob_BA: Tensor | None

    @property
    def agents(self) -> int:
        """N."""
        return len(self.first_state_NS)

    @property
    def steps(self) -> int:
        """T."""
        return len(self.action_B) // self.agents


def update_policy(run: Training, rollout: Rollout, step: int) -> dict[str, float]:
    """Several epochs of minibatch gradients on one rollout, begun at `step`. Gives its metrics, over all ranks."""
    config = run.config.trainer
    factor = lr_factor(config.lr_scheduler, step=step, samples=run.layout.samples, total=config.total_timesteps)
    run.optimizer.scale_learning_rates(factor)
    batch = batch_of(run, rollout)
    figures: list[dict[str, Tensor]] = []
    learned = targets(run, rollout, batch, has_changed=config.async_rollouts)
    for epoch in range(config.ppo.update_epochs):
        if epoch and not config.async_rollouts:
            learned = targets(run, rollout, batch, has_changed=True)
        for minibatch in minibatches(run, learned.advantage_TN, step):
            losses = losses_of(run, batch, learned, minibatch, step)
            is_overdue = take_gradient_step(run, losses["loss"])
            figures.append({name: loss.detach() for name, loss in losses.items()})
            if is_overdue:
                return summary(run, figures, factor)
        if config.ppo.target_kl is not None and run.ranks.mean(float(losses["kl"]))[0] > config.ppo.target_kl:
            break
    return summary(run, figures, factor)


def batch_of(run: Training, rollout: Rollout) -> Batch:
    """The rollout's samples in one row."""
    features_BF = rollout.features_TNF.flatten(0, 1)
    action_B, logprob_B, value_B, done_B = (
        x.flatten() for x in (rollout.action_TN, rollout.logprob_TN, rollout.value_TN, rollout.done_TN)
    )
    logprobs = kickstart.teacher_logprobs(run.teacher, features_BF, run.layout.minibatch) if run.teacher else None
    return Batch(for_learning(run, features_BF), action_B, logprob_B, value_B, done_B, rollout.first_state_NS, logprobs)


def for_learning(run: Training, features_BF: Tensor) -> Tensor | Ones:
    """The features as the policy learns from them fastest: marks on a CPU by the places of their ones."""
    trainer = run.config.trainer
    is_dense = trainer.compile or trainer.precision is not Precision.float32 or run.ranks.device.type != "cpu"
    return features_BF if is_dense or not run.policy.observations.marks else Ones.of(features_BF)


def targets(run: Training, rollout: Rollout, batch: Batch, *, has_changed: bool) -> Targets:
    """What an epoch learns from: by GAE, or by V-trace if the policy `has_changed` since it acted."""
    settings, clips = run.config.trainer.ppo, run.config.trainer.vtrace
    experience = (rollout.reward_TN, rollout.value_TN, rollout.next_value_TN, rollout.done_TN)
    if clips.rho_clip is None or clips.c_clip is None:
        advantage_TN = gae(*experience, gamma=settings.gamma, lam=settings.gae_lambda)
        return Targets(advantage_TN, advantage_TN + rollout.value_TN)
    ratio_TN = ratios(run, batch).view_as(rollout.value_TN) if has_changed else torch.ones_like(rollout.value_TN)
    return vtrace(
        *experience, ratio_TN,
        gamma=settings.gamma, lam=settings.gae_lambda, rho_clip=clips.rho_clip, c_clip=clips.c_clip,
    )  # fmt: skip


@torch.no_grad()
def ratios(run: Training, batch: Batch) -> Tensor:
    """The probability (B) of each action now, over that when it was taken."""
    segment_N = torch.arange(batch.agents, device=batch.action_B.device)
    logprob_B = torch.empty_like(batch.logprob_B)
    for segment_S in torch.split(segment_N, max(1, run.layout.minibatch // batch.steps)):
        index_B = samples_of(segment_S, batch.steps, batch.agents).flatten()
        logprob_B[index_B] = ppo.log_prob(predict(run.policy, batch, index_B)[0], batch.action_B[index_B])
    return (logprob_B - batch.logprob_B).exp()


def predict(policy: Policy, batch: Batch, index_B: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (B, A) and values (B) of these samples; of a policy that remembers, they are whole segments in a row."""
    if not policy.is_recurrent:
        logits_BA, value_B, _ = policy(batch.features_BF[index_B])
        return logits_BA, value_B
    index_TS = index_B.view(-1, batch.steps).T
    b = index_TS.flatten()
    logits_BA, value_B, _ = policy(batch.features_BF[b], batch.first_state_NS[index_TS[0]], batch.done_B[b])
    by_segment_B = torch.arange(len(b), device=b.device).view(index_TS.shape).T.flatten()
    return logits_BA[by_segment_B], value_B[by_segment_B]


def minibatches(run: Training, advantage_TN: Tensor, step: int) -> Iterator[Minibatch]:
    """The minibatches of one epoch."""
    replay, total = run.config.trainer.prioritized_experience_replay, run.config.trainer.total_timesteps
    steps, agents = advantage_TN.shape
    if replay.prio_alpha == 0 and run.policy.is_recurrent:
        return whole_segments(steps, agents, run.layout, run.generator)
    if replay.prio_alpha == 0:
        return shuffled(advantage_TN.numel(), run.layout, run.generator)
    beta = beta_at(replay, step, total)
    return prioritized(advantage_TN, run.layout, run.generator, alpha=replay.prio_alpha, beta=beta)


def losses_of(run: Training, batch: Batch, learned: Targets, minibatch: Minibatch, step: int) -> dict[str, Tensor]:
    """The losses of one minibatch, by their names; `loss` is the one that is minimised."""
    b = minibatch.index_B
    logits_BA, value_B = predict(run.policy, batch, b)
    losses = ppo.losses(
        run.config.trainer.ppo, logits_BA, value_B, batch.action_B[b], batch.logprob_B[b], batch.value_B[b],
        learned.advantage_TN.flatten()[b], learned.return_TN.flatten()[b], minibatch.weight_B,
    )  # fmt: skip
    named = dict(zip(LOSSES, losses, strict=True))
    if batch.teacher_logprob_BA is not None:
        named[TEACHER_KL] = ppo.kl_divergence(batch.teacher_logprob_BA[b], logits_BA)
        named["loss"] = losses.total + kickstart.coefficient(run, step) * named[TEACHER_KL]
    return named


def take_gradient_step(run: Training, loss: Tensor) -> bool:
    """One step down the gradient, which is averaged over the ranks and clipped. Gives whether to end the update now."""
    parameters = list(run.policy.parameters())
    run.optimizer.zero_grad()
    torch.autograd.backward(loss)
    is_overdue = run.ranks.average_gradients(parameters, run.stop.is_overdue)
    nn.utils.clip_grad_norm_(parameters, run.config.trainer.ppo.max_grad_norm)
    run.optimizer.step()
    return is_overdue


def summary(run: Training, losses: list[dict[str, Tensor]], factor: float) -> dict[str, float]:
    """The metrics of the update. Raises `TrainerError` if the loss is not finite: training cannot recover."""
    means_L = torch.stack([torch.stack(list(named.values())) for named in losses]).mean(0)
    named = dict(zip(losses[0], run.ranks.mean(*means_L.tolist()), strict=True))
    if not math.isfinite(named["loss"]):
        raise TrainerError(f"the loss is {named['loss']}; try a smaller trainer.optimizer.learning_rate")
    return {**named, "learning_rate": factor * run.config.trainer.optimizer.learning_rate}
