"""What agents get that know nothing, and what those get that see the whole map, in the episodes of an evaluation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from mettagrid.simulator.simulator import Simulation

from trainer.curriculum_config import CurriculumConfig, SimConfig
from trainer.envs.rooms import room
from trainer.envs.vocabulary import Vocabulary

Cell = tuple[int, int]
MOVES: Mapping[str, Cell] = {"move_north": (-1, 0), "move_south": (1, 0), "move_west": (0, -1), "move_east": (0, 1)}
ACTIONS = ("noop", *MOVES)
Actor = Callable[[Simulation], list[str]]


def hearts_of_random(task: CurriculumConfig, sim: SimConfig) -> float:
    """Hearts per agent and episode of agents that take each action alike."""
    rng = np.random.default_rng(0)
    return _mean_hearts(task, sim, lambda _: lambda game: [str(each) for each in rng.choice(ACTIONS, game.num_agents)])


def hearts_of_oracle(task: CurriculumConfig, sim: SimConfig) -> float:
    """Hearts per agent and episode of agents in a navigation task that always go the shortest way to the next altar."""
    return _mean_hearts(task, sim, _shortest_ways)


def _mean_hearts(task: CurriculumConfig, sim: SimConfig, actor: Callable[[Simulation], Actor]) -> float:
    """Over the first episode of each environment, as `trainer.evaluate` has it."""
    return float(np.mean([_hearts(task, seed, actor) for seed in episode_seeds(sim)]))


def episode_seeds(sim: SimConfig) -> list[int]:
    """The seeds of the first episodes of all environments: those of `trainer.envs.episodes`."""
    words = [np.random.SeedSequence((sim.seed, slot, 0)).generate_state(2)[0] for slot in range(sim.episodes)]
    return [int(word) >> 1 for word in words]


def _hearts(task: CurriculumConfig, seed: int, actor: Callable[[Simulation], Actor]) -> float:
    config = room(task.expanded()[0].config([]), Vocabulary.of([task]))
    config.game.map_builder.seed = seed
    game = Simulation(config, seed)
    act = actor(game)
    for _ in range(task.max_steps):
        for number, action in enumerate(act(game)):
            game.agent(number).set_action(action)
        game.step()
    return float(np.mean([stats.get("heart.gained", 0.0) for stats in game.episode_stats["agent"]]))


def _shortest_ways(game: Simulation) -> Actor:
    """Agents that know where everything is."""
    walls = {(thing["r"], thing["c"]) for thing in game.grid_objects().values() if thing["type_name"] == "wall"}

    def act(game: Simulation) -> list[str]:
        things = list(game.grid_objects(ignore_types=["wall"]).values())
        altars = {(thing["r"], thing["c"]) for thing in things if thing["type_name"] == "altar"}
        agents = {thing["agent_id"]: (thing["r"], thing["c"]) for thing in things if thing["type_name"] == "agent"}
        return [first_move(agents[number], altars, walls) for number in range(game.num_agents)]

    return act


def first_move(start: Cell, goals: set[Cell], walls: set[Cell]) -> str:
    """The first move of a shortest way to the nearest goal, found breadth first; `noop` where none can be reached."""
    reached, queue = {start}, deque([(start, "noop")])
    while queue:
        (row, column), first = queue.popleft()
        for name, (down, right) in MOVES.items():
            cell = row + down, column + right
            move = name if first == "noop" else first
            if cell in goals:
                return move
            if cell not in reached and cell not in walls:
                reached.add(cell)
                queue.append((cell, move))
    return "noop"
