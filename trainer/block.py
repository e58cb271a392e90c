"""The memory that environments and learner share: one buffer, as named arrays.

Knows nothing of processes or of the game: processes that share the bytes share the block.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """How large a block is: E environments of A agents, each seeing F features, in episodes of at most L steps."""

    environments: int
    agents: int
    features: int
    max_steps: int

    @property
    def rows(self) -> int:
        """N = E × A: one row for each agent of each environment."""
        return self.environments * self.agents

    def arrays(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of every array, in the order in which they lie in memory."""
        e, n = self.environments, self.rows
        return {
            "episodes": ((e,), np.int64),
            "returns": ((e,), np.float64),
            "hearts": ((e,), np.float64),
            "steps": ((e,), np.int64),
            "rewards": ((n,), np.float32),
            "actions": ((n,), np.int32),
            "features": ((n, self.features), np.uint8),
            "dones": ((n,), np.bool_),
            "truncated": ((n,), np.bool_),
            "final_features": ((n, self.features), np.uint8),
            "history": ((e, self.max_steps, self.agents), np.uint8),
        }

    @property
    def nbytes(self) -> int:
        return sum(prod(shape) * np.dtype(kind).itemsize for shape, kind in self.arrays().values())


@dataclass(frozen=True)
class Block:
    """Every environment's inputs and outputs. Its seed, its episode and `history` determine an environment's state."""

    episodes: NDArray[np.int64]  # (E,) episodes ended so far
    returns: NDArray[np.float64]  # (E,) mean return per agent of the last one, NaN before
    hearts: NDArray[np.float64]  # (E,) mean hearts gained per agent in the last one, NaN before
    steps: NDArray[np.int64]  # (E,) steps taken in the current one
    rewards: NDArray[np.float32]  # (N,) of the last step
    actions: NDArray[np.int32]  # (N,) of the next step
    features: NDArray[np.uint8]  # (N, F) what each agent sees
    dones: NDArray[np.bool_]  # (N,) whether the last step was the last one of its episode
    truncated: NDArray[np.bool_]  # (N,) whether it was so only because of a time limit
    final_features: NDArray[np.uint8]  # (N, F) what each agent saw at the end of its last episode
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
