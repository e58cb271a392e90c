"""Gymnasium's environments behind the trainer's interface: ends, what was seen last, restoring, and learning."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from composing import composed

from trainer.config import CurriculumConfig
from trainer.envs.spec import ObservationKind
from trainer.errors import TrainerError
from trainer.vector import Environments

RIGHT = 1


def task(name: str = "CartPole-v1", max_steps: int = 500, **rest: Any) -> CurriculumConfig:
    return CurriculumConfig(kind="gymnasium", gymnasium_id=name, max_steps=max_steps, **rest)


def act(environments: Environments, steps: int, *, seed: int = 0) -> np.ndarray:
    """Act at random; gives all that was seen, earned and ended."""
    rng, block, seen = np.random.default_rng(seed), environments.block, []
    for _ in range(steps):
        environments.step(rng.integers(0, environments.spec.actions, environments.shape.rows))
        seen.append([*block.features.ravel(), *block.rewards, *block.terminals, *block.truncated, *block.episodes])
    return np.array(seen)


def test_the_spec_is_that_of_its_spaces():
    with Environments(task(), count=2, seed=1) as environments:
        spec = environments.spec
        assert (spec.agents, spec.actions, spec.infos) == (1, 2, ())
        assert (spec.observations.kind, spec.observations.shape) == (ObservationKind.features, (4,))
        assert environments.block.features.dtype == np.float32


def test_it_steps_as_gymnasium_does():
    """The same seed and the same actions lead to the same states."""
    with Environments(task(), count=1, seed=5) as environments:
        seed = int(np.random.SeedSequence((5, 0, 0)).generate_state(1)[0]) >> 1
        own = gymnasium.make("CartPole-v1")
        first, _ = own.reset(seed=seed)
        assert (environments.block.features[0] == first).all()
        for _ in range(5):
            environments.step(np.array([RIGHT]))
            assert (environments.block.features[0] == own.step(RIGHT)[0]).all()


def test_a_fallen_pole_is_a_terminal_and_the_next_episode_begins():
    with Environments(task(), count=2, seed=1) as environments:
        block, steps = environments.block, 0
        while not block.dones.any():
            environments.step(np.array([RIGHT, RIGHT]))
            steps += 1
        ended = int(block.dones.argmax())
        assert (block.terminals[ended], block.truncated[ended]) == (True, False)
        assert block.returns[ended] == steps
        assert np.abs(block.final_features[ended, 2]) > 0.2  # radians: it has fallen
        assert np.abs(block.features[ended]).max() <= 0.05  # and stands again


def test_an_episode_that_reaches_its_last_step_is_cut_off():
    with Environments(task(max_steps=3), count=2, seed=1) as environments:
        for _ in range(3):
            environments.step(np.array([0, RIGHT]))
        block = environments.block
        assert block.truncated.all()
        assert not block.terminals.any()
        assert (block.returns == 3).all()
        assert (block.final_features != block.features).all()


def test_the_time_limit_of_gymnasium_does_not_apply():
    """MountainCar-v0 ends after 200 steps there."""
    with Environments(task("MountainCar-v0", 230), count=1, seed=1) as environments:
        for _ in range(229):
            environments.step(np.array([0]))
            assert not environments.block.dones.any()
        environments.step(np.array([0]))
        assert environments.block.truncated.all()


def test_worker_processes_do_what_this_process_does():
    with Environments(task(), count=3, seed=1) as here, Environments(task(), count=3, seed=1, workers=2) as there:
        assert (act(here, 60) == act(there, 60)).all()


@pytest.mark.parametrize("steps", [1, 33, 60])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_restored_environment_goes_on_as_if_nothing_had_been(workers: int, steps: int):
    """Also where episodes have different numbers of steps behind them, or none."""
    with (
        Environments(task(), count=5, seed=1) as original,
        Environments(task(), count=5, seed=1, workers=workers) as again,
    ):
        act(original, steps)
        again.restore(original.state())
        assert (again.block.features == original.block.features).all()
        assert (act(original, 40, seed=2) == act(again, 40, seed=2)).all()
        np.testing.assert_array_equal(again.block.returns, original.block.returns)


def test_discrete_observations_become_features():
    with Environments(task("FrozenLake-v1", 20), count=2, seed=1) as environments:
        assert environments.block.features.shape == (2, 16)
        assert (environments.block.features.sum(1) == 1).all()


@pytest.mark.parametrize(("name", "message"), [("Pendulum-v1", "one of several actions"), ("Nothing-v0", "Nothing")])
def test_what_cannot_be_trained_on_is_refused(name: str, message: str):
    with pytest.raises(TrainerError, match=message):
        Environments(task(name), count=1, seed=0)


def test_a_run_has_no_replays_where_there_are_none(runs):
    lines = runs.train(runs.config(curriculum=task(max_steps=30), total_timesteps=512))
    assert set(lines[0]["metrics"]) == {"eval/reward"}
    assert "hearts" not in lines[2]["metrics"]
    assert lines[2]["metrics"]["reward"] > 8  # steps, and not the rate of 1 a step
    assert not list((runs.folder / "run" / "replays").iterdir())


@pytest.mark.slow
def test_it_learns_to_balance_a_pole(runs):
    """The return of 16 episodes of CartPole-v1, of 500 at most, after 51,200 samples."""
    config = composed(
        runs.folder, "env/gymnasium/cartpole", f"data_dir={runs.folder}", "trainer.simulation.evaluate_interval=10000",
        trainer="classic",
    )  # fmt: skip
    returns = [line["metrics"]["eval/reward"] for line in runs.train(config) if "eval/reward" in line["metrics"]]
    assert returns[0] < 50
    assert returns[-1] >= 450
