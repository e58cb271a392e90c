"""How much better an action was than expected, over a rollout: GAE and V-trace, as pure functions of tensors.

T steps of N agents. `next_value_TN` is the value of the state after each step: 0 after the end of an episode, and after
a cut by a time limit the value of the episode's final observation. `done_TN` marks the last step of an episode, of
either kind: nothing flows back over it from the next one.
"""

from typing import NamedTuple

import torch
from torch import Tensor


def gae(
    reward_TN: Tensor, value_TN: Tensor, next_value_TN: Tensor, done_TN: Tensor, *, gamma: float, lam: float
) -> Tensor:
    """Generalized advantage estimates (T, N): Schulman et al. 2016, arXiv:1506.02438, equation 16."""
    advantage_TN = torch.zeros_like(reward_TN)
    running_N = torch.zeros_like(reward_TN[0])
    delta_TN = reward_TN + gamma * next_value_TN - value_TN
    goes_on_TN = 1 - done_TN.to(reward_TN.dtype)
    for t in reversed(range(len(reward_TN))):
        running_N = delta_TN[t] + gamma * lam * goes_on_TN[t] * running_N
        advantage_TN[t] = running_N
    return advantage_TN


class Targets(NamedTuple):
    """What the policy learns from and what the values are drawn to, each (T, N)."""

    advantage_TN: Tensor
    return_TN: Tensor


def vtrace(
    reward_TN: Tensor, value_TN: Tensor, next_value_TN: Tensor, done_TN: Tensor, ratio_TN: Tensor, *,
    gamma: float, lam: float, rho_clip: float, c_clip: float,
) -> Targets:  # fmt: skip
    """V-trace: Espeholt et al. 2018, arXiv:1802.01561, equation 1, with λ in c as in its remark 2.

    `ratio_TN` is π/μ of each action: the current policy's probability over that of the policy that acted. The
    advantage is r + γ v(next) - V, without the paper's ρ before it: PPO's surrogate has that ratio itself. Of the
    difference between v(next) and V(next) it has the share λ, so that with all ratios 1 it is GAE's.
    """
    rho_TN, trace_TN = ratio_TN.clamp(max=rho_clip), gamma * lam * ratio_TN.clamp(max=c_clip)
    delta_TN = reward_TN + gamma * next_value_TN - value_TN
    goes_on_TN = 1 - done_TN.to(reward_TN.dtype)
    advantage_TN, error_TN = torch.zeros_like(reward_TN), torch.zeros_like(reward_TN)
    error_N = torch.zeros_like(reward_TN[0])  # v - V of the step after
    for t in reversed(range(len(reward_TN))):
        advantage_TN[t] = delta_TN[t] + gamma * lam * goes_on_TN[t] * error_N
        error_N = rho_TN[t] * delta_TN[t] + trace_TN[t] * goes_on_TN[t] * error_N
        error_TN[t] = error_N
    return Targets(advantage_TN, value_TN + error_TN)
