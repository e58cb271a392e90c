"""PPO in one plain loop, as CleanRL's `ppo.py` has it: the algorithm of that file, written anew.

Huang et al. 2022, "The 37 Implementation Details of PPO": buffers of float32 for a rollout, GAE backward in time, in
which the time limit ends an episode like any other end, then epochs of shuffled minibatches, with the KL and the share
of clipped ratios read from each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from benchmarks.trainer_peers.case import environments_of, layout_of
from benchmarks.trainer_peers.network import Network
from benchmarks.trainer_peers.turns import Turns
from trainer.config import Config, PPOConfig
from trainer.vector import Environments


class Buffers(NamedTuple):
    """A rollout of T steps of N agents."""

    features_TNF: Tensor
    action_TN: Tensor
    logprob_TN: Tensor
    reward_TN: Tensor
    done_TN: Tensor  # whether the step is the first one of its episode
    value_TN: Tensor


def train(config: Config, turns: Turns) -> None:
    """Collect a rollout and learn from it, again and again."""
    layout, ppo = layout_of(config), config.trainer.ppo
    with environments_of(config) as environments:
        shape = environments.shape
        features = int(np.prod(shape.spec.observations.shape))
        network = Network(features, shape.spec.actions, config.agent)
        optimizer = torch.optim.Adam(network.parameters(), lr=config.trainer.optimizer.learning_rate, eps=1e-5)
        buffers = Buffers(
            torch.zeros(layout.steps, shape.rows, features),
            torch.zeros(layout.steps, shape.rows, dtype=torch.int64),
            *(torch.zeros(layout.steps, shape.rows) for _ in range(4)),
        )
        next_done_N = torch.zeros(shape.rows)
        while True:
            next_done_N = collect(network, environments, buffers, next_done_N)
            advantage_TN = advantages(network, environments, buffers, next_done_N, ppo)
            learn(network, optimizer, buffers, advantage_TN, ppo, layout.minibatch)
            turns.count(layout.samples)


def collect(network: Network, environments: Environments, buffers: Buffers, next_done_N: Tensor) -> Tensor:
    """Fill the buffers. Gives whether the step after the last one begins an episode."""
    block = environments.block
    for t in range(len(buffers.action_TN)):
        features_NF = torch.tensor(block.features, dtype=torch.float32)
        buffers.features_TNF[t], buffers.done_TN[t] = features_NF, next_done_N
        with torch.no_grad():
            logits_NA, value_N = network(features_NF)
            chosen = Categorical(logits=logits_NA)
            action_N = chosen.sample()
            buffers.logprob_TN[t] = chosen.log_prob(action_N)
        buffers.action_TN[t], buffers.value_TN[t] = action_N, value_N
        environments.step(action_N.numpy())
        buffers.reward_TN[t] = torch.tensor(block.rewards)
        next_done_N = torch.tensor(block.dones, dtype=torch.float32)
    return next_done_N


@torch.no_grad()
def advantages(
    network: Network, environments: Environments, buffers: Buffers, next_done_N: Tensor, ppo: PPOConfig
) -> Tensor:
    """GAE (Schulman et al. 2016, arXiv:1506.02438), backward in time."""
    next_value_N = network(torch.tensor(environments.block.features, dtype=torch.float32))[1]
    advantage_TN = torch.zeros_like(buffers.reward_TN)
    after_N = torch.zeros_like(next_value_N)
    for t in reversed(range(len(advantage_TN))):
        goes_on_N = 1.0 - next_done_N
        delta_N = buffers.reward_TN[t] + ppo.gamma * next_value_N * goes_on_N - buffers.value_TN[t]
        advantage_TN[t] = after_N = delta_N + ppo.gamma * ppo.gae_lambda * goes_on_N * after_N
        next_done_N, next_value_N = buffers.done_TN[t], buffers.value_TN[t]
    return advantage_TN


def learn(
    network: Network, optimizer: torch.optim.Optimizer, buffers: Buffers, advantage_TN: Tensor, ppo: PPOConfig,
    minibatch: int,
) -> float:  # fmt: skip
    """Epochs of minibatches. Gives the mean share of ratios that were clipped."""
    features_BF, action_B = buffers.features_TNF.flatten(0, 1), buffers.action_TN.flatten()
    old_logprob_B, advantage_B = buffers.logprob_TN.flatten(), advantage_TN.flatten()
    return_B = (advantage_TN + buffers.value_TN).flatten()
    clipped, order = [], np.arange(len(action_B))
    for _ in range(ppo.update_epochs):
        np.random.shuffle(order)
        for start in range(0, len(order), minibatch):
            b = order[start : start + minibatch]
            logits_BA, value_B = network(features_BF[b])
            policy = Categorical(logits=logits_BA)
            log_ratio_B = policy.log_prob(action_B[b]) - old_logprob_B[b]
            ratio_B = log_ratio_B.exp()
            with torch.no_grad():
                kl = ((ratio_B - 1) - log_ratio_B).mean()
                clipped.append(((ratio_B - 1.0).abs() > ppo.clip_coef).float().mean().item())
            scaled_B = advantage_B[b]
            scaled_B = (scaled_B - scaled_B.mean()) / (scaled_B.std() + 1e-8)
            bounded_B = ratio_B.clamp(1 - ppo.clip_coef, 1 + ppo.clip_coef)
            policy_loss = torch.max(-scaled_B * ratio_B, -scaled_B * bounded_B).mean()
            value_loss = 0.5 * ((value_B - return_B[b]) ** 2).mean()
            loss = policy_loss - ppo.ent_coef * policy.entropy().mean() + ppo.vf_coef * value_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), ppo.max_grad_norm)
            optimizer.step()
        if ppo.target_kl is not None and kl > ppo.target_kl:
            break
    return float(np.mean(clipped))
