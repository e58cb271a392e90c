"""The policy network: from what an agent sees, and may remember, to its action and the return that it expects.

Knows observations by their spec, and actions by their number. Shapes: N agents over T steps, in rows B = T × N in the
order t × N + n; a memory of S numbers, none for agents that only see.
"""

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from trainer import ppo
from trainer.agent_config import AgentConfig, AgentType
from trainer.encoder import make_encoder
from trainer.envs.spec import ObservationSpec
from trainer.errors import TrainerError
from trainer.learner_config import Precision
from trainer.memory import Lstm
from trainer.ones import Linear, Ones


class Policy(nn.Module):
    """An encoder, layers and perhaps a memory, shared by all agents, with a head for actions and one for values."""

    def __init__(
        self, observations: ObservationSpec, actions: int, config: AgentConfig,
        precision: Precision = Precision.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        self.observations, self.actions = observations, actions
        self._is_mixed = precision is Precision.bfloat16
        self.encoder = make_encoder(observations, config)
        depth = 0 if config.type is AgentType.attention else config.hidden_layers
        sizes = [self.encoder.size] + [config.hidden_size] * depth
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [_linear(fan_in, fan_out, gain=sqrt(2)), nn.ReLU(inplace=True)]
        self.trunk = nn.Sequential(*layers)
        self.memory = Lstm(sizes[-1]) if config.type is AgentType.lstm else None
        self.action_head = _linear(sizes[-1], actions, gain=0.01)  # near uniform at first
        self.value_head = _linear(sizes[-1], 1, gain=1.0)

    def forward(
        self, features_BF: Tensor | Ones, state_NS: Tensor | None = None, done_B: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, A) and values (B), in float32, for what the encoder takes: features (B, F) or tokens (B, K, 3).

        The rows are the steps of agents who remember `state_NS`, and forget it after each step that `done_B` marks.
        Without a state they are one step of agents who remember nothing yet. Gives also what they remember after it.
        """
        remembered_NS = self.initial_state(len(features_BF)) if state_NS is None else state_NS
        with torch.autocast(self.value_head.weight.device.type, torch.bfloat16, enabled=self._is_mixed):
            hidden_BH = self.trunk(self.encoder(features_BF))
        if self.memory is not None:
            hidden_BH, remembered_NS = self.memory(hidden_BH.float(), remembered_NS, done_B)
        with torch.autocast(self.value_head.weight.device.type, torch.bfloat16, enabled=self._is_mixed):
            logits_BA, value_B = self.action_head(hidden_BH), self.value_head(hidden_BH).squeeze(-1)
        return logits_BA.float(), value_B.float(), remembered_NS

    @property
    def is_recurrent(self) -> bool:
        """Whether it remembers, and so learns from whole sequences only."""
        return self.memory is not None

    def initial_state(self, agents: int) -> Tensor:
        """What agents remember when an episode begins: zeros (N, S)."""
        size = 0 if self.memory is None else self.memory.state_size
        return torch.zeros((agents, size), device=self.value_head.weight.device)

    @property
    def hidden_matrices(self) -> list[Tensor]:
        """The weights between layers: what a matrix optimizer may take. Biases and heads are not among them."""
        layers = [*self.encoder.hidden_layers, *self.trunk]
        return [layer.weight for layer in layers if isinstance(layer, nn.Linear)]


@torch.no_grad()
def act(
    policy: Policy, features_NF: Tensor, state_NS: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sample what each agent does.

    Gives actions (N), their log-probabilities (N), values (N) and what the agents remember then (N, S).
    """
    logits_NA, value_N, after_NS = policy(features_NF, state_NS)
    logprob_NA = log_softmax(logits_NA, -1)
    # As torch.multinomial draws one of each row, without its checks: the largest share of noise.
    noise_NA = torch.empty_like(logprob_NA).exponential_(generator=generator)
    action_N = (logprob_NA.exp() / noise_NA).argmax(-1)
    return action_N, ppo.taken(logprob_NA, action_N), value_N, after_NS


def compile_policy(policy: Policy, device: torch.device) -> None:
    """Compile the network in place, forward and backward. Raises `TrainerError` where torch can't."""
    policy.compile()
    try:
        logits_BA, value_B, _ = policy(torch.from_numpy(policy.observations.zeros(2)).to(device))
        torch.autograd.backward(logits_BA.sum() + value_B.sum())
    except Exception as error:  # of a compiler that is missing, of torch, of Triton
        first = str(error).strip().partition("\n")[0]
        raise TrainerError(
            f"torch.compile failed: {type(error).__name__}: {first}\n"
            "It needs a C++ compiler, and Triton for a GPU; trainer.compile=false trains without it."
        ) from error
    policy.zero_grad()


def _linear(fan_in: int, fan_out: int, *, gain: float) -> nn.Linear:
    layer = Linear(fan_in, fan_out)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
