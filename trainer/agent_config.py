"""What the policy network is: part of the schema. `trainer.config` has these names too."""

from enum import Enum
from typing import Self

from pydantic import model_validator

from trainer.declared import Declared, are_named, declared
from trainer.fields import Count


class AgentType(str, Enum):
    mlp = "mlp"
    lstm = "lstm"
    attention = "attention"


@declared
class AgentConfig(Declared):
    """The policy network: layers, with a head for actions and one for values. The same for all agents."""

    hidden_size: Count
    hidden_layers: Count
    type: AgentType = AgentType.mlp
    """`mlp`: a multilayer perceptron. `lstm`: the same, then an LSTM. `attention`: a transformer over tokens."""
    heads: Count = 1
    """For `attention`: the heads of each layer, which divide `hidden_size`."""

    @model_validator(mode="after")
    def _heads_divide_the_size(self) -> Self:
        if are_named(self, "type", "heads") and self.heads > 1 and self.type is not AgentType.attention:
            raise ValueError(f"heads ({self.heads}) would have no effect in an agent of type {self.type.value}")
        if are_named(self, "heads", "hidden_size") and self.hidden_size % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide hidden_size ({self.hidden_size})")
        return self
