"""Weights & Biases, used in this module only. With mode `off` it is not imported.

The run's id, resumption, tags, notes, and where the config says none its project, group and phase, come from the
environment (`WANDB_RUN_ID`, `WANDB_PROJECT`, …), which wandb reads by itself; `WANDB_MODE` there wins over the config.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any, Protocol

from trainer.config import WandbConfig, WandbMode
from trainer.errors import TrainerError

STEP = "step"
DOWNLOAD_TIMEOUT = 60  # seconds for each answer of the service
BEST, CHECKPOINT, REPLAY = "best", "checkpoint", "replay"
ARTIFACT_TYPES = {BEST: "model", CHECKPOINT: "model", REPLAY: "replay"}
"""The W&B type of each kind of file that a run keeps."""


class Tracker(Protocol):
    """Keeps a run's results outside of its folder."""

    def log(self, step: int, metrics: dict[str, float]) -> None: ...
    def keep(self, kind: str, file: Path) -> None: ...
    def finish(self, exit_code: int) -> None: ...


class NullTracker:
    """Keeps nothing."""

    def log(self, step: int, metrics: dict[str, float]) -> None: ...
    def keep(self, kind: str, file: Path) -> None: ...
    def finish(self, exit_code: int) -> None: ...


class Wandb:
    """One W&B run with the name of the run."""

    def __init__(self, config: WandbConfig, *, run_name: str, run_dir: Path, values: dict[str, Any]) -> None:
        import wandb

        self._run_name, self._keeps = run_name, config.artifacts
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
            settings=wandb.Settings(silent=True),
        )
        # Curves over samples, which other runs have too, and not over W&B's own count of rows.
        self._run.define_metric(STEP, hidden=True)
        self._run.define_metric("*", step_metric=STEP)

    def log(self, step: int, metrics: dict[str, float]) -> None:
        self._run.log({**metrics, STEP: step}, step=step)

    def keep(self, kind: str, file: Path) -> None:
        """Log a file as the newest version of the run's artifact of this kind, if the config asks for artifacts."""
        if not self._keeps:
            return
        import wandb

        artifact = wandb.Artifact(re.sub(r"[^\w.-]", "-", f"{self._run_name}-{kind}"), type=ARTIFACT_TYPES[kind])
        artifact.add_file(str(file))  # a copy: the next checkpoint takes the place of this one
        self._run.log_artifact(artifact)

    def finish(self, exit_code: int) -> None:
        self._run.finish(exit_code=exit_code)


def track(config: WandbConfig, *, run_name: str, run_dir: Path, values: dict[str, Any]) -> Tracker:
    """Begin or resume the run's W&B run, unless tracking is off."""
    if config.mode is WandbMode.off:
        return NullTracker()
    return Wandb(config, run_name=run_name, run_dir=run_dir, values=values)


def download(uri: str) -> Path:
    """Download the artifact `wandb://[entity/]project/name[:version]`: its one file, or the folder of several.

    Raises `TrainerError`, also where the service has not answered in `DOWNLOAD_TIMEOUT` seconds.
    """
    name = uri.removeprefix("wandb://")
    try:
        import wandb

        artifact = wandb.Api(timeout=DOWNLOAD_TIMEOUT).artifact(name if ":" in name else f"{name}:latest")
        folder = Path(artifact.download(root=tempfile.mkdtemp(prefix="policy-")))
    except Exception as error:  # of wandb, of its HTTP client, and where there is no key
        raise TrainerError(f"{uri} can't be downloaded: {type(error).__name__}: {error}") from error
    files = [path for path in folder.rglob("*") if path.is_file()]
    return files[0] if len(files) == 1 else folder
