"""One update: that it does not wait for the device, and that V-trace sees how far the policy has moved."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.config import Config, VTraceConfig
from trainer.learn import batch_of, ratios, targets, update_policy
from trainer.optimizer import Optimizers
from trainer.profiler import Timings
from trainer.ranks import Ranks
from trainer.rollout import Rollout, collect
from trainer.stop import Stop
from trainer.training import Training, prepare


class Reads(TorchDispatchMode):
    """Counts how often a number is read from a tensor, for which a GPU would have to finish first."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.fixture
def prepared() -> Iterator[Any]:
    """The parts of a run and its first rollout."""
    with ExitStack() as stack:

        def make(config: Config) -> tuple[Training, Rollout]:
            run = prepare(config, Ranks(0, 1, torch.device("cpu")), Stop(), stack)
            rollout = collect(
                run.policy, run.environments, run.memory_NS, run.layout.steps, run.generator, run.stop, Timings()
            )
            assert rollout is not None
            return run, rollout

        yield make


@pytest.mark.parametrize("epochs", [1, 5])
def test_an_update_reads_no_number_before_its_end(runs, prepared, epochs: int):
    """With plain gradient descent: torch's Adam reads its own count of steps, which is on the CPU."""
    config = runs.config()
    config.trainer.ppo.update_epochs = epochs
    run, rollout = prepared(config)
    run = replace(run, optimizer=Optimizers(torch.optim.SGD(run.policy.parameters(), lr=0.1)))
    with Reads() as reads:
        update_policy(run, rollout, 0)
    assert reads.count == 0


def test_reads_are_counted():
    with Reads() as reads:
        float(torch.ones(1))
    assert reads.count == 1


def test_ratios_are_1_until_the_policy_moves(runs, prepared):
    run, rollout = prepared(runs.config(vtrace=VTraceConfig(rho_clip=1.0, c_clip=1.0)))
    batch = batch_of(run, rollout)
    torch.testing.assert_close(ratios(run, batch), torch.ones(256))
    before = targets(run, rollout, batch, has_changed=True)
    with torch.no_grad():
        run.policy.action_head.bias[0] += 2.0
    expected = torch.where(batch.action_B == 0, ratios(run, batch) > 1, ratios(run, batch) < 1)
    assert expected.all()
    assert not torch.allclose(targets(run, rollout, batch, has_changed=True).return_TN, before.return_TN)
    torch.testing.assert_close(targets(run, rollout, batch, has_changed=False).return_TN, before.return_TN)
