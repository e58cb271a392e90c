"""Many environments as one: in this process, or spread over worker processes that share its block.

How many workers there are changes the speed and nothing else. Knows no torch, so that a worker starts quickly.
"""

import multiprocessing as mp
import os
import signal
import traceback
from contextlib import suppress
from dataclasses import fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trainer.curriculum import first_weights
from trainer.curriculum_config import CurriculumConfig
from trainer.envs.block import Block
from trainer.envs.episodes import RETURN, Episodes, shape

Command = Literal["begin", "step", "restore"]
Kinds = tuple[CurriculumConfig, CurriculumConfig]  # what is run, and what it is observed as
SPAWN = mp.get_context("spawn")  # a fork would copy torch's threads and locks
STATE = ("episodes", "tasks", "steps", "returns", "infos", "history")


class EnvWorker(Protocol):
    """Steps some of the environments, here or in another process."""

    def send(self, command: Command) -> None: ...
    def wait(self) -> None: ...
    def close(self) -> None: ...


class Environments:
    """`count` environments of a curriculum, numbered from `first`. The same seed and number is the same environment."""

    def __init__(
        self, curriculum: CurriculumConfig, *, count: int, seed: int, first: int = 0, workers: int = 1,
        replay: Path | None = None, trained: CurriculumConfig | None = None, apart: bool = False,
    ) -> None:  # fmt: skip
        """Observed as `trained`, the curriculum that the policy learns from; by default this one.

        One worker is this process itself, unless it is to be `apart`.
        """
        kinds = curriculum, trained or curriculum
        self.shape = shape(*kinds, count)
        self.spec = self.shape.spec
        is_shared = apart or workers > 1
        buffer: Any = SPAWN.RawArray("B", self.shape.nbytes) if is_shared else bytearray(self.shape.nbytes)
        self.block = Block.from_buffer(buffer, self.shape)
        self.block.weights[:] = first_weights(curriculum)
        self._workers: list[EnvWorker] = []
        for slots in np.array_split(np.arange(count), min(workers, count)):
            span = range(int(slots[0]), int(slots[-1]) + 1)
            options: dict[str, Any] = {"seed": seed, "first": first, "replay": replay}
            if is_shared:
                self._workers.append(Worker(kinds, count, buffer, span, options))
            else:
                self._workers.append(InProcess(Episodes(*kinds, self.block, span, **options)))
        self.begin()

    def begin(self) -> None:
        """Begin every environment's first episode, in a task drawn by the block's weights."""
        self._run_on_all("begin")

    def step(self, actions_N: NDArray[np.int64]) -> None:
        """Step every environment with the agents' actions; the results are in the block."""
        self.block.actions[:] = actions_N
        self._run_on_all("step")

    def state(self) -> dict[str, NDArray[Any]]:
        """All that `restore` needs: a copy of the counters and of the actions taken."""
        return {name: getattr(self.block, name).copy() for name in STATE}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore every environment to `state`, by replaying its actions."""
        for name in STATE:
            getattr(self.block, name)[:] = state[name]
        self._run_on_all("restore")

    def fits(self, state: dict[str, NDArray[Any]]) -> bool:
        """Whether `state` is of as many environments of the same size, in tasks that there are."""
        if any(name not in state for name in STATE) or state["tasks"].max() >= self.shape.tasks:
            return False
        return all(getattr(self.block, name).shape == state[name].shape for name in STATE)

    def take_results(self) -> NDArray[np.float64]:
        """Of the episodes that ended since this was last asked, by task (K, 3): number, sum of scores, of returns."""
        results: NDArray[np.float64] = self.block.results.sum(0)
        self.block.results[:] = 0
        return results

    def measure(self) -> dict[str, float]:
        """The return and what else the spec measures: the means of each environment's last episode. Empty before."""
        return self.means_of(self.block.returns, self.block.infos)

    def means_of(self, returns_E: NDArray[np.float64], infos_EI: NDArray[np.float64]) -> dict[str, float]:
        """The means of some episodes' figures, by name, without those that are NaN. Empty if all are."""
        has_ended_E = ~np.isnan(returns_E)
        if not has_ended_E.any():
            return {}
        named = dict(zip(self.spec.infos, infos_EI[has_ended_E].mean(0).tolist(), strict=True))
        return {**named, RETURN: float(returns_E[has_ended_E].mean())}

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run_on_all(self, command: Command) -> None:
        for worker in self._workers:
            worker.send(command)
        for worker in self._workers:
            worker.wait()


class InProcess:
    """Steps its environments in this process."""

    def __init__(self, episodes: Episodes) -> None:
        self._episodes = episodes

    def send(self, command: Command) -> None:
        getattr(self._episodes, command)()

    def wait(self) -> None: ...

    def close(self) -> None:
        self._episodes.close()


class Worker:
    """Steps its environments in a process of its own."""

    def __init__(self, kinds: Kinds, count: int, buffer: Any, span: range, options: dict[str, Any]) -> None:
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve, args=(theirs, kinds, count, buffer, span, options))
        self._process.daemon = True
        self._process.start()
        theirs.close()

    def send(self, command: Command) -> None:
        with suppress(OSError):  # `wait` reports it
            self._pipe.send(command)

    def wait(self) -> None:
        try:
            problem = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(1)
            raise RuntimeError(f"an environment worker died (exit code {self._process.exitcode})") from None
        if problem:
            raise RuntimeError(f"an environment worker failed\n{problem}")

    def close(self) -> None:
        self._pipe.close()  # the worker reads the end of its pipe and exits
        self._process.join(5)


def serve(pipe: Connection, kinds: Kinds, count: int, buffer: Any, span: range, options: dict[str, Any]) -> None:
    """The loop of a worker process: runs commands until the pipe closes, also because the trainer was killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the trainer decides when to stop
    episodes = Episodes(*kinds, Block.from_buffer(buffer, shape(*kinds, count)), span, **options)
    try:
        while True:
            command = pipe.recv()
            try:
                getattr(episodes, command)()
                answer = None
            except Exception:
                answer = traceback.format_exc()
            pipe.send(answer)
    except (EOFError, OSError):
        os._exit(0)  # nothing to clean up, and a normal exit takes a third of a second


assert set(STATE) <= {field.name for field in fields(Block)}
