"""`python -m tests.trainer.sharing FOLDER NAME KIND` trains so that one process and several compute the same numbers.

By design three things depend on the rank: which actions are drawn, which samples are in a minibatch, and by which mean
and deviation advantages are normalized. Here every rank draws the numbers of all agents and takes its own agents'; a
minibatch is the whole batch; and advantages are as they are. What is left is what the ranks have to share.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.trainer.conftest import Runs
from trainer import ppo, rollout
from trainer.config import AgentConfig, AgentType, Config
from trainer.ranks import Ranks, join, leave
from trainer.stop import Stop
from trainer.tracking import NullTracker
from trainer.train import train

UPDATES, SAMPLES = 6, 256


def sharing(folder: Path, name: str, kind: str) -> Config:
    """Updates of one minibatch an epoch; episodes of 20 steps, rollouts of 16."""
    runs = Runs(folder)
    config = runs.config(name, total_timesteps=UPDATES * SAMPLES, batch_size=SAMPLES, minibatch_size=SAMPLES)
    config.agent = AgentConfig(type=AgentType(kind), hidden_size=32, hidden_layers=1)
    config.trainer.ppo.norm_adv = False
    return config


def acting_alike(ranks: Ranks) -> Any:
    """As `act`: for all agents of all ranks the numbers are drawn, and each rank's agents take theirs."""
    shared = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def act(policy: Any, features_NF: Tensor, state_NS: Tensor, _: torch.Generator) -> tuple[Tensor, ...]:
        logits_NA, value_N, after_NS = policy(features_NF, state_NS)
        agents = len(features_NF)
        drawn_N = torch.rand(ranks.world * agents, generator=shared)[ranks.rank * agents :][:agents]
        action_N = (logits_NA.softmax(-1).cumsum(-1) < drawn_N[:, None]).sum(-1).clamp(max=logits_NA.shape[-1] - 1)
        return action_N, ppo.log_prob(logits_NA, action_N), value_N, after_NS

    return act


def main(folder: str, name: str, kind: str) -> None:
    config = sharing(Path(folder), name, kind)
    ranks = join(config.device)
    rollout.act = acting_alike(ranks)
    train(config, ranks, Stop(), NullTracker())
    leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
