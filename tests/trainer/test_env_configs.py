"""Every curriculum in `configs/env` composes, and steps."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from composing import CURRICULA, composed

from trainer.config import CurriculumConfig, TaskKind
from trainer.errors import TrainerError
from trainer.vector import Environments

ARENA = "env/mettagrid/curriculum/arena"


def stepped(curriculum: CurriculumConfig, steps: int = 30) -> np.ndarray:
    with Environments(curriculum, count=2, seed=1) as environments:
        rng, seen = np.random.default_rng(0), []
        for _ in range(steps):
            environments.step(rng.integers(0, environments.spec.actions, environments.shape.rows))
            seen.append(environments.block.features.copy())
        return np.array(seen)


@pytest.mark.parametrize("name", CURRICULA)
def test_every_curriculum_composes_and_steps(tmp_path: Path, name: str):
    seen = stepped(composed(tmp_path, name).curriculum)
    assert (seen[0] != seen[-1]).any()


@pytest.mark.parametrize("sim", ["arena", "navigation"])
@pytest.mark.parametrize("name", [f"{ARENA}/small", f"{ARENA}/advanced", "env/mettagrid/curriculum/navigation/basic"])
def test_every_room_is_evaluated_in_every_sim(tmp_path: Path, name: str, sim: str):
    config = composed(tmp_path, name, sim=sim)
    for suite in config.sim.suites_of(config.curriculum).values():
        with Environments(suite, count=1, seed=1, trained=config.curriculum) as environments:
            assert environments.spec.observations.shape[0] > 0


@pytest.mark.parametrize(("name", "is_seen"), [("advanced", True), ("random", True), ("basic", False)])
def test_lasers_are_evaluated_where_a_policy_sees_them(tmp_path: Path, name: str, is_seen: bool):
    config = composed(tmp_path, f"{ARENA}/{name}", sim="arena_suites")
    suite = config.sim.suites_of(config.curriculum)["combat"]
    expected = nullcontext() if is_seen else pytest.raises(TrainerError, match="laser")
    with expected, Environments(suite, count=1, seed=1, trained=config.curriculum) as environments:
        assert environments.spec.agents == 24


def test_arenas_differ_as_their_names_say(tmp_path: Path):
    names = ("basic", "basic_easy_shaped", "combat", "advanced")
    basic, easy, combat, advanced = (composed(tmp_path, f"{ARENA}/{name}").curriculum for name in names)
    assert (easy.mines, easy.shaped_reward) == (2 * basic.mines, 2 * basic.shaped_reward)
    assert (basic.combat, combat.combat, combat.laseries) == (False, True, 1)
    assert (combat.temples, advanced.temples, advanced.combat) == (0, 1, True)


def test_a_curriculum_of_gymnasium_is_one_agent(tmp_path: Path):
    curriculum = composed(tmp_path, "env/gymnasium/cartpole").curriculum
    assert (curriculum.kind, curriculum.total_agents) == (TaskKind.gymnasium, 1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("curriculum.gymnasium_id=null", "a task of gymnasium has a gymnasium_id"),
        ("curriculum.agents=2", "one agent"),
        ("curriculum.walls=2", "walls would have no effect"),
        ("curriculum.observe=tokens", "observed as features"),
    ],
)
def test_a_wrong_task_of_gymnasium_says_why(tmp_path: Path, override: str, message: str):
    with pytest.raises(ValueError, match=message):
        composed(tmp_path, "env/gymnasium/cartpole", override)


def test_a_suite_of_another_kind_of_observation_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="observed in another way"):
        composed(tmp_path, f"{ARENA}/small", "+sim.suites.x={observe: tokens}")
