"""Evaluates a policy in episodes that are the same every time.

Samples its actions, as in training, from a seed of its own, so that evaluating a policy twice gives the same metrics
and does not affect the training.
"""

from pathlib import Path

import torch

from trainer.agent import Policy, act
from trainer.config import CurriculumConfig, SimConfig
from trainer.stop import Stop
from trainer.vector import Environments


def evaluate(
    policy: Policy, curriculum: CurriculumConfig, sim: SimConfig, stop: Stop, *, replay: Path | None = None
) -> dict[str, float] | None:
    """Hearts gained and return, per agent and episode; None after a signal to stop.

    The first episode is written to `replay`.
    """
    device = policy.value_head.weight.device
    generator = torch.Generator(device).manual_seed(sim.seed)
    if replay:
        replay.parent.mkdir(parents=True, exist_ok=True)
    with Environments(curriculum, count=sim.episodes, seed=sim.seed, replay=replay) as environments:
        for _ in range(curriculum.max_steps):
            if stop.is_requested:
                return None
            features_NF = torch.from_numpy(environments.block.features).to(device)
            action_N, _, _ = act(policy, features_NF, generator)
            environments.step(action_N.cpu().numpy())
        block = environments.block
        return {"eval/hearts": float(block.hearts.mean()), "eval/reward": float(block.returns.mean())}
