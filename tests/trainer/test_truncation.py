"""An episode that a time limit cuts is not at its end: what would have come counts."""

import dataclasses

import numpy as np
import pytest
import torch

from trainer.advantage import gae
from trainer.agent import Policy
from trainer.config import AgentConfig, CurriculumConfig
from trainer.profiler import Timings
from trainer.rollout import collect
from trainer.stop import Stop
from trainer.vector import Environments

ROOM = CurriculumConfig(agents=2, width=6, height=6, mines=2, generators=2, altars=2, max_steps=20)
AGENT = AgentConfig(hidden_size=8, hidden_layers=1)
LONGER = dataclasses.replace(ROOM, max_steps=21)


def play(environments: Environments, actions_TN: np.ndarray) -> None:
    for actions_N in actions_TN:
        environments.step(actions_N)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_final_observation_is_the_one_that_a_longer_episode_would_go_on_from(workers: int):
    actions = np.random.default_rng(0).integers(0, 5, (20, 6))
    with (
        Environments(ROOM, count=3, seed=1, workers=workers) as cut,
        Environments(LONGER, count=3, seed=1) as going_on,
    ):
        play(cut, actions)
        play(going_on, actions)
        assert cut.block.truncated.all()
        assert not going_on.block.truncated.any()
        assert (cut.block.final_features == going_on.block.features).all()
        assert (cut.block.features != cut.block.final_features).any()  # what is seen now is the next episode


def test_only_the_last_step_is_a_cut():
    with Environments(ROOM, count=2, seed=1) as environments:
        cuts = []
        for _ in range(40):
            environments.step(np.zeros(4, np.int64))
            cuts.append(environments.block.truncated.all())
    assert np.flatnonzero(cuts).tolist() == [19, 39]


def test_the_rollout_has_the_value_after_the_cut():
    """And so the advantage of the last step, with λ = 0, is r + γ V(final observation) - V."""
    torch.manual_seed(0)
    with Environments(ROOM, count=2, seed=1) as cut, Environments(LONGER, count=2, seed=1) as going_on:
        policy = Policy(cut.spec.observations, cut.spec.actions, AGENT)
        rollout = collect(policy, cut, policy.initial_state(4), 25, torch.Generator().manual_seed(0), Stop(), Timings())
        assert rollout is not None
        play(going_on, rollout.action_TN[:20].numpy())
        with torch.no_grad():
            after_N = policy(torch.from_numpy(going_on.block.features))[1]
    assert torch.equal(rollout.next_value_TN[19], after_N)
    assert not torch.equal(after_N, rollout.value_TN[20])
    assert torch.equal(rollout.next_value_TN[:19], rollout.value_TN[1:20])
    advantage = gae(rollout.reward_TN, rollout.value_TN, rollout.next_value_TN, rollout.done_TN, gamma=0.9, lam=0.0)
    torch.testing.assert_close(advantage[19], rollout.reward_TN[19] + 0.9 * after_N - rollout.value_TN[19])


def test_after_a_real_end_nothing_comes():
    """An environment whose episodes are over at their end: the same arena, that says so."""
    torch.manual_seed(0)
    with Environments(ROOM, count=2, seed=1) as environments:
        policy = Policy(environments.spec.observations, environments.spec.actions, AGENT)
        step = environments.step

        def step_to_an_end(actions_N: np.ndarray) -> None:
            step(actions_N)
            environments.block.truncated[:] = False

        environments.step = step_to_an_end  # type: ignore[method-assign]
        memory, generator = policy.initial_state(4), torch.Generator().manual_seed(0)
        rollout = collect(policy, environments, memory, 25, generator, Stop(), Timings())
    assert rollout is not None
    assert rollout.next_value_TN[19].tolist() == [0.0] * 4
    assert (rollout.next_value_TN[18] != 0).all()
