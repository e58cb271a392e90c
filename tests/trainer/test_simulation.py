"""An episode that is begun from its C++ part alone is the one of mettagrid's own class."""

from typing import Any

import numpy as np
import pytest
from mettagrid.simulator.simulator import Buffers, Simulation
from numpy.typing import NDArray

from trainer.envs.rooms import TOKENS, room
from trainer.envs.simulation import Game
from trainer.envs.vocabulary import Vocabulary
from trainer.task_config import TaskConfig

ARENA = TaskConfig(agents=4, width=12, height=12, mines=8, generators=5, altars=5, max_steps=200)
COMBAT = TaskConfig(
    agents=6, width=14, height=14, mines=8, generators=5, altars=5, laseries=3, armories=3, max_steps=200, combat=True
)


def buffers(agents: int) -> Buffers:
    flags = np.zeros((3, agents), np.bool_)
    actions = np.zeros(agents, np.int32)
    return Buffers(np.full((agents, TOKENS, 3), 255, np.uint8), flags[0], flags[1], np.zeros(agents, np.float32),
                   flags[2], actions, np.zeros(agents, np.int32))  # fmt: skip


def history(simulation: Any, given: Buffers) -> list[NDArray[Any]]:
    moves, seen = np.random.default_rng(1), []
    for _ in range(150):
        given.actions[:] = moves.integers(0, 5, len(given.actions))
        simulation.step()
        seen += [given.observations.copy(), given.rewards.copy()]
    return seen


@pytest.mark.parametrize("task", [ARENA, COMBAT])
def test_an_episode_is_mettagrids_own(task: TaskConfig):
    """Also the second one of a game, and whichever was played before it."""
    config = room(task, Vocabulary.of([task]))
    game = Game.of(config)
    for seed in (7, 8):
        config.game.map_builder.seed = seed
        ours, theirs = buffers(task.total_agents), buffers(task.total_agents)
        begun, known = game.begin(seed, ours), Simulation(config, seed, buffers=theirs)
        for mine, his in zip(history(begun, ours), history(known, theirs), strict=True):
            np.testing.assert_array_equal(mine, his)
        assert begun.get_episode_stats() == known.episode_stats
