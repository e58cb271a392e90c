"""The checkpoint of a run: one file, which each save replaces in one step, so that a complete one is always there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.network import Weights


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on."""

    epoch: int
    elapsed: float
    """Seconds of training so far, over all launches."""
    weights: Weights
    optimizer: Weights


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Writes the checkpoint beside the one before, and puts it in its place once it is on disk."""
    arrays: dict[str, Any] = {f"weights/{name}": value for name, value in checkpoint.weights.items()}
    arrays |= {f"optimizer/{name}": value for name, value in checkpoint.optimizer.items()}
    fresh = path.with_suffix(".tmp")
    with fresh.open("wb") as file:
        np.savez(file, epoch=np.array(checkpoint.epoch), elapsed=np.array(checkpoint.elapsed), **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def load(path: Path) -> Checkpoint | None:
    """The checkpoint in a file; None if there is none. Runs no code that the file may hold."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return Checkpoint(
        epoch=int(arrays["epoch"]),
        elapsed=float(arrays["elapsed"]),
        weights=_below("weights/", arrays),
        optimizer=_below("optimizer/", arrays),
    )


def _below(prefix: str, arrays: Weights) -> Weights:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
