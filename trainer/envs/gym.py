"""Gymnasium's environments, by its vector API: one agent, one of several actions, any observation that flattens.

An episode that reaches its task's `max_steps` is cut off there. Gymnasium is imported in this module only.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation

from trainer.envs.spec import Arrays, EnvironmentSpec, Episode, ObservationKind, ObservationSpec
from trainer.errors import TrainerError
from trainer.task_config import TaskConfig

MOST_ACTIONS = 256  # an action is remembered as one byte
UNLIMITED = -1  # steps: the adapter counts them itself


def spec_of(tasks: Sequence[TaskConfig]) -> EnvironmentSpec:
    """The spec of these tasks, which have one id. Raises `TrainerError` where the trainer can't act in it."""
    environment = _make_one(str(tasks[0].gymnasium_id))
    seen, actions = environment.observation_space, environment.action_space
    environment.close()
    if not isinstance(actions, gymnasium.spaces.Discrete) or seen.shape is None:
        raise TrainerError(f"{tasks[0].gymnasium_id}: the trainer acts by one of several actions, not {actions}")
    if actions.n > MOST_ACTIONS:
        raise TrainerError(f"{tasks[0].gymnasium_id} has {actions.n} actions; the trainer takes {MOST_ACTIONS} at most")
    kind = np.uint8 if seen.dtype == np.uint8 else np.float32
    return EnvironmentSpec(
        agents=1,
        observations=ObservationSpec(ObservationKind.features, seen.shape, kind),
        actions=int(actions.n),
        max_steps=max(task.max_steps for task in tasks),
        infos=tasks[0].infos,
        ends_early=True,
        truncates=True,
    )


class Gym:
    """A vector of one environment's copies, one in each slot, each reset by itself."""

    def __init__(self, tasks: Sequence[TaskConfig], arrays: Arrays, slots: int) -> None:
        name = str(tasks[0].gymnasium_id)
        self._arrays, self._slots = arrays, slots
        self._vector: Any = SyncVectorEnv(
            [lambda: _make_one(name) for _ in range(slots)], autoreset_mode=AutoresetMode.DISABLED
        )
        actions: Any = self._vector.single_action_space
        self._first_action = int(actions.start)
        self._steps, self._limits = np.zeros(slots, np.int64), np.zeros(slots, np.int64)

    def reset(self, episodes: Sequence[Episode]) -> None:
        mask, seeds = np.zeros(self._slots, np.bool_), [0] * self._slots
        for episode in episodes:
            mask[episode.slot], seeds[episode.slot] = True, episode.seed
            self._steps[episode.slot], self._limits[episode.slot] = 0, episode.task.max_steps
        observations, _ = self._vector.reset(seed=seeds, options={"reset_mask": mask})
        self._arrays.observations[mask] = observations[mask]

    def step(self) -> None:
        arrays = self._arrays
        observations, rewards, terminals, truncations, _ = self._vector.step(arrays.actions + self._first_action)
        self._steps += 1
        arrays.observations[:], arrays.rewards[:], arrays.terminals[:] = observations, rewards, terminals
        arrays.truncations[:] = (truncations | (self._steps >= self._limits)) & ~terminals

    def infos(self, slot: int) -> tuple[float, ...]:
        return ()

    def close(self) -> None:
        self._vector.close()


def _make_one(name: str) -> Any:
    try:
        return FlattenObservation(gymnasium.make(name, max_episode_steps=UNLIMITED))
    except gymnasium.error.Error as error:
        raise TrainerError(f"Gymnasium has no environment {name}: {error}") from error
