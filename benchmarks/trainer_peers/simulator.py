"""The simulator alone, with random actions: what no trainer on these environments can exceed."""

from __future__ import annotations

import numpy as np

from benchmarks.trainer_peers.case import environments_of, layout_of
from benchmarks.trainer_peers.turns import Turns
from trainer.config import Config


def train(config: Config, turns: Turns) -> None:
    """Step as often as a rollout has steps, again and again."""
    layout = layout_of(config)
    with environments_of(config) as environments:
        shape = environments.shape
        actions_TN = np.random.default_rng(config.seed).integers(0, shape.spec.actions, (layout.steps, shape.rows))
        while True:
            for actions_N in actions_TN:
                environments.step(actions_N)
            turns.count(layout.samples)
