"""The tables and pictures of docs/learning-curves.md, and what the trainings are compared with."""

from pathlib import Path

import polars as pl
import pytest
from mettagrid.mettagrid_c import MettaGrid
from mettagrid.simulator.simulator import Buffers

from benchmarks.learning import baselines, curves
from benchmarks.learning.tasks import NAVIGATION, SUITES, configs_of
from expiac.declare.program import load
from expiac.declare.project import find_project
from trainer.config import CurriculumConfig, SimConfig
from trainer.envs.simulation import Game
from trainer.vector import Environments

ROOT = Path(__file__).parents[2]
ROOM = CurriculumConfig(kind="navigation", instances=2, agents=1, width=8, height=8, altars=2, max_steps=60)
HISTORIES = pl.DataFrame(
    [(f"arena/seed_{seed}", "eval/hearts", step, hearts)
     for seed, ends in enumerate([(1.0, 3.0), (2.0, 6.0)]) for step, hearts in zip((0.0, 100.0), ends, strict=True)],
    schema=["job", "metric", "step", "value"], orient="row",
)  # fmt: skip


def test_the_first_move_is_that_of_a_shortest_way_around_walls():
    """Straight north there is a wall of three; the way around it by the west is two moves shorter than by the east."""
    walls = {(1, 1), (1, 2), (1, 3), (1, 4)}
    assert baselines.first_move((2, 2), {(0, 2)}, walls) == "move_west"
    assert baselines.first_move((2, 2), {(0, 2)}, set()) == "move_north"
    assert baselines.first_move((2, 2), {(2, 3), (0, 2)}, set()) == "move_east"


def test_no_way_is_no_move():
    around = {(1, 2), (3, 2), (2, 1), (2, 3)}
    assert baselines.first_move((2, 2), {(0, 2)}, around) == "noop"


def test_who_knows_the_map_takes_every_heart_of_an_open_room():
    sim = SimConfig(episodes=3, seed=5)
    assert baselines.hearts_of_oracle(ROOM, sim) == 2.0
    assert baselines.hearts_of_random(ROOM, sim) < 2.0


def test_baselines_are_in_the_episodes_in_which_a_policy_is_evaluated(monkeypatch: pytest.MonkeyPatch):
    seeds = []

    begin = Game.begin

    def begun(game: Game, seed: int, buffers: Buffers) -> MettaGrid:
        seeds.append((seed, game.config.game.map_builder.seed))
        return begin(game, seed, buffers)

    monkeypatch.setattr(Game, "begin", begun)
    sim = SimConfig(episodes=4, seed=1000)
    with Environments(ROOM, count=sim.episodes, seed=sim.seed):
        assert [(seed, seed) for seed in baselines.episode_seeds(sim)] == seeds


def test_a_summary_has_the_last_evaluations_mean_and_range():
    found = curves.evaluations(HISTORIES, "eval/hearts")
    assert curves.summary(found, "arena") == "4.5 (3.0–6.0)"
    assert curves.over_seeds(found).to_dicts() == [
        {"training": "arena", "step": 0.0, "mean": 1.5, "least": 1.0, "most": 2.0, "seeds": 2},
        {"training": "arena", "step": 100.0, "mean": 4.5, "least": 3.0, "most": 6.0, "seeds": 2},
    ]


def test_pictures_are_drawn(tmp_path: Path):
    found = curves.evaluations(HISTORIES, "eval/hearts")
    for name, chart in (("seeds", curves.seeds_chart(found, {"random policy": 0.5}, "arena")),
                        ("mean", curves.trainings_chart(found, {"arena": "the arena"}, {}, "arena"))):  # fmt: skip
        curves.save(chart, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_stack_trains_what_the_tables_show():
    """Three seeds of each, one at a time."""
    project = find_project(ROOT)
    stack = load(project, "benchmarks/learning/stack.py").stack
    names = {resource.name.split("/")[0] for resource in stack.resources}
    assert names == {"arena", *NAVIGATION}
    assert (len(stack.resources), stack.max_running) == (15, 1)


def test_the_suites_are_those_of_the_config():
    curriculum, sim = configs_of("navigation")
    assert {name: f"{suite.walls or 'no'} walls" for name, suite in sim.suites_of(curriculum).items()} == SUITES
    assert configs_of("arena")[0].width == 12
