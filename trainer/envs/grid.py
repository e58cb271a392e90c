"""mettagrid as an environment: a simulation in each slot, observed as features or as mettagrid's own tokens.

Beside it only `rooms.py` and `simulation.py` import mettagrid.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mettagrid.config.mettagrid_config import MettaGridConfig
from mettagrid.mettagrid_c import MettaGrid
from mettagrid.simulator.replay_log_writer import ReplayLogWriter
from mettagrid.simulator.simulator import Buffers, Simulation

from trainer.envs.rooms import TOKENS, TRUNCATES, room
from trainer.envs.simulation import Game
from trainer.envs.spec import Arrays, EnvironmentSpec, Episode, ObservationKind, ObservationSpec
from trainer.envs.vocabulary import Encoder, Vocabulary
from trainer.errors import TrainerError
from trainer.task_config import Observe, TaskConfig

logging.getLogger("ReplayLogWriter").setLevel(logging.WARNING)

ACTIONS = 5  # stay, north, south, west, east


def spec_of(tasks: Sequence[TaskConfig], seen: Sequence[TaskConfig]) -> EnvironmentSpec:
    """The spec of these tasks, observed as `seen`. They have as many agents, and are observed alike.

    Raises `TrainerError` if they have something that is not in any of `seen`.
    """
    known, needed = Vocabulary.of(seen), Vocabulary.of(tasks)
    if unknown := {*needed.kinds, *needed.resources} - {*known.kinds, *known.resources}:
        raise TrainerError(f"a policy can't see what its training does not have: {', '.join(sorted(unknown))}")
    if tasks[0].observe is Observe.tokens:
        observations = ObservationSpec(ObservationKind.tokens, (TOKENS, 3), np.uint8)
    else:
        observations = ObservationSpec(ObservationKind.features, (known.features,), np.uint8, marks=True)
    longest = max(task.max_steps for task in tasks)
    shortest = min(task.max_steps for task in tasks)
    return EnvironmentSpec(
        agents=tasks[0].total_agents,
        observations=observations,
        actions=ACTIONS,
        max_steps=longest,
        infos=tasks[0].infos,
        ends_early=shortest < longest,
        truncates=TRUNCATES,
    )


class Grid:
    """Simulations in slots, each writing to its agents' rows."""

    def __init__(self, tasks: Sequence[TaskConfig], seen: Sequence[TaskConfig], arrays: Arrays, slots: int) -> None:
        self._vocabulary, self._arrays = Vocabulary.of(seen), arrays
        self._agents = tasks[0].total_agents
        self._sees_tokens = tasks[0].observe is Observe.tokens
        shape = (slots * self._agents, TOKENS, 3)
        self._tokens = arrays.observations if self._sees_tokens else np.full(shape, 255, np.uint8)
        self._encoder = _encoder(room(tasks[0], self._vocabulary), self._vocabulary)
        self._games: dict[int, tuple[TaskConfig, Game]] = {}
        self._simulations: dict[int, MettaGrid | Simulation] = {}
        self._left = np.zeros(slots, np.int64)  # steps until each episode's end
        self._recorders: dict[int, tuple[ReplayLogWriter, Path]] = {}

    def reset(self, episodes: Sequence[Episode]) -> None:
        for episode in episodes:
            self._begin(episode)
        if len(episodes) == len(self._simulations):
            self._observe(slice(None))
        else:
            for episode in episodes:
                self._observe(self._rows(episode.slot))

    def step(self) -> None:
        arrays = self._arrays
        arrays.terminals[:] = arrays.truncations[:] = False
        for simulation in self._simulations.values():
            simulation.step()
        self._left -= 1
        for slot in np.flatnonzero(self._left == 0).tolist():
            ended = arrays.truncations if TRUNCATES else arrays.terminals
            ended[self._rows(slot)] = True
            self._keep_replay(slot)
        self._observe(slice(None))

    def infos(self, slot: int) -> tuple[float, ...]:
        simulation = self._simulations[slot]
        stats = simulation.episode_stats if isinstance(simulation, Simulation) else simulation.get_episode_stats()
        return (float(np.mean([agent.get("heart.gained", 0.0) for agent in stats["agent"]])),)

    def close(self) -> None:
        self._simulations.clear()

    def _begin(self, episode: Episode) -> None:
        slot, rows = episode.slot, self._rows(episode.slot)
        self._recorders.pop(slot, None)
        self._left[slot] = episode.task.max_steps
        game = self._game(slot, episode.task)
        # The map has a seed of its own: without it, equal simulation seeds give different maps.
        game.config.game.map_builder.seed = episode.seed
        last, buffers = self._arrays.rewards[rows].copy(), self._buffers(rows)
        if episode.replay:
            recorder = ReplayLogWriter(str(episode.replay.parent))
            self._recorders[slot] = recorder, episode.replay
            self._simulations[slot] = Simulation(game.config, episode.seed, [recorder], buffers=buffers)
        else:
            self._simulations[slot] = game.begin(episode.seed, buffers)
        self._arrays.rewards[rows] = last  # which the new simulation has cleared

    def _game(self, slot: int, task: TaskConfig) -> Game:
        """The game of a task; made anew if the slot's last episode was of another one."""
        known = self._games.get(slot)
        if known is None or known[0] != task:
            known = self._games[slot] = task, Game.of(room(task, self._vocabulary))
        return known[1]

    def _buffers(self, rows: slice) -> Buffers:
        flags, unused = np.zeros((3, self._agents), np.bool_), np.zeros(self._agents, np.int32)
        tokens = self._tokens[rows]
        tokens[:] = 255
        return Buffers(
            tokens, flags[0], flags[1], self._arrays.rewards[rows], flags[2], self._arrays.actions[rows], unused
        )

    def _observe(self, rows: slice) -> None:
        if not self._sees_tokens:
            self._encoder.encode(self._tokens[rows], self._arrays.observations[rows])

    def _keep_replay(self, slot: int) -> None:
        if slot in self._recorders:
            recorder, path = self._recorders.pop(slot)
            Path(recorder.get_written_replay_paths()[0]).replace(path)

    def _rows(self, slot: int) -> slice:
        return slice(slot * self._agents, (slot + 1) * self._agents)


def _encoder(config: MettaGridConfig, vocabulary: Vocabulary) -> Encoder:
    ids = config.game.id_map()
    carried = [ids.feature_id(f"inv:{name}") for name in vocabulary.carried]
    return Encoder(vocabulary, tags=ids.tag_names(), tag=ids.feature_id("tag"), carried=carried)
