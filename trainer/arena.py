"""The mettagrid config of the arena that a curriculum describes.

An agent takes ore from a mine, has a generator make it a battery and an altar make that a heart; it carries one each.
`environment.py` steps it; no other module imports mettagrid.
"""

from mettagrid.config.filter import actorHas, isNot
from mettagrid.config.game_value import StatValue
from mettagrid.config.handler_config import Handler
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
from mettagrid.config.mutation import updateActor
from mettagrid.config.obs_config import GlobalObsConfig, ObsConfig
from mettagrid.config.reward_config import reward
from mettagrid.mapgen.mapgen import MapGen
from mettagrid.mapgen.scenes.random import Random

from trainer.config import CurriculumConfig

WINDOW = 7  # an agent sees the 7 × 7 cells around it
TOKENS = 64  # more than a crowded window emits; mettagrid would drop the farthest


def arena(curriculum: CurriculumConfig) -> MettaGridConfig:
    """Walled rooms where a mine gives ore, a generator makes it a battery, and an altar makes that a heart."""
    c = curriculum
    stations = {
        "mine": _station("mine", needs=None, gives="ore"),
        "generator": _station("generator", needs="ore", gives="battery"),
        "altar": _station("altar", needs="battery", gives="heart"),
    }
    things = {"mine": c.mines, "generator": c.generators, "altar": c.altars, "wall": c.walls}
    one_each = InventoryConfig(default_limit=1, limits={"heart": ResourceLimitsConfig(base=65535, resources=["heart"])})
    return MettaGridConfig(
        game=GameConfig(
            num_agents=c.agents * c.instances,
            max_steps=c.max_steps,
            episode_truncates=True,  # the time limit is not of the task: agents do not see the time
            resource_names=["ore", "battery", "heart"],
            protocol_details_obs=False,
            obs=ObsConfig(
                width=WINDOW,
                height=WINDOW,
                num_tokens=TOKENS,
                global_obs=GlobalObsConfig(episode_completion_pct=False, last_action=False, last_reward=False),
            ),
            actions=ActionsConfig(change_vibe=ChangeVibeActionConfig(enabled=False)),
            agent=AgentConfig(
                inventory=one_each,
                rewards={
                    "heart": reward(StatValue(name="heart.gained")),
                    "battery": reward(StatValue(name="battery.gained"), weight=c.shaped_reward),
                    "ore": reward(StatValue(name="ore.gained"), weight=c.shaped_reward),
                },
            ),
            objects={"wall": WallConfig(), **stations},
            map_builder=MapGen.Config(
                seed=0,
                instances=c.instances,
                border_width=1,
                instance_border_width=1,
                width=c.width,
                height=c.height,
                instance=Random.Config(agents=c.agents, objects=things, too_many_is_ok=False),
            ),
        )
    )


def _station(name: str, *, needs: str | None, gives: str) -> GridObjectConfig:
    """Turns one `needs` into one `gives`, of which, unless it is a heart, an agent carries at most one."""
    filters = [actorHas({needs: 1})] if needs else []
    if gives != "heart":
        filters.append(isNot(actorHas({gives: 1})))  # else a full agent would be paid for wasting what it brings
    handler = Handler(filters=filters, mutations=[updateActor({**({needs: -1} if needs else {}), gives: 1})])
    return GridObjectConfig(name=name, on_use_handler=handler)
