"""The names that settings had in the experiments framework that expiac grew out of, and what they are called here.

Every error about an unknown key asks here; `docs/migrating.md` shows the table, kept equal to it by a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Renamed:
    """What became of a setting."""

    new: str
    """Its path here; empty for one that has no counterpart."""
    note: str = ""
    """What is different besides the name."""

    def hint(self, path: str) -> str:
        """What to do, with the path as it is from where the old name was used."""
        words = f"renamed to {path}" if self.new else "it has no counterpart"
        return f"{words}: {self.note}" if self.note else words


RENAMED = {
    "additional_args": Renamed("", "values of the trainer are given in trainer=…"),
    "agent_config": Renamed("training.agent"),
    "beta1": Renamed("optimizer.betas", "one tuple of both, (0.9, 0.999)"),
    "beta2": Renamed("optimizer.betas", "one tuple of both, (0.9, 0.999)"),
    "bptt_horizon": Renamed("trainer.horizon"),
    "checkpoint_interval": Renamed("checkpoint.interval", "it counts samples, not seconds"),
    "py_agent": Renamed("", "agent is an option of configs/agent"),
    "run_name_pattern": Renamed("", "a run is named stack.job.hash"),
    "sim_config": Renamed("training.sim"),
    "update_epochs": Renamed("ppo.update_epochs"),
    "wandb_checkpoint_interval": Renamed("", "checkpoints stay in the folder of the run"),
}
MODULES = {
    "experiments": "from expiac import Experiment, ExperimentConfig, TrainingJobConfig, TrainingRunConfig, …, runner",
    "metta": "from trainer.config import TrainerConfig, OptimizerConfig, SimulationConfig, …",
}
"""What to import in place of the framework's packages."""


def renamed_hint(name: str, paths: Iterable[str] = ()) -> str:
    """What a setting of this old name is called; empty if it is none, or if no path of those that there are is it."""
    change = RENAMED.get(name)
    if change is None or not change.new:
        return change.hint("") if change else ""
    last = change.new.rpartition(".")[2]
    fits = (path for path in paths if path == last or f".{path}".endswith(f".{change.new}"))
    path = next(fits, "")
    return change.hint(path) if path else ""


def old_name_hint(name: str) -> str:
    """What a setting of this old name is called, wherever it may be; empty if it is none."""
    change = RENAMED.get(name)
    return change.hint(change.new) if change else ""


def module_hint(error: BaseException) -> str:
    """What to import in place of a package of the framework that is not there; empty for any other error."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return MODULES.get(package, "")
