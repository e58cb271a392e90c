"""Attention to tokens: their order and empty ones do not matter, what they say does; and it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from composing import composed
from observing import vector

from trainer.agent import Policy
from trainer.config import AgentConfig, AgentType, CurriculumConfig, OptimizerConfig
from trainer.envs.spec import ObservationKind, ObservationSpec
from trainer.errors import TrainerError
from trainer.optimizer import make

ATTENTION = AgentConfig(type="attention", hidden_size=32, hidden_layers=2, heads=4)
TOKENS = ObservationSpec(ObservationKind.tokens, (9, 3), np.uint8)
GOALS = CurriculumConfig(kind="navigation", width=5, height=5, altars=4, max_steps=20, observe="tokens")


@pytest.fixture
def policy() -> Policy:
    torch.manual_seed(0)
    return Policy(TOKENS, 5, ATTENTION)


def some_tokens() -> torch.Tensor:
    """Five agents who see six tokens each; the other three are empty."""
    tokens = torch.randint(0, 200, (5, 9, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    tokens[:, 6:] = 255
    return tokens


def test_the_order_of_tokens_does_not_matter(policy: Policy):
    tokens = some_tokens()
    torch.testing.assert_close(policy(tokens)[1], policy(tokens.flip(1))[1])


def test_what_an_empty_token_says_does_not_matter(policy: Policy):
    tokens, others = some_tokens(), some_tokens()
    others[:, 6:, 1:] = 3
    torch.testing.assert_close(policy(tokens)[1], policy(others)[1])


@pytest.mark.parametrize("part", [0, 1, 2])
def test_what_a_token_says_matters(policy: Policy, part: int):
    tokens, others = some_tokens(), some_tokens()
    others[:, 2, part] += 1
    assert (policy(tokens)[1] - policy(others)[1]).abs().min() > 1e-5


def test_one_who_sees_nothing_has_finite_values_and_gradients(policy: Policy):
    logits, value, _ = policy(torch.full((2, 9, 3), 255, dtype=torch.uint8))
    torch.autograd.backward(logits.square().sum() + value.sum())
    assert logits.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in policy.parameters())


def test_muon_takes_the_matrices_of_its_layers(policy: Policy):
    assert len(policy.hidden_matrices) == 2 * ATTENTION.hidden_layers
    make(OptimizerConfig(type="muon"), policy)


def test_features_are_refused_at_the_start():
    with pytest.raises(TrainerError, match="reads tokens"):
        Policy(vector(7), 5, ATTENTION)


def test_features_are_refused_in_a_config(tmp_path: Path):
    with pytest.raises(ValueError, match=r"reads tokens: curriculum\.observe is features"):
        composed(tmp_path, "env/gymnasium/cartpole", "agent.type=attention")


def test_tokens_are_not(tmp_path: Path):
    """The options of `configs/agent` and `curriculum.observe` together."""
    arena = "env/mettagrid/curriculum/arena/small"
    config = composed(tmp_path, arena, "agent=attention", "curriculum.observe=tokens")
    assert (config.agent.type, config.agent.heads) == (AgentType.attention, 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"heads": 5}, "must divide"), ({"type": "mlp", "heads": 4}, "no effect")],
)
def test_heads_that_do_not_fit_are_refused(settings: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        AgentConfig.from_dict({**ATTENTION.to_dict(), **settings})


@pytest.mark.slow
def test_it_learns_to_go_to_a_heart(runs):
    """Half as many again as by wandering."""
    config = runs.config(
        curriculum=GOALS, total_timesteps=24_576, batch_size=1024, minibatch_size=512,
        optimizer=OptimizerConfig(learning_rate=2e-3),
    )  # fmt: skip
    config.agent, config.sim.episodes = ATTENTION, 64
    first, last = (line["metrics"]["eval/reward"] for line in runs.train(config) if "eval/reward" in line["metrics"])
    assert last > 1.5 * first
