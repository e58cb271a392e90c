"""The policy network: from what an agent sees to its action, and to the return that it expects.

Knows observations by their spec, and actions by their number.
"""

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn

from trainer.config import AgentConfig, Precision
from trainer.encoder import make_encoder
from trainer.envs.spec import ObservationSpec
from trainer.errors import TrainerError


class Policy(nn.Module):
    """An encoder and a multilayer perceptron shared by all agents, with a head for actions and one for values."""

    def __init__(
        self, observations: ObservationSpec, actions: int, config: AgentConfig,
        precision: Precision = Precision.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        self.observations, self.actions = observations, actions
        self._is_mixed = precision is Precision.bfloat16
        self.encoder = make_encoder(observations)
        sizes = [self.encoder.size] + [config.hidden_size] * config.hidden_layers
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [_linear(fan_in, fan_out, gain=sqrt(2)), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.action_head = _linear(sizes[-1], actions, gain=0.01)  # near uniform at first
        self.value_head = _linear(sizes[-1], 1, gain=1.0)

    def forward(self, features_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B), in float32, for what the encoder takes: features (B, F) or tokens (B, K, 3)."""
        with torch.autocast(features_BF.device.type, torch.bfloat16, enabled=self._is_mixed):
            hidden_BH = self.trunk(self.encoder(features_BF))
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
        logits_BA, value_B = policy(torch.from_numpy(policy.observations.zeros(2)).to(device))
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
