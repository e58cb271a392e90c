"""mettagrid's simulation of one episode, made of its C++ part alone, which writes to the arrays that it is given.

mettagrid's own `Simulation` has handlers and timers, and describes the game to C++ anew each time, which takes most of
the time of a reset: here an episode of the same game reuses the description. An equal seed gives an equal episode.
"""

from dataclasses import dataclass
from typing import Any, Self

from mettagrid.config.mettagrid_c_config import convert_to_cpp_game_config, rename_map_agents
from mettagrid.config.mettagrid_config import MettaGridConfig
from mettagrid.mettagrid_c import MettaGrid
from mettagrid.simulator.simulator import Buffers


@dataclass(frozen=True, slots=True)
class Game:
    """A game, as mettagrid's config and as its C++ part knows it."""

    config: MettaGridConfig
    described: Any
    renames: Any

    @classmethod
    def of(cls, config: MettaGridConfig) -> Self:
        return cls(config, *convert_to_cpp_game_config(config.game))

    def begin(self, seed: int, buffers: Buffers) -> MettaGrid:
        """A simulation of the episode of this seed; the map is that of the config's own seed."""
        game = self.config.game
        cells = game.map_builder.create().build_for_num_agents(game.num_agents).grid.tolist()
        if self.renames:
            cells = rename_map_agents(cells, self.renames)
        simulation = MettaGrid(self.described, cells, seed)
        simulation.set_buffers(
            buffers.observations, buffers.terminals, buffers.truncations, buffers.rewards, buffers.actions,
            buffers.vibe_actions,
        )  # fmt: skip
        return simulation
