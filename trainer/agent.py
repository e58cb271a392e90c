"""The policy network: from what an agent sees to its action, and to the return that it expects.

Knows features and actions by their number only.
"""

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn

from trainer.config import AgentConfig, Precision
from trainer.errors import TrainerError


class Policy(nn.Module):
    """A multilayer perceptron shared by all agents, with a head for actions and one for values."""

    def __init__(
        self, features: int, actions: int, config: AgentConfig, precision: Precision = Precision.float32
    ) -> None:
        super().__init__()
        self.features, self.actions = features, actions
        self._is_mixed = precision is Precision.bfloat16
        sizes = [features] + [config.hidden_size] * config.hidden_layers
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [_linear(fan_in, fan_out, gain=sqrt(2)), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.action_head = _linear(sizes[-1], actions, gain=0.01)  # near uniform at first
        self.value_head = _linear(sizes[-1], 1, gain=1.0)

    def forward(self, features_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B), in float32, for features of any number type."""
        with torch.autocast(features_BF.device.type, torch.bfloat16, enabled=self._is_mixed):
            hidden_BH = self.trunk(features_BF.float())
            logits_BA, value_B = self.action_head(hidden_BH), self.value_head(hidden_BH).squeeze(-1)
        return logits_BA.float(), value_B.float()

    @property
    def hidden_matrices(self) -> list[Tensor]:
        """The weights between layers: what a matrix optimizer may take. Biases and heads are not among them."""
        return [layer.weight for layer in self.trunk if isinstance(layer, nn.Linear)]


@torch.no_grad()
def act(policy: Policy, features_NF: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Sample what each agent does. Gives actions (N), logits (N, A) and values (N)."""
    logits_NA, value_N = policy(features_NF)
    action_N = torch.multinomial(logits_NA.softmax(-1), 1, generator=generator).squeeze(-1)
    return action_N, logits_NA, value_N


def compile_policy(policy: Policy, device: torch.device) -> None:
    """Compile the network in place, forward and backward. Raises `TrainerError` where torch can't."""
    policy.compile()
    try:
        logits_BA, value_B = policy(torch.zeros((2, policy.features), dtype=torch.uint8, device=device))
        torch.autograd.backward(logits_BA.sum() + value_B.sum())
    except Exception as error:  # of a compiler that is missing, of torch, of Triton
        first = str(error).strip().partition("\n")[0]
        raise TrainerError(
            f"torch.compile failed: {type(error).__name__}: {first}\n"
            "It needs a C++ compiler, and Triton for a GPU; trainer.compile=false trains without it."
        ) from error
    policy.zero_grad()


def _linear(fan_in: int, fan_out: int, *, gain: float) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
