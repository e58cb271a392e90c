"""Experience to learn from: T steps of N agents under one policy."""

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.agent import Policy, act
from trainer.memory import forget
from trainer.profiler import Timings
from trainer.stop import Stop
from trainer.vector import Environments


@dataclass(frozen=True)
class Rollout:
    """Experience, in the order of time."""

    features_TNF: Tensor
    action_TN: Tensor
    logprob_TN: Tensor
    value_TN: Tensor
    next_value_TN: Tensor  # of the state after each step, also where a time limit cut the episode; 0 after a real end
    reward_TN: Tensor
    done_TN: Tensor  # whether the step was the last one of its episode
    first_state_NS: Tensor  # what each agent remembered before the first step


def collect(
    policy: Policy, environments: Environments, memory_NS: Tensor, steps: int, generator: torch.Generator, stop: Stop,
    timings: Timings,
) -> Rollout | None:  # fmt: skip
    """Act for `steps` steps, and bring `memory_NS`, what each agent remembers, up to date.

    None after a signal to stop: the rollout is dropped, and the policy learns nothing.
    """
    block, device = environments.block, generator.device
    rows = environments.shape.rows
    first_NF = torch.from_numpy(block.features)
    features_TNF = torch.empty((steps, *first_NF.shape), dtype=first_NF.dtype, device=device)
    action_TN = torch.empty((steps, rows), dtype=torch.int64, device=device)
    logprob_TN, value_TN = (torch.empty((steps, rows), device=device) for _ in range(2))
    final_value_TN = torch.zeros((steps, rows), device=device)
    # Filled here and brought to the device at the end, in one copy each.
    reward_TN = torch.empty((steps, rows), pin_memory=device.type == "cuda")
    done_TN = torch.empty((steps, rows), dtype=torch.bool, pin_memory=device.type == "cuda")
    state_NS = memory_NS.clone()
    transfer = Transfer(block.features, device)
    for t in range(steps):
        if stop.is_requested:
            return None
        with timings.measure("inference"):
            transfer.copy_to(features_TNF[t])
            action_TN[t], logprob_TN[t], value_TN[t], state_NS = act(policy, features_TNF[t], state_NS, generator)
            action_N = action_TN[t].cpu().numpy()  # waits for the device, so that its pinned memory is free again
        with timings.measure("env"):
            environments.step(action_N)
        reward_TN[t] = torch.from_numpy(block.rewards)
        done_TN[t] = torch.from_numpy(block.dones)
        if block.truncated.any():
            with timings.measure("inference"):
                cut = block.truncated.nonzero()[0]
                rows_C = torch.from_numpy(cut).to(device)
                final_value_TN[t, rows_C] = _values(policy, block.final_features[cut], state_NS[rows_C])
        if policy.is_recurrent:
            state_NS = forget(state_NS, done_TN[t].to(device))
    after_N = _values(policy, block.features, state_NS)
    first_state_NS = memory_NS.clone()
    memory_NS.copy_(state_NS)
    done_TN = done_TN.to(device, non_blocking=True)
    next_value_TN = torch.where(done_TN, final_value_TN, torch.cat([value_TN[1:], after_N[None]]))
    reward_TN = reward_TN.to(device, non_blocking=True)
    return Rollout(features_TNF, action_TN, logprob_TN, value_TN, next_value_TN, reward_TN, done_TN, first_state_NS)


class Transfer:
    """Brings one array of this process to the device again and again; to a GPU through memory that is pinned once."""

    def __init__(self, array: NDArray[Any], device: torch.device) -> None:
        self._source = torch.from_numpy(array)
        self._pinned = torch.empty_like(self._source, pin_memory=True) if device.type == "cuda" else None

    def copy_to(self, target: Tensor) -> None:
        """Copy what the array has now. On a GPU the copy may be under way when this returns."""
        if self._pinned is None:
            target.copy_(self._source)
        else:
            target.copy_(self._pinned.copy_(self._source), non_blocking=True)


@torch.no_grad()
def _values(policy: Policy, features: NDArray[Any], state_NS: Tensor) -> Tensor:
    value_N: Tensor = policy(torch.from_numpy(features).to(state_NS.device), state_NS)[1]
    return value_N
