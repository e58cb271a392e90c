"""Whole runs in this process: the same seed, the same run; interrupted, the same run; and it learns."""

import signal
from typing import Any

import pytest
import torch

from trainer import ppo, rollout
from trainer.config import (
    CurriculumConfig,
    InitialPolicyConfig,
    KickstartConfig,
    LRSchedulerConfig,
    OptimizerConfig,
    PrioritizedExperienceReplayConfig,
    TorchProfilerConfig,
    VTraceConfig,
)
from trainer.errors import TrainerError
from trainer.stop import Stop, Stopped

TIMING = ("sps", "time/env", "time/inference", "time/learn")
SMALL = CurriculumConfig(agents=4, width=12, height=12, mines=8, generators=5, altars=5, max_steps=200)


def figures(lines: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The metrics, but for those that tell of the clock."""
    return [{k: v for k, v in line["metrics"].items() if k not in TIMING} | {"step": line["step"]} for line in lines]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


class StopAfter(Stop):
    """Requests a stop when it is asked for the n-th time."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    @property
    def is_requested(self) -> bool:
        self._times -= 1
        if self._times == 0:
            self.on_signal(signal.SIGTERM)
        return super().is_requested


def test_a_run_begins_and_ends_with_an_evaluation(runs):
    lines = runs.train(runs.config(total_timesteps=1000))
    assert [line["step"] for line in lines] == [0, 256, 512, 768, 1024, 1024]
    assert all(line["total_steps"] == 1024 for line in lines)
    assert [i for i, line in enumerate(lines) if "eval/hearts" in line["metrics"]] == [0, 5]
    assert set(lines[4]["metrics"]) == {
        "reward", "hearts", "loss", "policy_loss", "value_loss", "entropy", "kl", "clipped", "learning_rate", *TIMING,
    }  # fmt: skip


def test_evaluations_come_at_their_interval_with_replays(runs):
    config = runs.config()
    config.trainer.simulation.evaluate_interval = 500
    lines = runs.train(config)
    assert [line["step"] for line in lines if "eval/hearts" in line["metrics"]] == [0, 512, 1024]
    replays = sorted(path.name for path in (runs.folder / "run" / "replays").iterdir())
    assert replays == [f"step_{step:012d}.json.z" for step in (0, 512, 1024)]


def test_the_same_seed_is_the_same_run(runs):
    first, second = (runs.train(runs.config(name)) for name in ("a", "b"))
    assert figures(first) == figures(second)
    assert same(runs.policy("a"), runs.policy("b"))


def test_another_seed_is_another_run(runs):
    first, second = (runs.train(runs.config(f"seed{seed}", seed=seed)) for seed in (0, 1))
    assert figures(first) != figures(second)


@pytest.mark.parametrize("times", [3, 25, 40, 60])
@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_a_stopped_run_ends_where_an_unbroken_one_does(runs, times: int, kind: str):
    """Stopped in the first evaluation, in a rollout, in the middle of an episode: bit for bit."""
    optimizer = OptimizerConfig(type=kind)
    unbroken = runs.train(runs.config("unbroken", optimizer=optimizer))
    with pytest.raises(Stopped) as stopped:
        runs.train(runs.config("stopped", optimizer=optimizer), stop=StopAfter(times))
    assert stopped.value.exit_code == 143
    assert figures(runs.train(runs.config("stopped", optimizer=optimizer))) == figures(unbroken)
    assert same(runs.policy("stopped"), runs.policy("unbroken"))


LEARNERS: dict[str, dict[str, Any]] = {
    "schedule": {"lr_scheduler": LRSchedulerConfig(type="cosine", warmup_steps=512, min_lr_ratio=0.1)},
    "vtrace": {"vtrace": VTraceConfig(rho_clip=1.0, c_clip=1.0)},
    "prioritized": {"prioritized_experience_replay": PrioritizedExperienceReplayConfig(prio_alpha=0.8)},
    "bfloat16": {"precision": "bfloat16"},
    "deterministic": {"torch_deterministic": True},
}
"""What may be added to PPO; the last changes nothing on a CPU."""


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_resumed_run_ends_the_same_whatever_it_learns_by(runs, learner: str):
    """With a teacher too, whose weight is on its way down."""
    runs.train(runs.config("teacher", total_timesteps=256, seed=5))
    kickstart = KickstartConfig(teacher_uri=str(runs.folder / "teacher" / "checkpoints"), kickstart_steps=900)
    settings = {**LEARNERS[learner], "kickstart": kickstart}
    unbroken = runs.train(runs.config("unbroken", **settings))
    with pytest.raises(Stopped):
        runs.train(runs.config("stopped", **settings), stop=StopAfter(50))
    assert figures(runs.train(runs.config("stopped", **settings))) == figures(unbroken)
    assert same(runs.policy("stopped"), runs.policy("unbroken"))


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_added_to_ppo_has_an_effect(runs, learner: str):
    """But for determinism, which a CPU has anyway."""
    for name, settings in (("plain", {}), (learner, LEARNERS[learner])):
        runs.train(runs.config(name, optimizer=OptimizerConfig(learning_rate=0.01), **settings))
    assert same(runs.policy("plain"), runs.policy(learner)) is (learner == "deterministic")


def test_the_learning_rate_is_logged_as_it_was_used(runs):
    """A warm-up of two updates, then linearly down over two."""
    config = runs.config(
        lr_scheduler=LRSchedulerConfig(type="linear", warmup_steps=512), optimizer=OptimizerConfig(learning_rate=0.01)
    )
    rates = [line["metrics"]["learning_rate"] for line in runs.train(config) if "loss" in line["metrics"]]
    assert rates == pytest.approx([0.005, 0.01, 0.01, 0.005])


def test_a_killed_run_goes_on_from_its_last_checkpoint(runs, monkeypatch):
    unbroken = runs.train(runs.config("unbroken"))
    act = rollout.act
    calls = iter(range(10**6))

    def die_at_last(*arguments: Any) -> Any:
        if next(calls) == 55:  # after the checkpoint at 512, before the one at 1024
            raise MemoryError
        return act(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rollout, "act", die_at_last)
        with pytest.raises(MemoryError):
            runs.train(runs.config("killed"))
    assert [line["step"] for line in runs.lines("killed")] == [0, 256, 512, 768]
    assert figures(runs.train(runs.config("killed"))) == figures(unbroken)
    assert same(runs.policy("killed"), runs.policy("unbroken"))


def test_after_another_number_of_processes_the_run_goes_on_with_new_episodes(runs, capsys):
    runs.train(runs.config())
    latest = runs.folder / "run" / "checkpoints" / "latest.pt"
    state = torch.load(latest, weights_only=True)
    torch.save(state | {"ranks": state["ranks"] * 2}, latest)
    assert runs.train(runs.config(total_timesteps=1280))[-1]["step"] == 1280
    assert "2 processes before, 1 now" in capsys.readouterr().out


def test_a_finished_run_is_not_run_again(runs):
    lines = runs.train(runs.config())
    assert runs.train(runs.config()) == lines


def test_time_in_training_adds_up_over_resumes(runs):
    with pytest.raises(Stopped):
        runs.train(runs.config(), stop=StopAfter(40))
    before = runs.lines("run")[-1]["elapsed"]
    after = runs.train(runs.config())
    assert [line["elapsed"] for line in after] == sorted(line["elapsed"] for line in after)
    assert after[-1]["elapsed"] > before


def test_a_run_may_start_from_another_ones_policy(runs):
    runs.train(runs.config("base"))
    base = InitialPolicyConfig(uri=str(runs.folder / "base" / "checkpoints"))
    lines = runs.train(runs.config("tuned", initial_policy=base))
    end_of_base = runs.lines("base")[-1]["metrics"]
    assert lines[0]["metrics"] == end_of_base  # judged in the same episodes


def test_a_policy_of_another_size_is_refused(runs):
    runs.train(runs.config("base"))
    other = runs.config("tuned", initial_policy=InitialPolicyConfig(uri=str(runs.folder / "base" / "checkpoints")))
    other.agent.hidden_size = 16
    with pytest.raises(TrainerError, match="does not fit"):
        runs.train(other)


def test_a_loss_that_is_not_finite_ends_the_run(runs, monkeypatch):
    def lost(logprob_B: torch.Tensor, *_: Any, **__: Any) -> ppo.Graded:
        return ppo.Graded(torch.tensor(float("nan")), torch.zeros_like(logprob_B))

    monkeypatch.setattr("trainer.ppo.policy_loss", lost)
    with pytest.raises(TrainerError, match="learning_rate"):
        runs.train(runs.config())


def test_updates_are_traced_when_asked(runs):
    """The first, if the config only says where to; else every so many."""
    for name, interval, traced in (("one", 0, ["update_000000"]), ("more", 3, ["update_000000", "update_000003"])):
        traces = runs.folder / f"traces-{name}"
        runs.train(runs.config(name, profiler=TorchProfilerConfig(profile_dir=str(traces), interval_epochs=interval)))
        assert sorted(path.name.partition(".")[0] for path in traces.iterdir()) == traced


def test_nothing_is_traced_unasked(runs):
    runs.train(runs.config(total_timesteps=256))
    assert {path.name for path in (runs.folder / "run").iterdir()} == {"metrics.jsonl", "checkpoints", "replays"}


def test_each_update_says_where_its_time_went(runs):
    updates = [line["metrics"] for line in runs.train(runs.config()) if "loss" in line["metrics"]]
    for metrics in updates:
        shares = [metrics[name] for name in TIMING if name.startswith("time/")]
        assert all(share > 0 for share in shares)
        assert sum(shares) <= 1


def test_agents_that_do_not_divide_a_batch_still_train(runs):
    three = CurriculumConfig(agents=3, width=6, height=6, mines=1, generators=1, altars=1, max_steps=20)
    lines = runs.train(runs.config(curriculum=three, total_timesteps=600))
    assert lines[-1]["step"] == lines[-1]["total_steps"] == 3 * 5 * 3 * 18  # updates of 5 environments, 18 steps


@pytest.mark.slow
def test_it_learns(runs):
    """In few samples of arena/small it comes to earn well more than by wandering; hearts take more samples."""
    config = runs.config(
        curriculum=SMALL, total_timesteps=120_000, batch_size=8192, minibatch_size=2048, horizon=32,
        optimizer=OptimizerConfig(learning_rate=1e-3),
    )  # fmt: skip
    config.agent.hidden_size = 128
    first, last = (line["metrics"] for line in runs.train(config) if "eval/hearts" in line["metrics"])
    assert first["eval/hearts"] < 1.5
    assert last["eval/reward"] > 1.6 * first["eval/reward"]
