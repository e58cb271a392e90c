"""What mettagrid's rooms do: goals that vanish, attacks, and what the tasks of a curriculum have in common."""

import numpy as np
import pytest
from mettagrid.map_builder.ascii import AsciiMapBuilder
from mettagrid.simulator.simulator import Simulation
from mettagrid.types import Action

from trainer.config import CurriculumConfig, Observe
from trainer.envs.rooms import room
from trainer.envs.vocabulary import Vocabulary
from trainer.errors import TrainerError
from trainer.vector import Environments

GOALS = CurriculumConfig(kind="navigation", width=5, height=5, altars=3, walls=2, max_steps=2_000)
ARENA = CurriculumConfig(agents=2, width=8, height=8, mines=1, generators=1, altars=1, max_steps=20)
COMBAT = CurriculumConfig(
    agents=2, width=8, height=8, mines=1, generators=1, altars=1, laseries=1, armories=1, combat=True, max_steps=20
)


def fight(**carried: int) -> list[dict[str, float]]:
    """The statistics of two agents that carry the same, after the first has moved onto the second."""
    config = room(COMBAT, Vocabulary.of([COMBAT]))
    names = {"#": "wall", "@": "agent.agent", ".": "empty"}
    config.game.map_builder = AsciiMapBuilder.Config(
        map_data=[list(line) for line in ("#####", "#@@.#", "#####")], char_to_map_name=names
    )
    config.game.agent.inventory.initial = dict(carried)
    simulation = Simulation(config, 1)
    simulation.agent(0).set_action(Action(name="move_east"))
    simulation.agent(1).set_action(Action(name="noop"))
    simulation.step()
    return list(simulation.episode_stats["agent"])


def test_each_altar_of_a_navigation_task_has_one_heart():
    with Environments(GOALS, count=3, seed=1) as environments:
        rng = np.random.default_rng(0)
        for _ in range(GOALS.max_steps):
            environments.step(rng.integers(0, environments.spec.actions, environments.shape.rows))
        hearts = environments.block.infos[:, 0]
        assert (hearts <= 3).all()
        assert hearts.max() == 3
        assert (hearts == environments.block.returns).all()


def test_a_laser_takes_a_heart():
    first, second = fight(laser=1, heart=2)
    assert (first["heart.amount"], first["laser.amount"], first["heart.gained"]) == (3, 0, 1)
    assert second["heart.amount"] == 1


def test_armor_is_spent_instead():
    first, second = fight(laser=1, armor=1, heart=2)
    assert (first["heart.amount"], first["laser.amount"]) == (2, 0)
    assert (second["heart.amount"], second["armor.amount"]) == (2, 0)


def test_without_a_laser_nothing_is_taken():
    first, second = fight(heart=2)
    assert (first["heart.amount"], second["heart.amount"]) == (2, 2)


def test_combat_needs_lasers():
    with pytest.raises(ValueError, match="combat needs laseries or factories"):
        CurriculumConfig(agents=2, width=8, height=8, mines=1, generators=1, altars=1, combat=True, max_steps=9)


def test_tasks_of_one_curriculum_are_observed_alike():
    """A room without lasers among such with them has the same features."""
    both = CurriculumConfig.from_dict(ARENA.to_dict() | {"tasks": {"a": {}, "b": {"laseries": 1}}})
    with Environments(both, count=1, seed=1) as mixed, Environments(COMBAT, count=1, seed=1) as armed:
        assert mixed.spec.observations.shape[0] < armed.spec.observations.shape[0]
    known = Vocabulary.of([task.config() for task in both.expanded()])
    assert known == Vocabulary(("agent", "altar", "generator", "mine", "wall", "lasery"),
                               ("ore", "battery", "heart", "laser"))  # fmt: skip


def test_a_policy_is_not_evaluated_on_what_it_cannot_see():
    with pytest.raises(TrainerError, match="armor, armory, laser, lasery"):
        Environments(COMBAT, count=1, seed=1, trained=ARENA)


def test_tokens_are_those_of_mettagrid():
    curriculum = CurriculumConfig.from_dict(ARENA.to_dict() | {"observe": Observe.tokens})
    with Environments(curriculum, count=2, seed=1) as environments:
        tokens = environments.block.features
        assert tokens.shape == (4, 64, 3)
        assert (tokens[:, 0, 0] != 255).all()  # some come first
        assert (tokens[:, -1, 0] == 255).all()  # and there is room for more
