"""Rollouts that are collected while the policy learns: by the policy of one update ago, and resumed bit for bit."""

from contextlib import ExitStack
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.trainer.test_keeping import StopAt
from tests.trainer.test_training import figures
from trainer import checkpoint, learn
from trainer.collector import open_collector
from trainer.config import AgentConfig, AgentType, Config, TrainerConfig, VTraceConfig
from trainer.learn import batch_of, ratios, update_policy
from trainer.profiler import Timings
from trainer.ranks import Ranks
from trainer.stop import Stop, Stopped
from trainer.training import Training, prepare

VTRACE = VTraceConfig(rho_clip=1.0, c_clip=1.0)


class StopBetweenUpdates(StopAt):
    """As a signal whose update ends in time."""

    is_overdue = False


def async_config(runs: Any, name: str = "run", **trainer: Any) -> Config:
    made: Config = runs.config(name, async_rollouts=True, vtrace=VTRACE, **trainer)
    return made


def prepared(config: Config, stack: ExitStack) -> Training:
    return prepare(config, Ranks(0, 1, torch.device("cpu")), Stop(), stack)


@pytest.mark.parametrize("kind", ["mlp", "lstm"])
def test_a_run_that_was_stopped_ends_where_another_does_bit_for_bit(runs, kind: str):
    """Policy, optimizer, episodes, random numbers, and who collects the next rollout."""
    names = ("whole", "parted")
    configs = [async_config(runs, name) for name in names]
    for config in configs:
        config.agent = AgentConfig(type=AgentType(kind), hidden_size=32, hidden_layers=1)
    runs.train(configs[0])
    with pytest.raises(Stopped):
        runs.train(configs[1], stop=StopBetweenUpdates(runs.folder / "parted" / "checkpoints", 512))
    runs.train(configs[1])
    whole, parted = (checkpoint.read(runs.folder / name / "checkpoints" / "latest.pt") for name in names)
    assert figures(runs.lines("whole")) == figures(runs.lines("parted"))
    for weights in (lambda state: state["policy"], lambda state: state["ranks"][0]["actor"]):
        assert all(torch.equal(weights(whole)[name], value) for name, value in weights(parted).items())
    assert any(not torch.equal(whole["policy"][name], old) for name, old in whole["ranks"][0]["actor"].items())


def test_the_actor_is_the_policy_of_one_update_ago(runs):
    with ExitStack() as stack:
        run = prepared(async_config(runs), stack)
        collector = open_collector(run, stack)
        first = collector.next(Timings())
        assert first is not None
        torch.testing.assert_close(ratios(run, batch_of(run, first)), torch.ones(256))
        before = {name: value.clone() for name, value in run.policy.state_dict().items()}
        collector.go_on()
        update_policy(run, first, 0)
        second = collector.next(Timings())
        assert second is not None
        assert all(torch.equal(run.actor.state_dict()[name], value) for name, value in before.items())
        assert float((ratios(run, batch_of(run, second)) - 1).abs().max()) > 1e-4


def test_every_epoch_learns_from_targets_that_v_trace_corrects_once(runs, monkeypatch: pytest.MonkeyPatch):
    asked: list[float] = []
    vtrace = learn.vtrace

    def noted(*experience: Any, **settings: float) -> Any:
        asked.append(float((experience[4] - 1).abs().max()))
        return vtrace(*experience, **settings)

    monkeypatch.setattr(learn, "vtrace", noted)
    with ExitStack() as stack:
        run = prepared(async_config(runs), stack)
        collector = open_collector(run, stack)
        for _ in range(2):
            rollout = collector.next(Timings())
            assert rollout is not None
            collector.go_on()
            update_policy(run, rollout, 0)
    assert len(asked) == 2
    assert asked[0] < 1e-5 < 1e-4 < asked[1]


def test_a_run_without_them_goes_on_from_one_with_them_and_the_other_way_round(runs):
    for first, second in ((True, False), (False, True)):
        name = f"from-{first}"
        runs.train(runs.config(name, total_timesteps=512, async_rollouts=first, vtrace=VTRACE))
        lines = runs.train(runs.config(name, async_rollouts=second, vtrace=VTRACE))
        assert lines[-1]["step"] == 1024


def test_a_failure_of_the_environments_ends_the_run(runs):
    with ExitStack() as stack:
        run = prepared(async_config(runs), stack)
        collector = open_collector(run, stack)
        collector.next(Timings())
        run.environments.block.actions[:] = 0
        for worker in run.environments._workers:
            worker._process.kill()
            worker._process.join(10)
        collector.go_on()
        with pytest.raises(RuntimeError, match="an environment worker died"):
            collector.next(Timings())


def test_they_need_v_trace():
    with pytest.raises(ValidationError, match=r"give vtrace.rho_clip and vtrace.c_clip"):
        TrainerConfig(async_rollouts=True, vtrace=VTraceConfig())
