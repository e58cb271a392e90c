"""Rollouts for the learner: each collected when it is asked for, or ahead, while the learner is at the one before.

Ahead, the policy that acts is the learner's as it was one update ago; V-trace corrects for the difference.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Protocol

import torch

from trainer.profiler import Timings
from trainer.resume import acting_state
from trainer.rollout import Rollout, collect
from trainer.training import Training


class Collector(Protocol):
    """Gives one rollout after the other; None instead after a signal to stop."""

    def next(self, timings: Timings) -> Rollout | None: ...

    def go_on(self) -> dict[str, Any]:
        """The state before the next rollout, which is then begun if it is collected ahead, by the policy of now."""


def open_collector(run: Training, stack: ExitStack) -> Collector:
    """The collector that the run's config asks for."""
    return Ahead(run, stack) if run.config.trainer.async_rollouts else InTurn(run)


class InTurn:
    """Collects when it is asked."""

    def __init__(self, run: Training) -> None:
        self._run = run

    def next(self, timings: Timings) -> Rollout | None:
        return collect_one(self._run, timings)

    def go_on(self) -> dict[str, Any]:
        return acting_state(self._run)


class Ahead:
    """Collects in a thread of its own, with a policy of its own. Its environments step in other processes."""

    def __init__(self, run: Training, stack: ExitStack) -> None:
        self._run = run
        self._thread = stack.enter_context(ThreadPoolExecutor(1, initializer=self._prepare_thread))
        self._begun: Future[tuple[Rollout | None, Timings]] | None = None

    def next(self, timings: Timings) -> Rollout | None:
        begun = self._begun or self._thread.submit(self._collect)
        self._begun = None
        rollout, spent = begun.result()
        timings.include(spent)
        return rollout

    def go_on(self) -> dict[str, Any]:
        self._run.actor.load_state_dict(self._run.policy.state_dict())
        state = acting_state(self._run)
        self._begun = self._thread.submit(self._collect)
        return state

    def _prepare_thread(self) -> None:
        torch.set_num_threads(self._run.config.trainer.torch_threads)  # OpenMP counts for each thread by itself

    def _collect(self) -> tuple[Rollout | None, Timings]:
        timings = Timings()
        return collect_one(self._run, timings), timings


def collect_one(run: Training, timings: Timings) -> Rollout | None:
    """The next rollout of the run's actor."""
    return collect(
        run.actor, run.environments, run.memory_NS, run.layout.steps, run.acting_generator, run.stop, timings
    )
