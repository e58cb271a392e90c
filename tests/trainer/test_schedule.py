"""The learning rate over a run: what torch's schedulers give, stepped once an update."""

import pytest
import torch
from observing import vector
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, LRScheduler, SequentialLR

from trainer.agent import Policy
from trainer.config import AgentConfig, LRSchedulerConfig, OptimizerConfig
from trainer.optimizer import make
from trainer.schedule import lr_factor

SAMPLES, UPDATES, RATE = 100, 50, 0.02


def factors(config: LRSchedulerConfig) -> list[float]:
    steps = [update * SAMPLES for update in range(UPDATES)]
    return [lr_factor(config, step=step, samples=SAMPLES, total=UPDATES * SAMPLES) for step in steps]


def decay(kind: str, optimizer: torch.optim.Optimizer, updates: int, ratio: float) -> LRScheduler:
    match kind:
        case "linear":
            return LinearLR(optimizer, start_factor=1.0, end_factor=ratio, total_iters=updates)
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=updates, eta_min=RATE * ratio)
        case "exponential":
            return ExponentialLR(optimizer, gamma=ratio ** (1 / updates))
    return lr_scheduler.ConstantLR(optimizer, factor=1.0)


@pytest.mark.parametrize("warmup", [0, 1, 10])
@pytest.mark.parametrize(
    ("kind", "ratio"), [("constant", 0.0), ("linear", 0.0), ("linear", 0.1), ("cosine", 0.1), ("exponential", 0.01)]
)
def test_it_is_what_torch_gives(kind: str, ratio: float, warmup: int):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    parts, milestones = [decay(kind, optimizer, UPDATES - warmup, ratio)], []
    if warmup:
        parts.insert(0, LinearLR(optimizer, start_factor=1 / warmup, total_iters=max(1, warmup - 1)))
        milestones.append(warmup)
    scheduler = SequentialLR(optimizer, parts, milestones)
    expected = []
    for _ in range(UPDATES):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    config = LRSchedulerConfig(type=kind, warmup_steps=warmup * SAMPLES, min_lr_ratio=ratio)
    assert [RATE * factor for factor in factors(config)] == pytest.approx(expected)


def test_a_warmup_shorter_than_an_update_is_none():
    assert factors(LRSchedulerConfig(warmup_steps=SAMPLES // 2))[0] == 1.0


def test_a_run_that_goes_on_beyond_its_end_keeps_the_last_rate():
    config = LRSchedulerConfig(type="linear", min_lr_ratio=0.1)
    assert lr_factor(config, step=900, samples=100, total=500) == pytest.approx(0.1)


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_every_group_is_scaled_from_the_rate_of_the_config(kind: str):
    policy = Policy(vector(7), 5, AgentConfig(hidden_size=8, hidden_layers=2))
    optimizer = make(OptimizerConfig(type=kind, learning_rate=RATE), policy)
    for factor in (0.5, 0.1):
        optimizer.scale_learning_rates(factor)
        state = optimizer.state_dict()
        assert {group["lr"] for part in state for group in part["param_groups"]} == {factor * RATE}
