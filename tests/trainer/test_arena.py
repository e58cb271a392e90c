"""The environment: the same seed is the same world, however it is stepped and wherever it is resumed."""

from pathlib import Path

import numpy as np
import pytest

from trainer.config import CurriculumConfig
from trainer.envs.rooms import room
from trainer.envs.vocabulary import WINDOW, Vocabulary
from trainer.vector import Environments

ROOM = CurriculumConfig(agents=2, width=6, height=6, mines=2, generators=2, altars=2, max_steps=20)
KNOWN = Vocabulary.of([ROOM])


def wander(environments: Environments, steps: int, *, seed: int = 0) -> np.ndarray:
    """Act at random; gives all that was seen, earned and ended."""
    rng, block, seen = np.random.default_rng(seed), environments.block, []
    for _ in range(steps):
        environments.step(rng.integers(0, environments.spec.actions, environments.shape.rows))
        seen.append([*block.features.sum(1), *block.rewards, *block.dones, *np.nan_to_num(block.infos[:, 0])])
    return np.array(seen, dtype=float)


def test_the_same_seed_is_the_same_world():
    with Environments(ROOM, count=3, seed=1) as one, Environments(ROOM, count=3, seed=1) as other:
        assert (wander(one, 50) == wander(other, 50)).all()


def test_another_seed_is_another_world():
    with Environments(ROOM, count=3, seed=1) as one, Environments(ROOM, count=3, seed=2) as other:
        assert (one.block.features != other.block.features).any()


def test_environments_of_one_seed_differ():
    with Environments(ROOM, count=4, seed=1) as environments:
        first, *rest = environments.block.features.reshape(4, -1)
        assert all((first != other).any() for other in rest)


def test_a_slice_of_the_environments_is_the_same_slice():
    """So that a run on two processes sees the worlds that it would see on one."""
    with Environments(ROOM, count=4, seed=1) as all_four, Environments(ROOM, count=2, seed=1, first=2) as last:
        assert (all_four.block.features[4:] == last.block.features).all()


def test_worker_processes_do_what_this_process_does():
    with Environments(ROOM, count=3, seed=1) as here, Environments(ROOM, count=3, seed=1, workers=2) as there:
        assert (wander(here, 45) == wander(there, 45)).all()
        assert (here.state()["history"] == there.state()["history"]).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_restored_environment_goes_on_as_if_nothing_had_been(workers: int):
    with Environments(ROOM, count=3, seed=1) as original, Environments(ROOM, count=3, seed=1, workers=workers) as again:
        wander(original, 33)
        again.restore(original.state())
        assert (again.block.features == original.block.features).all()
        assert (wander(original, 30, seed=2) == wander(again, 30, seed=2)).all()


def test_episodes_end_on_time_and_the_next_begins():
    with Environments(ROOM, count=2, seed=1) as environments:
        seen = wander(environments, 40)
        dones = seen[:, 8:12]
        assert (np.flatnonzero(dones.all(1)) == [19, 39]).all()
        assert not dones[:19].any()
        assert environments.block.episodes.tolist() == [2, 2]


def test_hearts_are_unknown_before_an_episode_ends():
    with Environments(ROOM, count=2, seed=1) as environments:
        assert np.isnan(environments.block.infos).all()
        wander(environments, 20)
        assert not np.isnan(environments.block.infos).any()


def test_an_agent_sees_itself_in_the_middle():
    with Environments(ROOM, count=2, seed=1) as environments:
        middle = (WINDOW * WINDOW // 2) * len(KNOWN.kinds) + KNOWN.kinds.index("agent")
        assert environments.block.features.shape == (4, KNOWN.features)
        assert (environments.block.features[:, middle] == 1).all()


def test_a_heart_takes_ore_and_a_battery():
    """Mine, generator, altar: each pays once, and a second ore brings nothing to an agent that carries one."""
    config = room(ROOM, KNOWN).game
    handlers = {name: config.objects[name].on_use_handler for name in ("mine", "generator", "altar")}
    given = {name: handler.mutations[0].deltas for name, handler in handlers.items()}
    assert given == {"mine": {"ore": 1}, "generator": {"ore": -1, "battery": 1}, "altar": {"battery": -1, "heart": 1}}
    assert [len(handler.filters) for handler in handlers.values()] == [1, 2, 1]


def test_the_first_episode_is_kept_as_a_replay(tmp_path: Path):
    with Environments(ROOM, count=2, seed=1, replay=tmp_path / "first.json.z") as environments:
        wander(environments, 45)
    assert [path.name for path in tmp_path.iterdir()] == ["first.json.z"]


def test_a_replay_changes_nothing(tmp_path: Path):
    with (
        Environments(ROOM, count=2, seed=1, replay=tmp_path / "r.json.z") as one,
        Environments(ROOM, count=2, seed=1) as two,
    ):
        assert (wander(one, 45) == wander(two, 45)).all()


def test_a_dead_worker_is_reported():
    with Environments(ROOM, count=2, seed=1, workers=2) as environments:
        environments._workers[0]._process.kill()  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match="exit code -9"):
            wander(environments, 3)
