"""Features by the places of their ones: the products, gradients and updates of the features themselves."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from trainer import learn
from trainer.config import Precision
from trainer.learn import batch_of, for_learning, update_policy
from trainer.ones import Linear, Ones
from trainer.profiler import Timings
from trainer.ranks import Ranks
from trainer.rollout import collect
from trainer.stop import Stop
from trainer.training import prepare

CPU = torch.device("cpu")


def marks(rows: int, features: int, share: float = 0.1) -> torch.Tensor:
    torch.manual_seed(rows * features)
    return (torch.rand(rows, features) < share).to(torch.uint8)


def dense(ones: Ones) -> np.ndarray:
    found = np.zeros((len(ones), ones.features), np.uint8)
    found[np.repeat(np.arange(len(ones)), ones.counts), ones.columns] = 1
    return found


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("rows", "features"), [(1, 1), (7, 300), (64, 247), (300, 5)])
def test_ones_are_those_of_the_features_in_any_order_of_rows(rows: int, features: int, share: float):
    x = marks(rows, features, share)
    ones = Ones.of(x)
    index = torch.randint(rows, (2 * rows,))
    assert (dense(ones) == x.numpy()).all()
    assert (dense(ones[index]) == x[index].numpy()).all()
    assert (dense(ones[index].transposed()) == x[index].numpy().T).all()
    assert len(ones[index[:0]]) == 0


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_layer_and_its_gradients_are_those_of_a_dense_product(share: float):
    x = marks(50, 300, share)
    layer, other = Linear(300, 16), nn.Linear(300, 16)
    other.load_state_dict(layer.state_dict())
    weight = torch.randn(50, 16)
    here, there = layer(Ones.of(x)), other(x.float())
    torch.testing.assert_close(here, there)
    torch.autograd.backward((here * weight).sum() + (there * weight).sum())
    for ours, theirs in zip(layer.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_an_update_is_that_of_the_features_themselves(runs, monkeypatch, kind: str):
    """But for the order in which numbers are added. Of an agent that remembers too."""
    config = runs.config()
    config.agent = replace(config.agent, type=type(config.agent.type)(kind))
    changed = []
    for transform in (for_learning, lambda run, features_BF: features_BF):
        monkeypatch.setattr(learn, "for_learning", transform)
        with ExitStack() as stack:
            run = prepare(config, Ranks(0, 1, CPU), Stop(), stack)
            rollout = collect(
                run.policy, run.environments, run.memory_NS, run.layout.steps, run.generator, run.stop, Timings()
            )
            assert rollout is not None
            assert isinstance(batch_of(run, rollout).features_BF, Ones if transform is for_learning else torch.Tensor)
            before = {name: x.clone() for name, x in run.policy.state_dict().items()}
            update_policy(run, rollout, 0)
            changed.append({name: x - before[name] for name, x in run.policy.state_dict().items()})
    for name, change in changed[0].items():
        assert change.abs().max() > 0, name
        torch.testing.assert_close(change, changed[1][name], rtol=1e-2, atol=1e-4)


def test_half_precision_learns_from_the_features_themselves(runs):
    config = runs.config()
    config.trainer.precision = Precision.bfloat16
    with ExitStack() as stack:
        run = prepare(config, Ranks(0, 1, CPU), Stop(), stack)
        assert isinstance(for_learning(run, marks(4, 247)), torch.Tensor)
