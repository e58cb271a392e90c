"""What of a run is in its checkpoint, and how it comes back: bit for bit, where the number of processes is the same.

A place is a moment between two updates. Environments are kept as the actions of their current episodes, and come back
by acting those out again. With another number of processes, or another batch, episodes begin anew.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from trainer import checkpoint
from trainer.errors import TrainerError
from trainer.training import Training


@dataclass(frozen=True)
class TrainState:
    """How far one rank is: what, besides policy and optimizer, decides everything that follows."""

    step: int = 0
    update: int = 0
    elapsed: float = 0.0
    resumed: bool = False
    generator: torch.Tensor | None = None
    environments: dict[str, torch.Tensor] = field(default_factory=dict)


def place(run: Training, step: int, update: int) -> TrainState:
    """The place where this rank is now."""
    state = {name: torch.from_numpy(array) for name, array in run.environments.state().items()}
    return TrainState(step, update, generator=run.generator.get_state(), environments=state)


def saved(run: Training, places: list[TrainState], elapsed: float) -> dict[str, Any]:
    """The checkpoint of a run whose ranks are at `places`."""
    return {
        "run_name": run.config.run_name,
        "step": places[0].step,
        "update": places[0].update,
        "elapsed": elapsed,
        "config": json.loads(run.config.to_json()),
        "policy": run.policy.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "ranks": [{"generator": at.generator, "environments": at.environments} for at in places],
    }


def restored(run: Training) -> TrainState:
    """Bring everything to where the run's checkpoint is; the beginning, where there is none."""
    folder = Path(run.config.trainer.checkpoint.checkpoint_dir)
    state = run.ranks.broadcast(checkpoint.load(folder) if run.ranks.is_first else None)
    if state is None:
        return place(run, 0, 0)
    try:
        run.policy.load_state_dict(state["policy"])
        run.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise TrainerError(f"the checkpoint in {folder} is of another agent or optimizer\n{error}") from error
    if run.ranks.is_first:
        print(f"resuming {run.config.run_name} at step {state['step']:,}", flush=True)
    if len(state["ranks"]) == run.ranks.world:
        _return(run, **state["ranks"][run.ranks.rank])
    elif run.ranks.is_first:
        print(f"{len(state['ranks'])} processes before, {run.ranks.world} now: episodes begin anew", flush=True)
    return replace(place(run, state["step"], state["update"]), elapsed=state["elapsed"], resumed=True)


def _return(run: Training, generator: torch.Tensor, environments: dict[str, torch.Tensor]) -> None:
    if generator.shape == run.generator.get_state().shape:  # else it was of another kind of device
        run.generator.set_state(generator)
    arrays = {name: tensor.numpy() for name, tensor in environments.items()}
    if run.environments.fits(arrays):
        run.environments.restore(arrays)
