"""What an environment is to the trainer: how it is observed, acted in and measured. Knows none by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.task_config import TaskConfig


class ObservationKind(Enum):
    """What the numbers of an observation mean, which decides the network that reads them."""

    features = "features"
    tokens = "tokens"


@dataclass(frozen=True, slots=True)
class ObservationSpec:
    """What one agent observes at one step: features of any shape, or K tokens of (place, feature, value), (K, 3)."""

    kind: ObservationKind
    shape: tuple[int, ...]
    dtype: type[Any]
    marks: bool = False
    """Whether each feature is a byte that is 0 or 1, and most are 0."""

    def zeros(self, count: int) -> NDArray[Any]:
        """`count` observations of nothing."""
        return np.zeros((count, *self.shape), self.dtype)


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """The shape of an environment, the same for every task of a curriculum."""

    agents: int
    observations: ObservationSpec
    actions: int
    """An action is one of this many."""
    max_steps: int
    """No episode is longer."""
    infos: tuple[str, ...]
    """What is measured of each episode besides the return, per agent."""
    ends_early: bool
    """Whether an episode may end before `max_steps`."""
    truncates: bool
    """Whether an episode may be cut off, so that the value of its last state still counts."""


@dataclass(frozen=True, slots=True)
class Episode:
    """The episode that begins in a slot. The same task settings and seed are the same episode."""

    slot: int
    task: TaskConfig
    seed: int
    replay: Path | None = None
    """Where its replay is written, by an environment that has replays."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """What an environment of E slots reads and writes: one row for each agent of each slot, N = E × A."""

    observations: NDArray[Any]
    actions: NDArray[np.int32]
    rewards: NDArray[np.float32]
    terminals: NDArray[np.bool_]
    truncations: NDArray[np.bool_]


class Environment(Protocol):
    """Episodes side by side, one in each slot, stepped together."""

    def reset(self, episodes: Sequence[Episode]) -> None:
        """Begin these episodes in their slots, and write what their agents observe. Leaves rewards and ends alone."""

    def step(self) -> None:
        """Take `actions` in every slot. Writes observations, rewards, terminals and truncations.

        A slot whose episode has ended is reset before the next step.
        """

    def infos(self, slot: int) -> tuple[float, ...]:
        """What `spec.infos` names, of the episode in a slot that has ended and was not reset."""

    def close(self) -> None: ...
