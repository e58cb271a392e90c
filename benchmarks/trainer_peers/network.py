"""The network of the agent `fast` in plain torch, for contestants that bring none of their own."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import torch
from torch import Tensor, nn

from trainer.config import AgentConfig


class Float(nn.Module):
    """Features of any number type as float32."""

    def forward(self, features: Tensor) -> Tensor:
        return features.float()


class Network(nn.Module):
    """Layers that actions and values share, and a head for each."""

    def __init__(self, features: int, actions: int, agent: AgentConfig) -> None:
        super().__init__()
        self.trunk = nn.Sequential(Float(), *_layers(features, agent))
        self.action_head = _linear(agent.hidden_size, actions, gain=0.01)
        self.value_head = _linear(agent.hidden_size, 1, gain=1.0)

    def forward(self, features_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B)."""
        hidden_BH = self.trunk(features_BF)
        return self.action_head(hidden_BH), self.value_head(hidden_BH).squeeze(-1)


def _layers(features: int, agent: AgentConfig) -> Iterator[nn.Module]:
    for number in range(agent.hidden_layers):
        yield _linear(agent.hidden_size if number else features, agent.hidden_size, gain=sqrt(2))
        yield nn.ReLU()


def _linear(fan_in: int, fan_out: int, *, gain: float) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out)
    torch.nn.init.orthogonal_(layer.weight, gain)
    torch.nn.init.zeros_(layer.bias)
    return layer
