"""The network's gradients, by finite differences."""

import numpy as np
import pytest

from trainer.config import NetworkConfig
from trainer.network import initial_weights, loss_and_gradients

STEP = 1e-6


@pytest.fixture
def batch():
    """Four random images with labels."""
    generator = np.random.default_rng(0)
    return generator.random((4, 8, 8)), generator.integers(0, 10, 4)


@pytest.mark.parametrize("name", ["filters", "filters_bias", "hidden", "hidden_bias", "output", "output_bias"])
def test_gradients(name, batch):
    """A small change of one weight changes the loss by its gradient."""
    weights = initial_weights(NetworkConfig(filters=3, hidden=5), np.random.default_rng(1))
    weights = {key: value.astype(np.float64) for key, value in weights.items()}
    _, gradients = loss_and_gradients(weights, *batch)
    place = np.unravel_index(np.abs(gradients[name]).argmax(), gradients[name].shape)
    losses = []
    for change in (STEP, -STEP):
        changed = weights[name].copy()
        changed[place] += change
        losses.append(loss_and_gradients({**weights, name: changed}, *batch)[0])
    assert (losses[0] - losses[1]) / (2 * STEP) == pytest.approx(gradients[name][place], rel=1e-4)
