"""From observations of any kind to the features that a policy's trunk reads. Chosen by the observation spec."""

from math import prod
from typing import assert_never

import torch
from torch import Tensor, nn

from trainer.agent_config import AgentConfig, AgentType
from trainer.attention import BYTE, EMPTY, TokenAttention
from trainer.envs.spec import ObservationKind, ObservationSpec
from trainer.errors import TrainerError
from trainer.ones import Ones

EMBEDDING = 64


class FeatureEncoder(nn.Module):
    """Features as they are, in one row."""

    def __init__(self, spec: ObservationSpec) -> None:
        super().__init__()
        self.size = prod(spec.shape)
        self.hidden_layers: list[nn.Module] = []

    def forward(self, observation_BX: Tensor | Ones) -> Tensor | Ones:
        """Features (B, F) of any number type."""
        return observation_BX if isinstance(observation_BX, Ones) else observation_BX.flatten(1).float()


class TokenEncoder(nn.Module):
    """A set of tokens as one vector: what is where, embedded and summed. The order of tokens does not matter.

    A token is (place, feature, value), each a byte; a place of 255 means that there is none.
    """

    def __init__(self, spec: ObservationSpec) -> None:
        super().__init__()
        self.size = 2 * EMBEDDING
        self.hidden_layers: list[nn.Module] = []
        self.feature, self.value = nn.Embedding(BYTE, EMBEDDING), nn.Embedding(BYTE, EMBEDDING)
        self.place = nn.Embedding(BYTE, EMBEDDING)
        self.mix = nn.Linear(EMBEDDING, self.size)

    def forward(self, token_BK3: Tensor) -> Tensor:
        """Features (B, F)."""
        place_BK, feature_BK, value_BK = token_BK3.int().unbind(-1)
        what_BKE = self.feature(feature_BK) + self.value(value_BK) + self.place(place_BK)
        is_token_BK1 = (place_BK != EMPTY).unsqueeze(-1)
        seen_BKF = torch.relu(self.mix(what_BKE)) * is_token_BK1
        return seen_BKF.sum(1) / 8


def make_encoder(spec: ObservationSpec, config: AgentConfig) -> FeatureEncoder | TokenEncoder | TokenAttention:
    """The encoder for what agents observe. Raises `TrainerError` for attention to what has no tokens."""
    if config.type is AgentType.attention:
        if spec.kind is not ObservationKind.tokens:
            raise TrainerError("an agent of type attention reads tokens, and this environment is observed as features")
        return TokenAttention(size=config.hidden_size, layers=config.hidden_layers, heads=config.heads)
    match spec.kind:
        case ObservationKind.features:
            return FeatureEncoder(spec)
        case ObservationKind.tokens:
            return TokenEncoder(spec)
        case never:
            assert_never(never)
