"""The parts of a run, built from the config and its seed: the same every time."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainer import checkpoint, optimizer
from trainer.agent import Policy, compile_policy
from trainer.allocator import keep_freed_memory
from trainer.config import Config
from trainer.envs.spec import EnvironmentSpec
from trainer.errors import TrainerError
from trainer.layout import Layout
from trainer.optimizer import Optimizers
from trainer.ranks import Ranks
from trainer.stop import Stop
from trainer.vector import Environments


@dataclass(frozen=True)
class Training:
    """The parts of one run, and how its samples are divided."""

    config: Config
    ranks: Ranks
    stop: Stop
    layout: Layout
    policy: Policy
    actor: Policy  # which acts in rollouts: the policy itself, or with asynchronous rollouts what it was an update ago
    optimizer: Optimizers
    environments: Environments
    generator: torch.Generator
    acting_generator: torch.Generator  # the same one, unless the actor acts while the policy learns
    memory_NS: Tensor  # what each agent remembers now; changed in place
    teacher: Policy | None = None


def prepare(config: Config, ranks: Ranks, stop: Stop, stack: ExitStack) -> Training:
    """Build everything from the config and its seed. The environments are numbered over all ranks."""
    curriculum, trainer = config.curriculum, config.trainer
    keep_freed_memory()
    torch.set_num_threads(trainer.torch_threads)
    set_deterministic(trainer.torch_deterministic)
    agents = curriculum.expanded()[0].extremes()[0].total_agents
    layout = Layout.of(trainer, agents=agents, world=ranks.world)
    environments = stack.enter_context(
        Environments(
            curriculum,
            count=layout.environments,
            seed=config.seed,
            first=ranks.rank * layout.environments,
            workers=trainer.num_workers,
            apart=trainer.async_rollouts,
        )
    )
    torch.manual_seed(config.seed)
    policy = make_policy(config, environments.spec, ranks.device)
    generator, acting_generator = generators(config.seed, ranks)
    memory_NS = policy.initial_state(environments.shape.rows)
    optimizers = optimizer.make(trainer.optimizer, policy)
    run = Training(
        config, ranks, stop, layout, policy, policy, optimizers, environments, generator, generator, memory_NS
    )
    if not trainer.async_rollouts:
        return run
    actor = make_policy(config, environments.spec, ranks.device).requires_grad_(False)
    actor.load_state_dict(policy.state_dict())
    return replace(run, actor=actor, acting_generator=acting_generator)


def make_policy(config: Config, spec: EnvironmentSpec, device: torch.device) -> Policy:
    """A policy for what the environment shows, with random weights."""
    policy = Policy(spec.observations, spec.actions, config.agent, config.trainer.precision)
    policy.to(device)
    if config.trainer.compile:
        compile_policy(policy, device)
    return policy


def generators(seed: int, ranks: Ranks) -> tuple[torch.Generator, torch.Generator]:
    """This rank's random numbers: to learn with, and to act with beside that."""
    words = np.random.SeedSequence((seed, ranks.rank)).generate_state(2)
    learning, acting = (torch.Generator(ranks.device).manual_seed(int(word)) for word in words)
    return learning, acting


def set_deterministic(wanted: bool) -> None:
    """Have torch use deterministic algorithms only, or whichever are fastest."""
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
    torch.use_deterministic_algorithms(wanted)
    torch.backends.cudnn.deterministic = wanted


def load_initial_policy(run: Training) -> None:
    """Load the policy that the config names, if it names one; it must have the same size."""
    uri = run.config.trainer.initial_policy.uri
    if uri is None:
        return
    weights = run.ranks.broadcast(checkpoint.checkpoint_at(uri)["policy"] if run.ranks.is_first else None)
    try:
        run.policy.load_state_dict(weights)
        run.actor.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainerError(f"the policy at {uri} does not fit this agent\n{error}") from error
