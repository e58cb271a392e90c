"""What a checkpoint holds of a run, and how to restore it: bit for bit if the number of processes is the same.

The state is that between two updates. Environments are saved as the actions of their current episodes and restored by
replaying them. With another number of processes, or another batch shape, episodes begin anew.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from trainer import checkpoint
from trainer.curriculum import CurriculumState
from trainer.errors import TrainerError
from trainer.experience import draw_by
from trainer.training import Training


@dataclass(frozen=True)
class TrainState:
    """How far one rank is: all that decides what follows, besides the policy and the optimizer."""

    step: int = 0
    update: int = 0
    elapsed: float = 0.0
    resumed: bool = False
    generator: torch.Tensor | None = None
    acting: dict[str, Any] = field(default_factory=dict)
    curriculum: CurriculumState = field(default_factory=lambda: CurriculumState.initial(1))


def acting_state(run: Training) -> dict[str, Any]:
    """All that decides the next rollout: of the environments, what agents remember, and who acts, if not the policy."""
    environments = {name: torch.from_numpy(array) for name, array in run.environments.state().items()}
    state = {"environments": environments, "memory": run.memory_NS.cpu().clone()}
    if run.actor is run.policy:
        return state
    weights = {name: tensor.cpu().clone() for name, tensor in run.actor.state_dict().items()}
    return {**state, "actor": weights, "acting_generator": run.acting_generator.get_state()}


def current_state(
    run: Training, step: int, update: int, curriculum: CurriculumState, acting: dict[str, Any]
) -> TrainState:
    """The state of this rank now, and what it was of those who act when their next rollout began."""
    return TrainState(step, update, generator=run.generator.get_state(), acting=acting, curriculum=curriculum)


def checkpoint_of(run: Training, states: list[TrainState], elapsed: float) -> dict[str, Any]:
    """The checkpoint of a run with these states, one for each rank."""
    return {
        "run_name": run.config.run_name,
        "step": states[0].step,
        "update": states[0].update,
        "elapsed": elapsed,
        "config": json.loads(run.config.to_json()),
        "policy": run.policy.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "curriculum": states[0].curriculum.to_dict(),
        "ranks": [{"generator": state.generator, **state.acting} for state in states],
    }


def restore(run: Training) -> TrainState:
    """Restore the run from its checkpoint and give its state; the state of a new run if there is no checkpoint."""
    folder = Path(run.config.trainer.checkpoint.checkpoint_dir)
    tasks = run.environments.shape.tasks
    state = run.ranks.broadcast(checkpoint.load(folder) if run.ranks.is_first else None)
    if state is None:
        return current_state(run, 0, 0, CurriculumState.initial(tasks), acting_state(run))
    try:
        run.policy.load_state_dict(state["policy"])
        run.actor.load_state_dict(state["policy"])
        run.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise TrainerError(f"the checkpoint in {folder} is of another agent or optimizer\n{error}") from error
    if run.ranks.is_first:
        print(f"resuming {run.config.run_name} at step {state['step']:,}", flush=True)
    curriculum = CurriculumState.from_dict(state.get("curriculum", {}), tasks)
    draw_by(run, curriculum)
    if len(state["ranks"]) == run.ranks.world:
        _restore_rank(run, **state["ranks"][run.ranks.rank])
    else:
        run.environments.begin()
        if run.ranks.is_first:
            print(f"{len(state['ranks'])} processes before, {run.ranks.world} now: episodes begin anew", flush=True)
    now = current_state(run, state["step"], state["update"], curriculum, acting_state(run))
    return replace(now, elapsed=state["elapsed"], resumed=True)


def _restore_rank(
    run: Training, generator: torch.Tensor, environments: dict[str, torch.Tensor], memory: torch.Tensor | None = None,
    actor: dict[str, torch.Tensor] | None = None, acting_generator: torch.Tensor | None = None,
) -> None:  # fmt: skip
    """Without a `memory`, agents remember nothing: that of a checkpoint from before there were such agents.

    An `actor` is that of a run with asynchronous rollouts; one without them goes on with the policy.
    """
    if generator.shape == run.generator.get_state().shape:  # else it was of another kind of device
        run.generator.set_state(generator)
        if run.actor is not run.policy and actor is not None and acting_generator is not None:
            run.actor.load_state_dict(actor)
            run.acting_generator.set_state(acting_generator)
    arrays = {name: tensor.numpy() for name, tensor in environments.items()}
    if run.environments.fits(arrays):
        run.environments.restore(arrays)
        if memory is not None:
            run.memory_NS.copy_(memory)
    else:
        run.environments.begin()
