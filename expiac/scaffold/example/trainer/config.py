"""What can be configured, with bounds and defaults: the schema that expiac and the trainer check each config against.

Choices, such as tuned learning rates, live in `configs/`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Strict(BaseModel):
    """Refuses unknown keys, and is not changed after it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkConfig(Strict):
    """One convolution, one hidden layer."""

    filters: Count = 16
    hidden: Count = 64


class OptimizerConfig(Strict):
    """How gradients become steps. The learning rate falls in a line to zero at the end of the run."""

    name: Literal["sgd", "adam"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.003
    momentum: Fraction = 0.9


class TrainerConfig(Strict):
    """One training."""

    epochs: Count = 30
    batch_size: Count = 32
    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()


class Config(Strict):
    """The whole of one run, as Hydra composes it."""

    run_name: str
    data_dir: str
    run_dir: str
    seed: Annotated[int, Field(ge=0)] = 0
    trainer: TrainerConfig = TrainerConfig()
