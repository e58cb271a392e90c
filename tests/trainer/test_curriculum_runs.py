"""Runs on several tasks: the same draws wherever they are made, also after a run was interrupted."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.trainer.test_training import StopAfter, figures, same
from trainer.config import BucketConfig, CurriculumConfig, DrawConfig
from trainer.errors import TrainerError
from trainer.stop import Stopped
from trainer.vector import Environments

RULES = ("random", "progressive", "learning_progress")


def several(**draw: Any) -> CurriculumConfig:
    """Tasks that differ in size, in walls, and in one number that every episode draws for itself."""
    return CurriculumConfig(
        agents=2, width=8, height=8, mines=2, generators=2, altars=2, max_steps=9,
        tasks={"small": {}, "large": {"width": 12, "max_steps": 14}},
        buckets={"walls": BucketConfig(range=(0, 8), bins=2)},
        draw=DrawConfig(**{"success": 0.5, "episodes": 2, "threshold": 0.3, "timescale": 0.3, **draw}),
    )  # fmt: skip


def wander(environments: Environments, steps: int, *, seed: int = 0) -> np.ndarray:
    rng, block, seen = np.random.default_rng(seed), environments.block, []
    for _ in range(steps):
        environments.step(rng.integers(0, environments.spec.actions, environments.shape.rows))
        seen.append([*block.tasks, *block.features.sum(1), *block.rewards, *block.dones])
    return np.array(seen, dtype=float)


def test_draws_are_a_function_of_seed_environment_and_episode():
    with Environments(several(), count=6, seed=1) as one, Environments(several(), count=6, seed=1) as other:
        assert (wander(one, 40) == wander(other, 40)).all()
        drawn = one.block.tasks.tolist()
    with Environments(several(), count=3, seed=1, first=3) as last:
        wander(last, 40)
        assert len(set(drawn)) > 1
        assert last.block.episodes.min() >= 2
    with Environments(several(), count=6, seed=2) as another:
        assert another.block.tasks.tolist() != drawn


def test_a_slice_of_the_environments_draws_the_same_tasks():
    with Environments(several(), count=6, seed=1) as all_six, Environments(several(), count=3, seed=1, first=3) as last:
        assert all_six.block.tasks[3:].tolist() == last.block.tasks.tolist()
        assert (all_six.block.features[6:] == last.block.features).all()


def test_worker_processes_draw_what_this_process_draws():
    with Environments(several(), count=5, seed=1) as here, Environments(several(), count=5, seed=1, workers=2) as there:
        assert (wander(here, 40) == wander(there, 40)).all()
        for environments in (here, there):
            environments.block.weights[:] = [0, 0, 0, 1]
        assert (wander(here, 30) == wander(there, 30)).all()
        assert set(there.block.tasks.tolist()) == {3}
        assert (here.take_results() == there.take_results()).all()
        assert there.take_results().sum() == 0


def test_tasks_are_drawn_as_often_as_their_weights_say():
    with Environments(several(weights={"small,walls=0-4": 5.0}), count=400, seed=3) as environments:
        share = (environments.block.tasks == 0).mean()
        assert share == pytest.approx(5 / 8, abs=0.06)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_restored_environment_is_in_the_task_that_it_was_in(workers: int):
    """Also if other tasks would be drawn by now."""
    with (
        Environments(several(), count=5, seed=1) as original,
        Environments(several(), count=5, seed=1, workers=workers) as again,
    ):
        wander(original, 33)
        for environments in (original, again):
            environments.block.weights[:] = [0, 1, 0, 0]
        again.restore(original.state())
        assert (again.block.features == original.block.features).all()
        assert (wander(original, 30, seed=2) == wander(again, 30, seed=2)).all()


@pytest.mark.parametrize("rule", RULES)
def test_a_stopped_run_ends_where_an_unbroken_one_does(runs, rule: str):
    """Bit for bit, with the same tasks drawn."""
    curriculum = several(rule=rule)
    unbroken = runs.train(runs.config("unbroken", curriculum=curriculum, total_timesteps=2048))
    with pytest.raises(Stopped):
        runs.train(runs.config("stopped", curriculum=curriculum, total_timesteps=2048), stop=StopAfter(70))
    resumed = runs.train(runs.config("stopped", curriculum=curriculum, total_timesteps=2048))
    assert figures(resumed) == figures(unbroken)
    assert same(runs.policy("stopped"), runs.policy("unbroken"))


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_the_number_of_workers_changes_nothing(runs, rule: str):
    one, two = (
        runs.train(runs.config(f"w{workers}", curriculum=several(rule=rule), num_workers=workers)) for workers in (1, 2)
    )
    assert figures(one) == figures(two)
    assert same(runs.policy("w1"), runs.policy("w2"))


def test_every_task_has_metrics(runs):
    lines = [line["metrics"] for line in runs.train(runs.config(curriculum=several(), total_timesteps=2048))]
    tasks = [task.name for task in several().expanded()]
    last = lines[-2]
    assert [last[f"curriculum/{task}/weight"] for task in tasks] == [0.25] * 4
    shares = [line.get(f"curriculum/{task}/share", 0.0) for line in lines for task in tasks]
    assert all(sum(shares[i : i + 4]) in (0, pytest.approx(1)) for i in range(0, len(shares), 4))
    assert any(f"curriculum/{tasks[0]}/return" in line for line in lines)
    assert all(0 <= line.get(f"curriculum/{tasks[0]}/score", 0) <= 1 for line in lines)


def test_one_task_has_no_metrics_of_its_own(runs):
    assert not any("curriculum" in name for line in runs.train(runs.config()) for name in line["metrics"])


def test_a_progressive_run_goes_from_task_to_task(runs):
    lines = runs.train(runs.config(curriculum=several(rule="progressive", threshold=0.0), total_timesteps=4096))
    names = [f"curriculum/{task.name}/weight" for task in several().expanded()]
    begun = [[name for name in names if line["metrics"].get(name)] for line in lines[1:-1]]
    assert [len(each) for each in begun] == sorted(len(each) for each in begun)
    assert (len(begun[0]), len(begun[-1])) == (2, 4)


def test_a_score_that_is_not_measured_is_refused(runs):
    with pytest.raises(TrainerError, match=r"draw\.score is coins; use one of return, hearts"):
        runs.train(runs.config(curriculum=several(score="coins")))


def test_the_state_of_the_curriculum_is_in_the_checkpoint(runs):
    runs.train(runs.config(curriculum=several(rule="learning_progress")))
    state = torch.load(runs.folder / "run" / "checkpoints" / "latest.pt", weights_only=True)["curriculum"]
    assert sum(state["episodes_K"]) > 10
    assert len(state["score_K"]) == 4


def test_a_run_can_be_on_tokens(runs):
    """A policy reads mettagrid's tokens through an encoder of its own."""
    curriculum = several().from_dict(several().to_dict() | {"observe": "tokens"})
    unbroken = runs.train(runs.config("unbroken", curriculum=curriculum))
    assert any(name.startswith("encoder.") for name in runs.policy("unbroken"))
    assert unbroken[-1]["step"] == 1024
