"""The training loop, top to bottom: evaluate, act, learn, tell, keep.

Reads like the paper; what each part does is in the module of its name. Knows nothing of Hydra or of the command line.
"""

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from trainer import checkpoint, optimizer, ppo
from trainer.agent import Policy
from trainer.config import Config
from trainer.errors import TrainerError
from trainer.evaluate import evaluate
from trainer.layout import Layout
from trainer.metrics import METRICS, MetricsFile, Progress
from trainer.optimizer import Optimizers
from trainer.profiler import traced
from trainer.ranks import Ranks
from trainer.resume import Place, place, restored, saved
from trainer.rollout import Rollout, collect
from trainer.stop import Stop, Stopped
from trainer.tracking import Tracker
from trainer.vector import Environments


@dataclass(frozen=True)
class Training:
    """All that takes part in one run, and how its samples are divided."""

    config: Config
    ranks: Ranks
    stop: Stop
    layout: Layout
    policy: Policy
    optimizer: Optimizers
    environments: Environments
    generator: torch.Generator


def train(config: Config, ranks: Ranks, stop: Stop, tracker: Tracker) -> None:
    """Train until `total_timesteps`, from the run's checkpoint where there is one. Raises `Stopped` when asked to stop."""
    with ExitStack() as stack:
        run = prepare(config, ranks, stop, stack)
        at = restored(run.policy, run.optimizer, run.generator, run.environments, config, ranks)
        total = run.layout.total(config.trainer.total_timesteps, done=at.step)
        progress = stack.enter_context(open_progress(run, tracker, at, total)) if ranks.is_first else None

        while True:
            if progress and evaluation_due(run, at.step, total) and progress.last_evaluation != at.step:
                judge(run, at.step, progress)
            if at.step >= total:
                break
            began = time.perf_counter()
            with traced(config.trainer.profiler, at.update):
                rollout = collect(run.policy, run.environments, run.layout.steps, run.generator, stop)
                if ranks.any(rollout is None):
                    keep(run, at, progress)
                    raise Stopped(stop.exit_code)
                assert rollout is not None
                figures = improve(run, rollout)
            at = place(at.step + run.layout.samples, at.update + 1, run.generator, run.environments)
            if progress:
                progress.log(at.step, {**figures, "sps": run.layout.samples / (time.perf_counter() - began)})
            if at.step >= total or passed(config.trainer.checkpoint.interval, at.step, run.layout.samples):
                keep(run, at, progress)

        if progress and progress.last_evaluation != at.step:
            raise Stopped(stop.exit_code)  # asked during the last evaluation, which the next launch makes up for


def prepare(config: Config, ranks: Ranks, stop: Stop, stack: ExitStack) -> Training:
    """Build everything from the config and its seed. The environments are numbered over all ranks."""
    torch.set_num_threads(config.trainer.torch_threads)
    curriculum, trainer = config.curriculum, config.trainer
    layout = Layout.of(trainer, agents=curriculum.agents * curriculum.instances, world=ranks.world)
    environments = stack.enter_context(
        Environments(
            curriculum,
            count=layout.environments,
            seed=config.seed,
            first=ranks.rank * layout.environments,
            workers=trainer.num_workers,
        )
    )
    torch.manual_seed(config.seed)
    policy = Policy(environments.shape.features, environments.actions, config.agent)
    if trainer.initial_policy.uri:
        adopt(policy, trainer.initial_policy.uri)
    policy.to(ranks.device)
    seed = int(np.random.SeedSequence((config.seed, ranks.rank)).generate_state(1)[0])
    generator = torch.Generator(ranks.device).manual_seed(seed)
    return Training(
        config, ranks, stop, layout, policy, optimizer.make(trainer.optimizer, policy), environments, generator
    )


def improve(run: Training, rollout: Rollout) -> dict[str, float]:
    """Several epochs of minibatch gradients on one rollout. Gives the figures of this update, over all ranks."""
    settings, parameters = run.config.trainer.ppo, list(run.policy.parameters())
    advantage_TN = ppo.gae(
        rollout.reward_TN, rollout.value_TN, rollout.done_TN, rollout.last_value_N,
        gamma=settings.gamma, lam=settings.gae_lambda,
    )  # fmt: skip
    features_BF = rollout.features_TNF.flatten(0, 1)
    action_B, logprob_B, value_B, advantage_B = (
        x.flatten() for x in (rollout.action_TN, rollout.logprob_TN, rollout.value_TN, advantage_TN)
    )
    seen: list[ppo.Losses] = []
    for _ in range(settings.update_epochs):
        order_B = torch.randperm(len(action_B), generator=run.generator, device=run.generator.device)
        for b in torch.split(order_B[: run.layout.batch], run.layout.minibatch):
            logits_BA, new_value_B = run.policy(features_BF[b])
            losses = ppo.losses(settings, logits_BA, new_value_B, action_B[b], logprob_B[b], value_B[b], advantage_B[b])
            run.optimizer.zero_grad()
            torch.autograd.backward(losses.total)
            overdue, kl = run.ranks.average(parameters, torch.tensor(float(run.stop.overdue)), losses.kl)
            nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
            run.optimizer.step()
            seen.append(losses)
            if overdue:
                return summary(run, rollout, seen)
        if settings.target_kl is not None and kl > settings.target_kl:
            break
    return summary(run, rollout, seen)


def summary(run: Training, rollout: Rollout, seen: list[ppo.Losses]) -> dict[str, float]:
    """The update in figures. A NaN among the losses ends the run: nothing can be learned from there."""
    means = torch.stack([torch.stack([part.detach() for part in losses]) for losses in seen]).mean(0).tolist()
    per_episode = rollout.reward_TN.mean().item() * run.config.curriculum.max_steps
    figures = run.ranks.mean(per_episode, float(run.environments.block.hearts.mean()), *means)
    named = dict(zip(("reward", "hearts", *LOSSES), figures, strict=True))
    if not math.isfinite(named["loss"]):
        raise TrainerError(f"the loss is {named['loss']}; try a smaller trainer.optimizer.learning_rate")
    return {name: value for name, value in named.items() if math.isfinite(value)}  # no hearts before the first episode


LOSSES = ("loss", "policy_loss", "value_loss", "entropy", "kl", "clipped")


def judge(run: Training, step: int, progress: Progress) -> None:
    """Evaluate the policy as it is, with a replay of the first episode."""
    simulation = run.config.trainer.simulation
    replay = Path(simulation.replay_dir) / f"step_{step:012d}.json.z" if simulation.write_replays else None
    figures = evaluate(run.policy, run.config.curriculum, run.config.sim, run.stop, replay=replay)
    if figures is not None:
        progress.log(step, figures)


def evaluation_due(run: Training, step: int, total: int) -> bool:
    """Before training, after it, and whenever another `evaluate_interval` samples are behind us."""
    return step in (0, total) or passed(run.config.trainer.simulation.evaluate_interval, step, run.layout.samples)


def passed(interval: int, step: int, samples: int) -> bool:
    """Whether the last `samples` led past a multiple of `interval`."""
    return interval > 0 and step // interval > (step - samples) // interval


def keep(run: Training, at: Place, progress: Progress | None) -> None:
    """Write a checkpoint of the run as it was at `at`. All ranks take part, the first one writes."""
    places = run.ranks.gather(at)
    if progress:
        folder = Path(run.config.trainer.checkpoint.checkpoint_dir)
        checkpoint.save(folder, saved(run.policy, run.optimizer, places, run.config, progress.elapsed))


def adopt(policy: Policy, uri: str) -> None:
    """Start from another run's policy, which must have been of the same size."""
    try:
        policy.load_state_dict(checkpoint.policy_at(uri))
    except RuntimeError as error:
        raise TrainerError(f"the policy at {uri} does not fit this agent\n{error}") from error


def open_progress(run: Training, tracker: Tracker, at: Place, total: int) -> Progress:
    file = MetricsFile(Path(run.config.run_dir) / METRICS, step=at.step if at.resumed else None)
    return Progress(file, tracker, total_steps=total, elapsed=at.elapsed)
