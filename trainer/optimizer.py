"""From the optimizer's config to something that steps: Adam, or Muon with Adam beside it.

Muon takes the hidden matrices only; biases and heads stay with Adam. One learning rate suits both.
"""

from typing import Any, assert_never

import torch
from torch import Tensor

from trainer.agent import Policy
from trainer.config import OptimizerConfig, OptimizerType
from trainer.muon import Muon


class Optimizers:
    """Several optimizers, each with parameters of its own, stepped as one."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self._parts = parts
        self._rates = [[float(group["lr"]) for group in part.param_groups] for part in parts]

    def zero_grad(self) -> None:
        for part in self._parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self._parts:
            part.step()

    def scale_learning_rates(self, factor: float) -> None:
        """Set every learning rate to `factor` times that of the config."""
        for part, rates in zip(self._parts, self._rates, strict=True):
            for group, rate in zip(part.param_groups, rates, strict=True):
                group["lr"] = factor * rate

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Take over the state of the same optimizers; the learning rates stay those of the config."""
        for part, saved in zip(self._parts, state, strict=True):
            part.load_state_dict(saved)
        self.scale_learning_rates(1.0)


def make(config: OptimizerConfig, policy: Policy) -> Optimizers:
    """The optimizer that `config` names, over all of the policy's parameters."""
    match config.type:
        case OptimizerType.adam:
            return Optimizers(_adam(config, list(policy.parameters())))
        case OptimizerType.muon:
            matrices = policy.hidden_matrices
            taken = {id(matrix) for matrix in matrices}
            rest: list[Tensor] = [parameter for parameter in policy.parameters() if id(parameter) not in taken]
            muon = Muon(matrices, lr=config.learning_rate, weight_decay=config.weight_decay)
            return Optimizers(muon, _adam(config, rest))
        case never:
            assert_never(never)


def _adam(config: OptimizerConfig, parameters: list[Tensor]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay,
        fused=True,
    )  # fmt: skip
