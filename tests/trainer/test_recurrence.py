"""Agents that remember: what they remember, when they forget it, and that they learn to."""

from contextlib import ExitStack

import pytest
import torch
from observing import vector
from remembering import delayed_choice
from torch import nn

from tests.trainer.test_training import StopAfter, figures, same
from trainer.agent import Policy
from trainer.config import AgentConfig, AgentType, Config, KickstartConfig, OptimizerConfig, SimConfig, VTraceConfig
from trainer.errors import TrainerError
from trainer.learn import batch_of, losses_of, minibatches, ratios, targets
from trainer.memory import Lstm
from trainer.profiler import Timings
from trainer.ranks import Ranks
from trainer.rollout import collect
from trainer.stop import Stop, Stopped
from trainer.training import prepare

T, N, H = 7, 3, 5
LSTM = AgentConfig(type="lstm", hidden_size=32, hidden_layers=1)
PRIORITIZED = {"prioritized_experience_replay": {"prio_alpha": 0.6}}


@pytest.fixture
def lstm() -> Lstm:
    torch.manual_seed(0)
    return Lstm(H)


def remembering(config: Config) -> Config:
    config.agent = LSTM
    return config


def test_all_steps_at_once_are_one_after_the_other_with_resets(lstm: Lstm):
    """Exactly: the same outputs, and the same memory in the end."""
    inputs, first = torch.randn(T, N, H), torch.randn(N, lstm.state_size)
    done = torch.rand(T, N) < 0.3
    assert done.any()
    outputs, last = lstm(inputs.flatten(0, 1), first, done.flatten())
    state = first
    for t in range(T):
        output, state = lstm(inputs[t], state, None)
        assert torch.equal(outputs.view(T, N, H)[t], output)
        state = torch.where(done[t, :, None], 0.0, state)
    assert torch.equal(last, state)


def test_it_is_torchs(lstm: Lstm):
    """With the same weights, over a sequence without ends."""
    torchs = nn.LSTM(H, H)
    torchs.load_state_dict({f"{name}_l0": value for name, value in lstm.cell.state_dict().items()})
    inputs, first = torch.randn(T, N, H), torch.randn(N, lstm.state_size)
    outputs, last = lstm(inputs.flatten(0, 1), first, None)
    expected, state = torchs(inputs, tuple(part[None].contiguous() for part in first.chunk(2, -1)))
    torch.testing.assert_close(outputs.view(T, N, H), expected)
    torch.testing.assert_close(last, torch.cat(state, -1)[0])


def test_gradients_flow_back_to_the_beginning_of_an_episode_and_no_further(lstm: Lstm):
    inputs = torch.randn(T, 1, H, requires_grad=True)
    done = torch.arange(T) == 2
    outputs, _ = lstm(inputs.flatten(0, 1), torch.zeros(1, lstm.state_size), done)
    outputs[-1].sum().backward()
    assert [bool(grad.any()) for grad in inputs.grad] == [False] * 3 + [True] * 4


def test_agents_that_only_see_remember_nothing():
    policy = Policy(vector(7), 5, AgentConfig(hidden_size=8, hidden_layers=1))
    assert policy.initial_state(3).shape == (3, 0)


@pytest.mark.parametrize("replay", [{}, PRIORITIZED])
def test_what_is_learned_from_is_what_was_done(runs, replay):
    """Recomputed in minibatches, the values and log-probabilities are those of the rollout; over two rollouts of 16
    steps, with episodes of 20."""
    config = remembering(runs.config(**replay, vtrace=VTraceConfig(rho_clip=1.0, c_clip=1.0)))
    with ExitStack() as stack:
        run = prepare(config, Ranks(0, 1, torch.device("cpu")), Stop(), stack)
        for _ in range(2):
            memory = run.memory_NS.clone()
            rollout = collect(
                run.policy, run.environments, run.memory_NS, run.layout.steps, run.generator, run.stop, Timings()
            )
            assert rollout is not None
            assert torch.equal(rollout.first_state_NS, memory)
            batch = batch_of(run, rollout)
            torch.testing.assert_close(ratios(run, batch), torch.ones(256))
            for minibatch in minibatches(run, targets(run, rollout, batch, has_changed=False).advantage_TN, 0):
                losses = losses_of(run, batch, targets(run, rollout, batch, has_changed=False), minibatch, 0)
                assert losses["kl"].item() == pytest.approx(0, abs=1e-10)
        assert rollout.done_TN.any()
        assert rollout.first_state_NS.any()


def test_every_segment_comes_once(runs):
    with ExitStack() as stack:
        run = prepare(remembering(runs.config()), Ranks(0, 1, torch.device("cpu")), Stop(), stack)
        drawn = list(minibatches(run, torch.zeros(16, 16), 0))
    assert [len(minibatch.index_B) for minibatch in drawn] == [64] * 4
    segments = torch.cat([minibatch.index_B for minibatch in drawn]).view(-1, 16)
    assert sorted(segments[:, 0].tolist()) == list(range(16))
    assert (segments == segments[:, :1] + 16 * torch.arange(16)).all()


def test_the_value_after_a_cut_is_that_of_one_who_remembers(runs):
    """At the cut the episode's memory counts; after it there is none."""
    with ExitStack() as stack:
        run = prepare(remembering(runs.config()), Ranks(0, 1, torch.device("cpu")), Stop(), stack)
        rollout = collect(run.policy, run.environments, run.memory_NS, 20, run.generator, run.stop, Timings())
        assert rollout is not None
        assert rollout.done_TN[-1].all()
        assert not run.memory_NS.any()
        state = run.policy.initial_state(16)
        with torch.no_grad():
            for features in rollout.features_TNF:
                state = run.policy(features, state)[2]
            final = torch.from_numpy(run.environments.block.final_features)
            expected, forgetful = run.policy(final, state)[1], run.policy(final)[1]
    torch.testing.assert_close(rollout.next_value_TN[-1], expected)
    assert not torch.allclose(expected, forgetful)


@pytest.mark.parametrize("times", [25, 40, 60])
def test_a_stopped_run_remembers(runs, times: int):
    """It ends where an unbroken one does, bit for bit."""
    unbroken = runs.train(remembering(runs.config("unbroken")))
    with pytest.raises(Stopped):
        runs.train(remembering(runs.config("stopped")), stop=StopAfter(times))
    assert figures(runs.train(remembering(runs.config("stopped")))) == figures(unbroken)
    assert same(runs.policy("stopped"), runs.policy("unbroken"))


def test_what_agents_remember_is_in_the_checkpoint(runs):
    runs.train(remembering(runs.config(total_timesteps=256)))
    state = torch.load(runs.folder / "run" / "checkpoints" / "latest.pt", weights_only=True)
    (rank,) = state["ranks"]
    assert rank["memory"].shape == (16, 64)
    assert rank["memory"].any()


def test_a_teacher_that_remembers_is_refused(runs):
    runs.train(remembering(runs.config("teacher", total_timesteps=256)))
    kickstart = KickstartConfig(teacher_uri=str(runs.folder / "teacher" / "checkpoints"))
    with pytest.raises(TrainerError, match="remembers"):
        runs.train(runs.config(kickstart=kickstart))


@pytest.mark.parametrize(("kind", "can"), [("lstm", True), ("mlp", False)])
def test_only_one_that_remembers_learns_a_delayed_choice(runs, kind: str, can: bool):
    """Of 64 episodes, all; without a memory, half of them, give or take four standard deviations."""
    config = runs.config(
        curriculum=delayed_choice(), total_timesteps=16_384, batch_size=512, minibatch_size=256,
        optimizer=OptimizerConfig(learning_rate=0.01),
    )  # fmt: skip
    config.agent = AgentConfig(type=AgentType(kind), hidden_size=32, hidden_layers=1)
    config.sim = SimConfig(episodes=64)
    reward = runs.train(config)[-1]["metrics"]["eval/reward"]
    assert reward > 0.95 if can else reward < 0.75
