"""Two processes train the policy that one would train on the samples of both."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
import torch
from torch import Tensor

from tests.trainer.conftest import ROOT, Runs
from tests.trainer.sharing import sharing
from tests.trainer.test_training import figures
from trainer.ranks import Ranks
from trainer.stop import Stop
from trainer.training import prepare

NAMES = ("alone", "together")
TOGETHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def trained(runs: Runs, name: str, kind: str, *launcher: str) -> dict[str, Tensor]:
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "tests.trainer.sharing", str(runs.folder), name, kind],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return runs.policy(name)


def initial(runs: Runs, kind: str) -> dict[str, Tensor]:
    """The weights before training."""
    with ExitStack() as stack:
        config = sharing(runs.folder, "initial", kind)
        return prepare(config, Ranks(0, 1, torch.device("cpu")), Stop(), stack).policy.state_dict()


def furthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest difference of any weight."""
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_two_processes_train_what_one_trains_on_the_samples_of_both(runs, kind: str):
    """Six updates of four epochs: the same rewards, exactly, and weights that differ by rounding alone.

    The mean over 256 samples and the mean of two means over 128 add the same numbers in another order: in float32,
    gradients differ by some 1e-7 of their size, and by Adam's division steps of 3e-4 do too. That is 1e-9 in 24 steps,
    besides the rounding of the weights themselves (3e-8). The weights move by more than 1e-3, a thousand times as far
    as they may differ here.
    """
    alone, together = trained(runs, "alone", kind), trained(runs, "together", kind, *TOGETHER)
    assert furthest(alone, together) < 1e-6
    assert furthest(alone, initial(runs, kind)) > 1e-3
    rewards = [[line["reward"] for line in figures(runs.lines(name)) if "reward" in line] for name in NAMES]
    assert rewards[0] == rewards[1]
    assert sum(rewards[0]) > 0
