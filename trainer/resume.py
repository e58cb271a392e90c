"""What of a run is in its checkpoint, and how it comes back: bit for bit, where the number of processes is the same.

A place is a moment between two updates. Environments are kept as the actions of their current episodes, and come back by
acting those out again. With another number of processes, or another batch, episodes begin anew.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from trainer import checkpoint
from trainer.agent import Policy
from trainer.config import Config
from trainer.errors import TrainerError
from trainer.optimizer import Optimizers
from trainer.ranks import Ranks
from trainer.vector import Environments


@dataclass(frozen=True)
class Place:
    """How far one rank is: what, besides policy and optimizer, decides everything that follows."""

    step: int = 0
    update: int = 0
    elapsed: float = 0.0
    resumed: bool = False
    generator: torch.Tensor | None = None
    environments: dict[str, torch.Tensor] = field(default_factory=dict)


def place(step: int, update: int, generator: torch.Generator, environments: Environments) -> Place:
    """The place where this rank is now."""
    state = {name: torch.from_numpy(array) for name, array in environments.state().items()}
    return Place(step, update, generator=generator.get_state(), environments=state)


def saved(policy: Policy, optimizer: Optimizers, places: list[Place], config: Config, elapsed: float) -> dict[str, Any]:
    """The checkpoint of a run whose ranks are at `places`."""
    return {
        "run_name": config.run_name,
        "step": places[0].step,
        "update": places[0].update,
        "elapsed": elapsed,
        "config": json.loads(config.to_json()),
        "policy": policy.state_dict(),
        "optimizer": optimizer.state_dict(),
        "ranks": [{"generator": at.generator, "environments": at.environments} for at in places],
    }


def restored(
    policy: Policy, optimizer: Optimizers, generator: torch.Generator, environments: Environments, config: Config,
    ranks: Ranks,
) -> Place:  # fmt: skip
    """Bring everything to where the run's checkpoint is; the beginning, where there is none."""
    state = ranks.broadcast(_load(config) if ranks.is_first else None)
    if state is None:
        return place(0, 0, generator, environments)
    try:
        policy.load_state_dict(state["policy"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        folder = config.trainer.checkpoint.checkpoint_dir
        raise TrainerError(f"the checkpoint in {folder} is of another agent or optimizer\n{error}") from error
    same_ranks = len(state["ranks"]) == ranks.world
    mine = state["ranks"][ranks.rank] if same_ranks else None
    if mine and mine["generator"].shape == generator.get_state().shape:
        generator.set_state(mine["generator"])
    arrays = {name: tensor.numpy() for name, tensor in mine["environments"].items()} if mine else {}
    if arrays and environments.fits(arrays):
        environments.restore(arrays)
    elif ranks.is_first:
        print("another number of processes or environments than before: episodes begin anew", flush=True)
    if ranks.is_first:
        print(f"resuming {config.run_name} at step {state['step']:,}", flush=True)
    here = place(state["step"], state["update"], generator, environments)
    return Place(here.step, here.update, state["elapsed"], True, here.generator, here.environments)


def _load(config: Config) -> dict[str, Any] | None:
    return checkpoint.load(Path(config.trainer.checkpoint.checkpoint_dir))
