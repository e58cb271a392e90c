"""A task that an agent without a memory can't do: a cue, a delay, then a choice that the cue decides."""

from typing import Any

import gymnasium
import numpy as np

from trainer.config import CurriculumConfig

DELAY = 2
NAME = "DelayedChoice-v0"


class DelayedChoice(gymnasium.Env[np.ndarray, int]):
    """At first -1 or 1 is seen, then nothing for a while, then that it is time to choose. The right choice earns 1."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._cue, self._step = int(self.np_random.integers(2)), 0
        return np.array([2 * self._cue - 1, 0], np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._step += 1
        is_over = self._step == DELAY + 2
        reward = float(is_over and action == self._cue)
        return np.array([0, self._step == DELAY + 1], np.float32), reward, is_over, False, {}


def delayed_choice() -> CurriculumConfig:
    """The task, known to Gymnasium in this process."""
    if NAME not in gymnasium.registry:
        gymnasium.register(NAME, DelayedChoice)
    return CurriculumConfig(kind="gymnasium", gymnasium_id=NAME, max_steps=20)
