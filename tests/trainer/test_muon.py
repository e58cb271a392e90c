"""Optimizers: Muon does what torch's does, and takes what is meant for it."""

import numpy as np
import pytest
import torch

from trainer import optimizer
from trainer.agent import Policy
from trainer.config import AgentConfig, OptimizerConfig
from trainer.envs.spec import ObservationKind, ObservationSpec
from trainer.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(16, 16), (16, 40), (40, 16)])
def test_it_steps_like_torch(shape: tuple[int, int]):
    """But for torch's detour through bfloat16, worth about one percent of a step."""
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    steppers = (
        Muon([ours], lr=0.1, weight_decay=0.1),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        for stepper in steppers:
            stepper.step()
    assert (ours - theirs).abs().max() < 0.03 * (theirs - start).abs().max()


def test_an_orthogonalized_matrix_has_singular_values_near_one():
    values = torch.linalg.svdvals(orthogonalize(torch.diag(torch.tensor([1.0, 5.0, 9.0]))))
    assert ((values > 0.6) & (values < 1.3)).all()


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_every_parameter_is_stepped_and_the_state_comes_back(kind: str):
    seen = ObservationSpec(ObservationKind.features, (7,), np.uint8)
    policy = Policy(seen, 5, AgentConfig(hidden_size=8, hidden_layers=2))
    before = [p.clone() for p in policy.parameters()]
    made = optimizer.make(OptimizerConfig(type=kind, learning_rate=0.1), policy)
    for parameter in policy.parameters():
        parameter.grad = torch.randn_like(parameter)
    made.step()
    assert all((old != new).any() for old, new in zip(before, policy.parameters(), strict=True))
    again = optimizer.make(OptimizerConfig(type=kind, learning_rate=0.2), policy)
    again.load_state_dict(made.state_dict())
    assert all(group["lr"] == 0.2 for part in again._parts for group in part.param_groups)
