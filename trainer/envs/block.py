"""The memory that environments and learner share: one buffer, as named arrays.

Knows nothing of processes or of the game: processes that share the bytes share the block.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trainer.envs.spec import Arrays, EnvironmentSpec


@dataclass(frozen=True)
class Shape:
    """How large a block is: E environments of A agents, in episodes of at most L steps of K tasks."""

    environments: int
    tasks: int
    spec: EnvironmentSpec

    @property
    def rows(self) -> int:
        """N = E × A: one row for each agent of each environment."""
        return self.environments * self.spec.agents

    def arrays(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of every array, in the order in which they lie in memory: large numbers first."""
        e, n, k, seen = self.environments, self.rows, self.tasks, self.spec.observations
        cut_off = n if self.spec.truncates else 0
        return {
            "episodes": ((e,), np.int64),
            "tasks": ((e,), np.int64),
            "steps": ((e,), np.int64),
            "returns": ((e,), np.float64),
            "infos": ((e, len(self.spec.infos)), np.float64),
            "weights": ((k,), np.float64),
            "results": ((e, k, 3), np.float64),
            "rewards": ((n,), np.float32),
            "totals": ((n,), np.float32),
            "actions": ((n,), np.int32),
            "features": ((n, *seen.shape), seen.dtype),
            "final_features": ((cut_off, *seen.shape), seen.dtype),
            "terminals": ((n,), np.bool_),
            "truncated": ((n,), np.bool_),
            "dones": ((n,), np.bool_),
            "history": ((e, self.spec.max_steps, self.spec.agents), np.uint8),
        }

    @property
    def nbytes(self) -> int:
        return sum(prod(shape) * np.dtype(kind).itemsize for shape, kind in self.arrays().values())


@dataclass(frozen=True)
class Block:
    """Every environment's inputs and outputs. Its seed, episode, task and `history` determine its state."""

    episodes: NDArray[np.int64]  # (E,) episodes ended so far
    tasks: NDArray[np.int64]  # (E,) the task of the current one
    steps: NDArray[np.int64]  # (E,) steps taken in the current one
    returns: NDArray[np.float64]  # (E,) mean return per agent of the last one, NaN before
    infos: NDArray[np.float64]  # (E, I) what the spec's `infos` name of the last one, NaN before
    weights: NDArray[np.float64]  # (K,) how often each task is drawn, in proportion
    results: NDArray[np.float64]  # (E, K, 3) of the episodes ended since last asked: number, scores, returns
    rewards: NDArray[np.float32]  # (N,) of the last step
    totals: NDArray[np.float32]  # (N,) rewards of the current episode
    actions: NDArray[np.int32]  # (N,) of the next step
    features: NDArray[Any]  # (N, …) what each agent observes
    final_features: NDArray[Any]  # (N, …) what it observed last in an episode that was cut off; empty if none ever is
    terminals: NDArray[np.bool_]  # (N,) whether the last step ended the episode
    truncated: NDArray[np.bool_]  # (N,) whether it was cut off there
    dones: NDArray[np.bool_]  # (N,) whether either
    history: NDArray[np.uint8]  # (E, L, A) the actions of the current episode

    @classmethod
    def from_buffer(cls, buffer: Any, shape: Shape) -> Self:
        """A block that shares the memory of `buffer`, which is at least `shape.nbytes` long."""
        arrays: dict[str, NDArray[Any]] = {}
        offset = 0
        for name, (dims, kind) in shape.arrays().items():
            arrays[name] = np.frombuffer(buffer, kind, prod(dims), offset).reshape(dims)
            offset += arrays[name].nbytes
        return cls(**arrays)

    def part(self, rows: slice) -> Arrays:
        """What an environment works on that has these rows."""
        return Arrays(
            self.features[rows], self.actions[rows], self.rewards[rows], self.terminals[rows], self.truncated[rows]
        )
