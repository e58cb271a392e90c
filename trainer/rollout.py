"""Experience to learn from: T steps of N agents under one policy."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer import ppo
from trainer.agent import Policy, act
from trainer.stop import Stop
from trainer.vector import Environments


@dataclass(frozen=True)
class Rollout:
    """Experience, in the order of time."""

    features_TNF: Tensor
    action_TN: Tensor
    logprob_TN: Tensor
    value_TN: Tensor
    reward_TN: Tensor
    done_TN: Tensor
    last_value_N: Tensor  # the value of the state after the last step


def collect(
    policy: Policy, environments: Environments, steps: int, generator: torch.Generator, stop: Stop
) -> Rollout | None:
    """Act for `steps` steps. None after a signal to stop: the rollout is dropped, and the policy learns nothing."""
    block, device = environments.block, generator.device
    rows = environments.shape.rows
    first_NF = torch.from_numpy(block.features)
    features_TNF = torch.empty((steps, *first_NF.shape), dtype=first_NF.dtype, device=device)
    action_TN = torch.empty((steps, rows), dtype=torch.int64, device=device)
    logprob_TN, value_TN, reward_TN, done_TN = (torch.empty((steps, rows), device=device) for _ in range(4))
    for t in range(steps):
        if stop.is_requested:
            return None
        features_TNF[t] = torch.from_numpy(block.features)
        action_TN[t], logits_NA, value_TN[t] = act(policy, features_TNF[t], generator)
        logprob_TN[t] = ppo.log_prob(logits_NA, action_TN[t])
        environments.step(action_TN[t].cpu().numpy())
        reward_TN[t] = torch.from_numpy(block.rewards)
        done_TN[t] = torch.from_numpy(block.dones)
    with torch.no_grad():
        _, last_value_N = policy(torch.from_numpy(block.features).to(device))
    return Rollout(features_TNF, action_TN, logprob_TN, value_TN, reward_TN, done_TN, last_value_N)
