"""Weights & Biases, used in this module only. With mode `off` it is not imported.

The run's id, resumption, tags and notes come from the environment (`WANDB_RUN_ID`, `WANDB_RESUME`, `WANDB_TAGS`, …),
which wandb reads by itself; `WANDB_MODE` there wins over the config.
"""

import os
from pathlib import Path
from typing import Any, Protocol

from trainer.config import WandbConfig, WandbMode


class Tracker(Protocol):
    """Keeps a run's results outside of its folder."""

    def log(self, step: int, metrics: dict[str, float]) -> None: ...
    def finish(self, exit_code: int) -> None: ...


class NullTracker:
    """Keeps nothing."""

    def log(self, step: int, metrics: dict[str, float]) -> None: ...
    def finish(self, exit_code: int) -> None: ...


class Wandb:
    """One W&B run with the name of the run."""

    def __init__(self, config: WandbConfig, *, run_name: str, run_dir: Path, values: dict[str, Any]) -> None:
        import wandb

        run_dir.mkdir(parents=True, exist_ok=True)
        mode: Any = os.environ.get("WANDB_MODE", config.mode.value)
        self._run: Any = wandb.init(
            mode=mode,
            name=run_name,
            entity=config.entity,
            project=config.project,
            group=config.group,
            job_type=config.job_type,
            dir=str(run_dir),
            config=values,
            settings=wandb.Settings(silent=True, disable_git=True, x_disable_stats=True),
        )

    def log(self, step: int, metrics: dict[str, float]) -> None:
        self._run.log({**metrics, "step": step}, step=step)

    def finish(self, exit_code: int) -> None:
        self._run.finish(exit_code=exit_code)


def track(config: WandbConfig, *, run_name: str, run_dir: Path, values: dict[str, Any]) -> Tracker:
    """Begin or resume the run's W&B run, unless tracking is off."""
    if config.mode is WandbMode.off:
        return NullTracker()
    return Wandb(config, run_name=run_name, run_dir=run_dir, values=values)
