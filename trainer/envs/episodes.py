"""Runs one episode after the other in some of a block's slots: draws tasks, counts, measures, restores.

An episode is a function of its seed, its environment's number, its own number and its task; with the actions taken in
it, so is its state. Which task comes is a function of the first three and of the block's weights. Knows no game.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.curriculum_config import CurriculumConfig
from trainer.envs import make, spec_of
from trainer.envs.block import Block, Shape
from trainer.envs.spec import Episode
from trainer.errors import TrainerError
from trainer.task_config import TaskConfig

UNIT = 2.0**-32
RETURN = "return"


def shape(curriculum: CurriculumConfig, trained: CurriculumConfig, environments: int) -> Shape:
    """The shape of the block for this many environments. Raises `TrainerError` if the score is unknown."""
    tasks = curriculum.expanded()
    spec = spec_of(extremes(curriculum), extremes(trained))
    if curriculum.draw.score not in (RETURN, *spec.infos):
        raise TrainerError(f"draw.score is {curriculum.draw.score}; use one of {', '.join((RETURN, *spec.infos))}")
    return Shape(environments, len(tasks), spec)


def extremes(curriculum: CurriculumConfig) -> list[TaskConfig]:
    """The settings of every task, where they are drawn those at their ends."""
    return [config for task in curriculum.expanded() for config in task.extremes()]


class Episodes:
    """Some of a block's environments. One whose episode ends begins the next."""

    def __init__(
        self, curriculum: CurriculumConfig, trained: CurriculumConfig, block: Block, slots: range, *, seed: int,
        first: int, replay: Path | None = None,
    ) -> None:  # fmt: skip
        """Work in `slots`. Slot s is environment `first + s` of `seed`; slot 0's first episode goes to `replay`."""
        self._tasks, self._draw = curriculum.expanded(), curriculum.draw
        self._spec = spec_of(extremes(curriculum), extremes(trained))
        self._block, self._slots, self._seed, self._first, self._replay = block, slots, seed, first, replay
        self._own = slice(slots.start, slots.stop)
        self._rows = slice(slots.start * self._spec.agents, slots.stop * self._spec.agents)
        self._environment = make(extremes(curriculum), extremes(trained), block.part(self._rows), len(slots))

    def begin(self) -> None:
        """Begin every environment's first episode."""
        block, own = self._block, self._own
        block.episodes[own] = block.steps[own] = 0
        block.returns[own] = block.infos[own] = np.nan
        block.totals[self._rows] = block.results[own] = 0
        block.dones[self._rows] = False
        self._environment.reset([self._next(slot) for slot in self._slots])

    def step(self) -> None:
        """Step with the block's actions; write rewards, ends and features into the block."""
        block, own, rows = self._block, self._own, self._rows
        block.history[own][np.arange(len(self._slots)), block.steps[own]] = self._by_slot(block.actions)
        self._environment.step()
        block.steps[own] += 1
        block.totals[rows] += block.rewards[rows]
        np.logical_or(block.terminals[rows], block.truncated[rows], out=block.dones[rows])
        ended = [self._slots[each] for each in np.flatnonzero(self._by_slot(block.dones).all(1))]
        if ended:
            for slot in ended:
                self._end(slot)
            self._environment.reset([self._next(slot) for slot in ended])

    def restore(self) -> None:
        """Restore every environment from the block's `episodes`, `tasks`, `steps` and `history`.

        All are replayed together and arrive together: one with fewer steps begins later, and idles until then.
        """
        block, rows, each = self._block, self._rows, np.arange(len(self._slots))
        actions = block.actions[rows].copy()
        block.results[self._own] = 0
        longest = int(block.steps[self._own].max())
        waits_E = longest - block.steps[self._own]
        self._begin_again(waits_E >= 0)
        for step in range(longest):
            if step:
                self._begin_again(waits_E == step)
            taken_EA = block.history[self._own][each, np.maximum(0, step - waits_E)]
            self._by_slot(block.actions)[:] = taken_EA * (waits_E <= step)[:, None]
            self._environment.step()
            block.totals[rows] += block.rewards[rows]
            has_ended_E = self._by_slot(block.terminals | block.truncated).all(1)
            self._begin_again(has_ended_E & (waits_E > step))
        if longest:
            self._begin_again(waits_E == longest)
        block.actions[rows] = actions

    def close(self) -> None:
        self._environment.close()

    def _begin_again(self, chosen_E: NDArray[np.bool_]) -> None:
        """Begin the current episodes of some slots anew."""
        chosen = [self._slots[each] for each in np.flatnonzero(chosen_E)]
        if chosen:
            self._environment.reset([self._episode(slot) for slot in chosen])
            self._by_slot(self._block.totals)[chosen_E] = 0

    def _end(self, slot: int) -> None:
        block, agents = self._block, self._agents_of(slot)
        block.returns[slot] = block.totals[agents].mean()
        block.infos[slot] = self._environment.infos(slot - self._slots.start)
        figures = dict(zip(self._spec.infos, block.infos[slot], strict=True)) | {RETURN: block.returns[slot]}
        score = min(1.0, max(0.0, figures[self._draw.score] / self._draw.success))
        block.results[slot, block.tasks[slot]] += 1, score, block.returns[slot]
        if self._spec.truncates:
            block.final_features[agents] = block.features[agents]
        block.totals[agents] = 0
        block.episodes[slot] += 1
        block.steps[slot] = 0

    def _next(self, slot: int) -> Episode:
        """Draw the task of a slot's next episode."""
        words = self._words(slot, 2)
        shares = np.cumsum(self._block.weights)
        drawn = np.searchsorted(shares, words[1] * UNIT * shares[-1], side="right")
        self._block.tasks[slot] = min(int(drawn), int(np.flatnonzero(self._block.weights)[-1]))
        return self._episode(slot)

    def _episode(self, slot: int) -> Episode:
        """The episode of a slot in the task that is in the block."""
        task = self._tasks[self._block.tasks[slot]]
        words = self._words(slot, 2 + len(task.spans))
        is_kept = slot == 0 and self._block.episodes[slot] == 0
        return Episode(
            slot - self._slots.start,
            task.config([word * UNIT for word in words[2:]]),
            words[0] >> 1,
            self._replay if is_kept else None,
        )

    def _words(self, slot: int, count: int) -> list[int]:
        """Random numbers of 32 bits of the slot's current episode; the first ones are the same for any `count`."""
        sequence = np.random.SeedSequence((self._seed, self._first + slot, int(self._block.episodes[slot])))
        return [int(word) for word in sequence.generate_state(count)]

    def _by_slot(self, rows: NDArray[Any]) -> NDArray[Any]:
        return rows[self._rows].reshape(len(self._slots), -1)

    def _agents_of(self, slot: int) -> slice:
        return slice(slot * self._spec.agents, (slot + 1) * self._spec.agents)
