"""expiac's trainer: the loop of `trainer.train` itself, which tells of each update to what tracks the run."""

from __future__ import annotations

from pathlib import Path

from benchmarks.trainer_peers.turns import Turns
from trainer import train as trainer
from trainer.config import Config, Device
from trainer.metrics import is_evaluation
from trainer.ranks import join, leave
from trainer.stop import Stop


def train(config: Config, turns: Turns) -> None:
    """Train, on several ranks if the environment names them. The first one has the turns, and the others follow it."""
    ranks = join(Device.cpu)
    try:
        trainer.train(config, ranks, Stop(), _TurnsAsTracker(turns))
    finally:
        leave()


class _TurnsAsTracker:
    """Counts the samples of each update as they are logged, and so holds up the loop between turns."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._step = turns, 0

    def log(self, step: int, metrics: dict[str, float]) -> None:
        if not is_evaluation(metrics):
            samples, self._step = step - self._step, step
            self._turns.count(samples)

    def keep(self, kind: str, file: Path) -> None: ...
    def finish(self, exit_code: int) -> None: ...
