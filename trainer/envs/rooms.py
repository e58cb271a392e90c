"""From a task to mettagrid's config of it: walled rooms, and what stands in them. `grid.py` steps it.

In an arena an agent takes ore from a mine, has a generator make it a battery and an altar make that a heart. It carries
one of each, but any number of hearts. In a navigation task there are altars with one heart each, behind obstacles.
"""

from collections.abc import Mapping
from types import MappingProxyType

from mettagrid.config.filter import actorHas, isNot, targetHas
from mettagrid.config.game_value import StatValue
from mettagrid.config.handler_config import FirstMatch, Handler
from mettagrid.config.mettagrid_config import (
    ActionsConfig,
    AgentConfig,
    ChangeVibeActionConfig,
    GameConfig,
    GridObjectConfig,
    InventoryConfig,
    MettaGridConfig,
    ResourceLimitsConfig,
    WallConfig,
)
from mettagrid.config.mutation import updateActor, updateTarget, withdraw
from mettagrid.config.obs_config import GlobalObsConfig, ObsConfig
from mettagrid.config.reward_config import AgentReward, reward
from mettagrid.mapgen.mapgen import MapGen
from mettagrid.mapgen.scenes.random import Random

from trainer.envs.vocabulary import SETTINGS, WINDOW, Vocabulary
from trainer.task_config import TaskConfig, TaskKind

TOKENS = 64  # more than a crowded window emits; mettagrid would drop the farthest
TRUNCATES = True  # whether an episode that reaches its last step is cut off, rather than over: agents see no time
MANY = 65535
HEART = "heart"

Recipe = tuple[Mapping[str, int], Mapping[str, int]]
RECIPES: Mapping[str, Recipe] = MappingProxyType({
    "mine": ({}, {"ore": 1}),
    "generator": ({"ore": 1}, {"battery": 1}),
    "altar": ({"battery": 1}, {HEART: 1}),
    "lasery": ({"ore": 1}, {"laser": 1}),
    "armory": ({"ore": 1}, {"armor": 1}),
    "lab": ({"ore": 1, "battery": 1}, {"blueprint": 1}),
    "factory": ({"blueprint": 1}, {"laser": 1, "armor": 1}),
    "temple": ({"blueprint": 1, HEART: 1}, {HEART: 5}),
})  # fmt: skip
"""What each station takes, and what it gives for it."""


def room(task: TaskConfig, vocabulary: Vocabulary) -> MettaGridConfig:
    """The config of a task, with what `vocabulary` has known to it, so that all tasks are observed alike."""
    things = {kind: count for kind, setting in SETTINGS.items() if (count := getattr(task, setting))}
    return MettaGridConfig(
        game=GameConfig(
            num_agents=task.total_agents,
            max_steps=task.max_steps,
            episode_truncates=TRUNCATES,
            resource_names=list(vocabulary.resources),
            protocol_details_obs=False,
            obs=ObsConfig(
                width=WINDOW,
                height=WINDOW,
                num_tokens=TOKENS,
                global_obs=GlobalObsConfig(episode_completion_pct=False, last_action=False, last_reward=False),
            ),
            actions=ActionsConfig(change_vibe=ChangeVibeActionConfig(enabled=False)),
            agent=AgentConfig(
                inventory=InventoryConfig(
                    default_limit=1, limits={HEART: ResourceLimitsConfig(base=MANY, resources=[HEART])}
                ),
                rewards=_rewards(task),
                on_use_handler=_attack(vocabulary) if task.combat else None,
            ),
            objects={"wall": WallConfig(), **_stations(task, vocabulary)},
            map_builder=MapGen.Config(
                seed=0,
                instances=task.instances,
                border_width=1,
                instance_border_width=1,
                width=task.width,
                height=task.height,
                instance=Random.Config(agents=task.agents, objects=_in_order(things), too_many_is_ok=False),
            ),
        )
    )


def _in_order(things: Mapping[str, int]) -> dict[str, int]:
    """In the order in which a room is filled: another order would be another room."""
    order = ("mine", "generator", "altar", "wall")
    return {kind: things[kind] for kind in (*order, *(k for k in things if k not in order)) if kind in things}


def _rewards(task: TaskConfig) -> dict[str, AgentReward]:
    rewards = {HEART: reward(StatValue(name="heart.gained"))}
    if task.kind is TaskKind.arena:
        for resource in ("battery", "ore"):
            rewards[resource] = reward(StatValue(name=f"{resource}.gained"), weight=task.shaped_reward)
    return rewards


def _stations(task: TaskConfig, vocabulary: Vocabulary) -> dict[str, GridObjectConfig]:
    names = [name for name in RECIPES if name in vocabulary.kinds]
    if task.kind is TaskKind.navigation:
        return {name: _goal() if name == "altar" else GridObjectConfig(name=name) for name in names}
    return {name: _station(name, *RECIPES[name]) for name in names}


def _station(name: str, needs: Mapping[str, int], gives: Mapping[str, int]) -> GridObjectConfig:
    """Turns what it `needs` into what it `gives`, of which, unless it is a heart, an agent carries at most one."""
    filters = [actorHas(dict(needs))] if needs else []
    if HEART not in gives:
        filters.append(isNot(actorHas(dict(gives))))  # else a full agent would be paid for wasting what it brings
    deltas = {**{resource: -count for resource, count in needs.items()}}
    for resource, count in gives.items():
        deltas[resource] = deltas.get(resource, 0) + count
    return GridObjectConfig(name=name, on_use_handler=Handler(filters=filters, mutations=[updateActor(deltas)]))


def _goal() -> GridObjectConfig:
    """An altar that has one heart, and is gone when that is taken."""
    taken = Handler(mutations=[withdraw({HEART: 1}, remove_when_empty=True)])
    return GridObjectConfig(name="altar", inventory=InventoryConfig(initial={HEART: 1}), on_use_handler=taken)


def _attack(vocabulary: Vocabulary) -> FirstMatch:
    """An agent is attacked by one that moves onto it with a laser: armor is spent, or a heart and all else is taken."""
    armed = actorHas({"laser": 1})
    loot = {resource: -1 for resource in vocabulary.carried if resource not in ("laser", "armor")}
    hit = Handler(name="hit", filters=[armed], mutations=[updateActor({"laser": -1}), withdraw({HEART: 1, **loot})])
    if "armor" not in vocabulary.resources:
        return FirstMatch(handlers=[hit])
    blocked = Handler(
        name="blocked",
        filters=[armed, targetHas({"armor": 1})],
        mutations=[updateActor({"laser": -1}), updateTarget({"armor": -1})],
    )
    return FirstMatch(handlers=[blocked, hit])
