"""A teacher: the policy comes near to it while it counts, and it counts less and less."""

from typing import Any

import pytest
import torch
from observing import vector

from trainer.agent import Policy
from trainer.config import KickstartConfig, OptimizerConfig
from trainer.errors import TrainerError
from trainer.schedule import linear_fade

DECISIVE = 3.0  # how much more a teacher's favourite action weighs


@pytest.fixture
def teacher(runs) -> str:
    """The checkpoint of a small policy that mostly does action 2."""
    config = runs.config("teacher", total_timesteps=256)
    config.agent.hidden_size = 8
    runs.train(config)
    latest = runs.folder / "teacher" / "checkpoints" / "latest.pt"
    state = torch.load(latest, weights_only=True)
    state["policy"]["action_head.bias"][2] += DECISIVE
    torch.save(state, latest)
    return str(latest.parent)


def kl(lines: list[dict[str, Any]]) -> list[float]:
    return [line["metrics"]["teacher_kl"] for line in lines if "teacher_kl" in line["metrics"]]


def test_the_policy_comes_near_to_its_teacher(runs, teacher: str):
    """Whose network has another size."""
    kickstart = KickstartConfig(teacher_uri=teacher, action_loss_coef=5.0)
    divergences = kl(runs.train(runs.config(kickstart=kickstart, optimizer=OptimizerConfig(learning_rate=0.01))))
    assert len(divergences) == 4
    assert divergences[-1] < 0.2 * divergences[0]


def test_a_run_without_a_teacher_says_nothing_of_one(runs):
    assert kl(runs.train(runs.config())) == []


def test_the_teacher_is_in_the_loss_by_its_weight(runs, teacher: str):
    """In the first update the weight is whole: the loss of each arm is that of PPO and the weighted KL."""
    for coef in (0.5, 2.0):
        kickstart = KickstartConfig(teacher_uri=teacher, action_loss_coef=coef)
        settings = {"kickstart": kickstart, "minibatch_size": 256}
        config = runs.config(f"coef{coef}", total_timesteps=256, **settings)
        config.trainer.ppo.update_epochs = 1
        first = next(line["metrics"] for line in runs.train(config) if "loss" in line["metrics"])
        ppo = config.trainer.ppo
        own = first["policy_loss"] + ppo.vf_coef * first["value_loss"] - ppo.ent_coef * first["entropy"]
        assert first["loss"] == pytest.approx(own + coef * first["teacher_kl"], rel=1e-4)


def test_the_weight_fades_linearly_to_nothing():
    assert [linear_fade(step, 400) for step in (0, 100, 400, 500)] == [1.0, 0.75, 0.0, 0.0]


def test_a_resumed_run_needs_no_teacher_that_counts_no_more(runs, teacher: str):
    """It learned from it in the first 512 samples; then the file may go."""
    kickstart = KickstartConfig(teacher_uri=teacher, kickstart_steps=512)
    lines = runs.train(runs.config(kickstart=kickstart, total_timesteps=512))
    assert len(kl(lines)) == 2
    gone = KickstartConfig(teacher_uri="/nowhere", kickstart_steps=512)
    assert len(kl(runs.train(runs.config(kickstart=gone)))) == 2


def test_a_teacher_of_another_environment_is_refused(runs, teacher: str):
    latest = f"{teacher}/latest.pt"
    state = torch.load(latest, weights_only=True)
    state["policy"] = Policy(vector(7), 5, runs.config().agent).state_dict()
    torch.save(state, latest)
    with pytest.raises(TrainerError, match="another environment"):
        runs.train(runs.config(kickstart=KickstartConfig(teacher_uri=teacher)))
