"""What there may be in the rooms of a curriculum: the same kinds, resources and features for every task of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trainer.task_config import TaskConfig

WINDOW = 7  # an agent sees the 7 × 7 cells around it
EMPTY = 255  # the place of a token that is none

SETTINGS = {
    "altar": "altars", "generator": "generators", "mine": "mines", "wall": "walls", "armory": "armories",
    "factory": "factories", "lab": "labs", "lasery": "laseries", "temple": "temples",
}  # fmt: skip
"""The setting that says how many there are of a kind of thing."""

ALWAYS = ("altar", "wall")
CHAIN = {"ore": ("mine",), "battery": ("generator",), "heart": ("altar",), "armor": ("armory", "factory"),
         "blueprint": ("lab",), "laser": ("lasery", "factory")}  # fmt: skip
"""Where each resource comes from."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The kinds of thing that may be in a cell, and the resources that an agent may carry."""

    kinds: tuple[str, ...]
    resources: tuple[str, ...]

    @classmethod
    def of(cls, tasks: Sequence[TaskConfig]) -> Self:
        """All that any of the tasks has."""
        kinds = tuple(k for k, s in SETTINGS.items() if k in ALWAYS or any(getattr(task, s) for task in tasks))
        return cls(("agent", *kinds), tuple(name for name, sources in CHAIN.items() if {*sources} & {*kinds}))

    @property
    def carried(self) -> tuple[str, ...]:
        """The resources that an agent sees on itself. It need not know how many hearts it has."""
        return tuple(name for name in self.resources if name != "heart")

    @property
    def features(self) -> int:
        """How many features mark what an agent sees."""
        return WINDOW * WINDOW * len(self.kinds) + len(self.carried)


class Encoder:
    """Marks which kinds of thing are in which cell, and what the agent carries. Tokens (N, K, 3), features (N, F)."""

    def __init__(self, vocabulary: Vocabulary, *, tags: Sequence[str], tag: int, carried: Sequence[int]) -> None:
        """`tags` are in the order of their values, `tag` is their token's feature, `carried` those of the resources."""
        visible, kinds = vocabulary.kinds, len(vocabulary.kinds) + len(vocabulary.carried)
        self._features = vocabulary.features
        self._kind = np.full((256, 256), kinds, np.uint8)  # (token's feature, value) -> kind; the last means none
        for kind, name in enumerate(visible):
            self._kind[tag, tags.index(f"type:{name}")] = kind
        for kind, feature in enumerate(carried, len(visible)):
            self._kind[feature, 1:] = kind
        self._index = np.full((256, kinds + 1), self._features, np.int64)  # (place, kind) -> feature; last is dropped
        for row in range(WINDOW):
            for column in range(WINDOW):
                first = (row * WINDOW + column) * len(visible)
                self._index[row << 4 | column, : len(visible)] = np.arange(first, first + len(visible))
        # Others' inventories arrive as tokens too; one's own are those in the middle.
        own = np.arange(self._features - len(vocabulary.carried), self._features)
        self._index[(WINDOW // 2) * 17, len(visible) : -1] = own

    def encode(self, tokens: NDArray[np.uint8], features: NDArray[np.uint8]) -> None:
        """Encode `tokens` into `features`."""
        found = np.flatnonzero(tokens[..., 0] != EMPTY)  # a window has room for more tokens than most cells need
        place, feature, value = tokens.reshape(-1, 3)[found].T
        marked = np.zeros((len(tokens), self._features + 1), np.uint8)
        marked[found // tokens.shape[1], self._index[place, self._kind[feature, value]]] = 1
        features[:] = marked[:, : self._features]
