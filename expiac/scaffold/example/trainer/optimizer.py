"""Gradient descent with momentum, and Adam (Kingma and Ba 2015): how gradients change the weights."""

import numpy as np

from trainer.config import OptimizerConfig
from trainer.network import Array, Weights

DECAY = 0.999  # of Adam's mean of squared gradients
EPSILON = 1e-8


class Optimizer:
    """Changes weights in place, and keeps what it has to remember from one step to the next in `state`."""

    def __init__(self, config: OptimizerConfig, weights: Weights) -> None:
        self._config = config
        self.state: Weights = {"step": np.array(0)}
        means = ("mean", "square") if config.name == "adam" else ("mean",)
        for mean in means:
            self.state |= {f"{mean}.{name}": np.zeros_like(value) for name, value in weights.items()}

    def step(self, weights: Weights, gradients: Weights, learning_rate: float) -> None:
        """One step against the gradients."""
        self.state["step"] += 1
        change = self._adam if self._config.name == "adam" else self._sgd
        for name, gradient in gradients.items():
            weights[name] -= (learning_rate * change(name, gradient)).astype(weights[name].dtype)

    def _sgd(self, name: str, gradient: Array) -> Array:
        mean = self.state[f"mean.{name}"]
        mean[:] = self._config.momentum * mean + gradient
        return mean

    def _adam(self, name: str, gradient: Array) -> Array:
        steps, momentum = int(self.state["step"]), self._config.momentum
        mean, square = self.state[f"mean.{name}"], self.state[f"square.{name}"]
        mean[:] = momentum * mean + (1 - momentum) * gradient
        square[:] = DECAY * square + (1 - DECAY) * gradient**2
        unbiased, unbiased_square = mean / (1 - momentum**steps), square / (1 - DECAY**steps)
        return unbiased / (np.sqrt(unbiased_square) + EPSILON)
