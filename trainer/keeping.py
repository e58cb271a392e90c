"""Which checkpoints are kept beside the latest: the best by evaluation, and a history. `trainer.checkpoint` says which.

All that is known of them is in their files, so a resumed run knows the best so far, and what its history has.
"""

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from trainer import checkpoint
from trainer.errors import TrainerError
from trainer.trainer_config import BestMode, CheckpointConfig

BEST = "best.pt"
EVALUATION = "evaluation"
"""The key of the best checkpoint under which its evaluation's figures are."""
_NAME = re.compile(r"step_(\d+)\.pt")


def save(config: CheckpointConfig, state: dict[str, Any], *, is_due: bool) -> Path:
    """Write `state` as the latest checkpoint and, if one is due, into the history. Then prune the history."""
    folder, step = Path(config.checkpoint_dir), state["step"]
    has_history = bool(config.keep_last or config.keep_every)
    latest = checkpoint.save(folder, state, beside=name_of(step) if has_history and is_due and step else None)
    prune(config)
    return latest


def keep_best(config: CheckpointConfig, figures: Mapping[str, float], state: Callable[[], dict[str, Any]]
              ) -> Path | None:  # fmt: skip
    """Write the `state` with these figures of its evaluation as the best checkpoint; None if the best so far stays."""
    metric = config.best_metric or next(name for name in figures if name.rpartition("/")[2] == "reward")
    value, best = figures[metric], best_so_far(config, metric)
    if best is not None and not (value > best if config.best_mode is BestMode.max else value < best):
        return None
    path = Path(config.checkpoint_dir) / BEST
    checkpoint.write(path, {**state(), EVALUATION: dict(figures)})
    return path


def best_so_far(config: CheckpointConfig, metric: str) -> float | None:
    """The figure of the best checkpoint; None if there is none, or none that can be read and has this figure."""
    path = Path(config.checkpoint_dir) / BEST
    if not path.exists():
        return None
    try:
        figure: float | None = checkpoint.read(path).get(EVALUATION, {}).get(metric)
    except TrainerError as error:
        print(f"warning: {error}; the next evaluation writes another", flush=True)
        return None
    return figure


def kept(steps: Collection[int], *, last: int | None, every: int) -> set[int]:
    """The steps that stay in a history: the newest `last`, and the first at or after each multiple of `every`."""
    newest = sorted(steps)[-last:] if last else []
    firsts: dict[int, int] = {}
    for step in sorted(steps) if every else []:
        firsts.setdefault(step // every, step)
    firsts.pop(0, None)
    return {*newest, *firsts.values()}


def prune(config: CheckpointConfig) -> None:
    """Remove the checkpoints of the history that the rule does not keep, and what a killed process left half-written.

    Without a rule nothing is removed: a history from before it was taken away stays.
    """
    folder = Path(config.checkpoint_dir)
    for path in folder.glob("*.tmp"):
        path.unlink(missing_ok=True)
    if not (config.keep_last or config.keep_every):
        return
    steps = {int(found[1]): path for path in folder.glob("step_*.pt") if (found := _NAME.fullmatch(path.name))}
    for step in steps.keys() - kept(steps, last=config.keep_last, every=config.keep_every):
        steps[step].unlink(missing_ok=True)


def name_of(step: int) -> str:
    """The file of the checkpoint at this step in a history."""
    return f"step_{step:012d}.pt"
