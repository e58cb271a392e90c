"""How samples are divided: the totals are the config's, on any number of ranks."""

import pytest

from trainer.config import TrainerConfig
from trainer.layout import Layout


def test_environments_fill_a_batch_exactly_where_they_can():
    layout = Layout.of(TrainerConfig(batch_size=8192, minibatch_size=2048, horizon=64), agents=4, world=1)
    assert layout == Layout(environments=32, steps=64, samples=8192, batch=8192, minibatch=2048)


def test_two_ranks_share_what_one_would_do():
    layout = Layout.of(TrainerConfig(batch_size=8192, minibatch_size=2048, horizon=64), agents=4, world=2)
    assert layout == Layout(environments=16, steps=64, samples=8192, batch=4096, minibatch=1024)


@pytest.mark.parametrize("agents", [1, 4, 24, 1000, 100_000])
@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("batch", "minibatch"), [(8192, 256), (256, 256), (1000, 10)])
def test_there_are_always_samples_for_every_minibatch(agents: int, world: int, batch: int, minibatch: int):
    layout = Layout.of(TrainerConfig(batch_size=batch, minibatch_size=minibatch), agents=agents, world=world)
    assert layout.samples >= batch
    assert layout.environments * layout.steps * agents >= layout.batch
    assert layout.batch == layout.minibatch * (batch // minibatch)


def test_a_run_ends_after_whole_updates():
    layout = Layout.of(TrainerConfig(batch_size=100, minibatch_size=50, horizon=10), agents=5, world=1)
    assert layout.total(950, done=0) == 1000
    assert layout.total(950, done=900) == 1000
    assert layout.total(950, done=1000) == 1000
