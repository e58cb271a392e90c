"""Steps mettagrid's episodes, replays them, and turns its tokens into features.

An environment is a function of its seed, its number, its episode and the actions taken in it; that is also how it
is restored. Knows nothing of policies or processes. `_c_sim.step` is private to mettagrid, and twice as fast.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mettagrid.config.mettagrid_config import GameConfig
from mettagrid.simulator.replay_log_writer import ReplayLogWriter
from mettagrid.simulator.simulator import Buffers, Simulation
from numpy.typing import NDArray

from trainer.arena import TOKENS, WINDOW, arena
from trainer.block import Block, Shape
from trainer.config import CurriculumConfig

logging.getLogger("ReplayLogWriter").setLevel(logging.WARNING)

VISIBLE = ("agent", "altar", "generator", "mine", "wall")  # in any cell
CARRIED = ("ore", "battery")  # by oneself
FEATURES = WINDOW * WINDOW * len(VISIBLE) + len(CARRIED)
ACTIONS = 5  # stay, north, south, west, east


def shape(curriculum: CurriculumConfig, environments: int) -> Shape:
    """The shape of the block for this many environments."""
    return Shape(environments, curriculum.agents * curriculum.instances, FEATURES, curriculum.max_steps)


class Encoder:
    """Marks which kinds of thing are in which cell, and what the agent carries. Tokens (N, K, 3), features (N, F)."""

    def __init__(self, game: GameConfig) -> None:
        ids = game.id_map()
        tags, tag, kinds = ids.tag_names(), ids.feature_id("tag"), len(VISIBLE) + len(CARRIED)
        self._kind = np.full((256, 256), kinds, np.uint8)  # (token's feature, value) -> kind; the last means none
        for kind, name in enumerate(VISIBLE):
            self._kind[tag, tags.index(f"type:{name}")] = kind
        for kind, name in enumerate(CARRIED, len(VISIBLE)):
            self._kind[ids.feature_id(f"inv:{name}"), 1:] = kind
        self._index = np.full((256, kinds + 1), FEATURES, np.int64)  # (place, kind) -> feature; the last is dropped
        for row in range(WINDOW):
            for column in range(WINDOW):
                first = (row * WINDOW + column) * len(VISIBLE)
                self._index[row << 4 | column, : len(VISIBLE)] = np.arange(first, first + len(VISIBLE))
        # Others' inventories arrive as tokens too; one's own are those in the middle.
        self._index[(WINDOW // 2) * 17, len(VISIBLE) : -1] = np.arange(FEATURES - len(CARRIED), FEATURES)

    def encode(self, tokens: NDArray[np.uint8], features: NDArray[np.uint8]) -> None:
        """Encode `tokens` into `features`."""
        index = self._index[tokens[..., 0], self._kind[tokens[..., 1], tokens[..., 2]]]
        marked = np.zeros((len(tokens), FEATURES + 1), np.uint8)
        np.put_along_axis(marked, index, 1, axis=1)
        features[:] = marked[:, :FEATURES]


class Arenas:
    """Some of a block's environments, stepped one after the other. One whose episode ends begins the next."""

    def __init__(
        self, curriculum: CurriculumConfig, block: Block, slots: Sequence[int], *, seed: int, first: int,
        replay: Path | None = None,
    ) -> None:  # fmt: skip
        """Work in `slots`. Slot s is environment `first + s` of `seed`; slot 0's first episode goes to `replay`."""
        self._config = arena(curriculum)
        self._encoder = Encoder(self._config.game)
        self._block, self._slots, self._seed, self._first = block, slots, seed, first
        self._agents, self._max_steps = self._config.game.num_agents, curriculum.max_steps
        self._tokens = np.full((len(slots) * self._agents, TOKENS, 3), 255, np.uint8)
        self._rows = slice(slots[0] * self._agents, (slots[-1] + 1) * self._agents)
        self._replay = replay
        self._recorder: ReplayLogWriter | None = None
        self._simulations: dict[int, Simulation] = {}

    def begin(self) -> None:
        """Begin every environment's first episode."""
        block, own = self._block, slice(self._slots[0], self._slots[-1] + 1)
        block.episodes[own] = block.steps[own] = 0
        block.returns[own] = block.hearts[own] = np.nan
        self._start_all()

    def step(self) -> None:
        """Step with the block's actions; write rewards, ends of episodes and features into the block."""
        block = self._block
        block.dones[self._rows] = block.truncated[self._rows] = False
        for slot in self._slots:
            block.history[slot, block.steps[slot]] = block.actions[self._agents_of(slot)]
            self._advance(slot)
            block.steps[slot] += 1
            if block.steps[slot] == self._max_steps:
                self._end(slot)
        self._encoder.encode(self._tokens, block.features[self._rows])

    def restore(self) -> None:
        """Restore every environment from the block's `episodes`, `steps` and `history`."""
        block = self._block
        actions = block.actions[self._rows].copy()
        self._start_all()
        for slot in self._slots:
            for step in range(block.steps[slot]):
                block.actions[self._agents_of(slot)] = block.history[slot, step]
                self._advance(slot)
        block.actions[self._rows] = actions
        self._encoder.encode(self._tokens, block.features[self._rows])

    def _start_all(self) -> None:
        for slot in self._slots:
            self._start(slot)
        self._encoder.encode(self._tokens, self._block.features[self._rows])

    def _start(self, slot: int) -> None:
        episode = int(self._block.episodes[slot])
        seed = int(np.random.SeedSequence((self._seed, self._first + slot, episode)).generate_state(1)[0]) >> 1
        # The map has a seed of its own: without it, equal simulation seeds give different maps.
        self._config.game.map_builder.seed = seed
        if slot == 0:
            self._recorder = ReplayLogWriter(str(self._replay.parent)) if self._replay and episode == 0 else None
        handlers = [self._recorder] if slot == 0 and self._recorder else []
        self._simulations[slot] = Simulation(self._config, seed, handlers, buffers=self._buffers(slot))

    def _advance(self, slot: int) -> None:
        simulation = self._simulations[slot]
        if self._recorder and slot == 0:
            simulation.step()  # the public step also calls the recorder
        else:
            simulation._c_sim.step()

    def _end(self, slot: int) -> None:
        block, simulation = self._block, self._simulations[slot]
        stats = simulation.episode_stats["agent"]
        block.hearts[slot] = np.mean([agent.get("heart.gained", 0.0) for agent in stats])
        block.returns[slot] = simulation.episode_rewards.mean()
        rows = self._agents_of(slot)
        block.dones[rows] = True
        block.truncated[rows] = simulation._c_sim.truncations()
        self._encoder.encode(self._tokens[self._tokens_of(slot)], block.final_features[rows])
        block.episodes[slot] += 1
        block.steps[slot] = 0
        if self._recorder and self._replay and slot == 0:
            Path(self._recorder.get_written_replay_paths()[0]).replace(self._replay)
        last = block.rewards[rows].copy()
        self._start(slot)  # clears the rewards that it shares with the episode that ended
        block.rewards[rows] = last

    def _agents_of(self, slot: int) -> slice:
        return slice(slot * self._agents, (slot + 1) * self._agents)

    def _tokens_of(self, slot: int) -> slice:
        return self._agents_of(slot - self._slots[0])

    def _buffers(self, slot: int) -> Buffers:
        rows = self._agents_of(slot)
        flags = np.zeros((4, self._agents), np.bool_)
        unused = np.zeros(self._agents, np.int32)
        tokens = self._tokens[self._tokens_of(slot)]
        tokens[:] = 255
        return Buffers(
            tokens, flags[0], flags[1], self._block.rewards[rows], flags[2], self._block.actions[rows], unused
        )
