"""What a task is: an environment and its settings. Imports neither torch nor an environment."""

from dataclasses import field
from enum import Enum
from math import isfinite
from typing import Self

from pydantic import model_validator

from trainer.declared import Declared, declared
from trainer.fields import Amount, Count, Fraction, Positive, Text

STATIONS = ("mines", "generators", "altars", "laseries", "armories", "labs", "factories", "temples")


class TaskKind(str, Enum):
    arena = "arena"
    navigation = "navigation"
    gymnasium = "gymnasium"


class Observe(str, Enum):
    features = "features"
    tokens = "tokens"


class DrawRule(str, Enum):
    random = "random"
    progressive = "progressive"
    learning_progress = "learning_progress"


@declared
class TaskConfig(Declared):
    """One task: of mettagrid a walled room, or several, and what stands in it; of Gymnasium an id.

    In an arena ore becomes batteries and batteries become hearts. In a navigation task each altar has one heart.
    """

    agents: Count = 1
    width: Amount = 0
    height: Amount = 0
    mines: Amount = 0
    generators: Amount = 0
    altars: Amount = 0
    max_steps: Count
    walls: Amount = 0
    instances: Count = 1
    shaped_reward: Fraction = 0.5
    kind: TaskKind = TaskKind.arena
    laseries: Amount = 0
    armories: Amount = 0
    labs: Amount = 0
    factories: Amount = 0
    temples: Amount = 0
    combat: bool = False
    """Whether an agent with a laser that moves onto another one attacks it."""
    observe: Observe = Observe.features
    """How a room is seen: as marked cells, or as mettagrid's own tokens, which a policy learns to read."""
    gymnasium_id: Text | None = None

    @property
    def total_agents(self) -> int:
        """Over all rooms."""
        return self.agents * self.instances

    @property
    def infos(self) -> tuple[str, ...]:
        """What is measured of an episode besides the return, per agent."""
        return () if self.kind is TaskKind.gymnasium else ("hearts",)

    @property
    def figures(self) -> tuple[str, ...]:
        """What an evaluation in it comes to."""
        return (*self.infos, "reward")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.gymnasium_id and self.kind is not TaskKind.gymnasium:
            raise ValueError("gymnasium_id is for kind gymnasium")
        match self.kind:
            case TaskKind.gymnasium:
                self._check_gymnasium()
            case TaskKind.navigation:
                self._check_room("altars")
                if self.combat:
                    raise ValueError("combat is for kind arena: a navigation task has no lasers")
            case TaskKind.arena:
                self._check_room("mines", "generators", "altars")
        return self

    def _check_gymnasium(self) -> None:
        if not self.gymnasium_id or self.total_agents != 1:
            raise ValueError("a task of gymnasium has a gymnasium_id and one agent")
        if given := [name for name in ("width", "height", *STATIONS, "walls", "combat") if getattr(self, name)]:
            raise ValueError(f"{', '.join(given)} would have no effect in a task of gymnasium")
        if self.observe is not Observe.features:
            raise ValueError("a task of gymnasium is observed as features")

    def _check_room(self, *needed: str) -> None:
        if missing := [name for name in needed if not getattr(self, name)]:
            raise ValueError(f"{self.kind.value} needs {', '.join(missing)}")
        if self.combat and not (self.laseries or self.factories):
            raise ValueError("combat needs laseries or factories, where lasers come from")
        if min(self.width, self.height) < 4:
            raise ValueError(f"a room of {self.width} × {self.height} cells is too small: both are at least 4")
        things = self.agents + self.walls + sum(getattr(self, name) for name in STATIONS)
        if 2 * things > self.width * self.height:
            raise ValueError(f"{things} things fill more than half of a room of {self.width} × {self.height} cells")


@declared
class BucketConfig(Declared):
    """The values of one setting: a list, or a range in equal parts. In a part, each episode has a value of its own."""

    values: list[float] = field(default_factory=list)
    range: tuple[float, float] | None = None
    bins: Count = 4

    @model_validator(mode="after")
    def _is_a_list_or_a_range(self) -> Self:
        if bool(self.values) == (self.range is not None):
            raise ValueError("a bucket has either values or a range")
        if self.range and not (isfinite(self.range[0]) and self.range[0] < self.range[1] < float("inf")):
            raise ValueError(f"{list(self.range)} is no range: its low end comes first, and both are finite")
        return self


@declared
class DrawConfig(Declared):
    """How an episode's task is drawn. A score of 0 is nothing, one of 1 is full success."""

    rule: DrawRule = DrawRule.random
    weights: dict[str, Positive] = field(default_factory=dict)
    """For `random`: how often each task comes, in proportion; 1 where it is not named."""
    score: Text = "return"
    """What of an episode is scored, per agent: `return`, or a metric of the environment such as `hearts`."""
    success: Positive = 1.0
    """The value of it that is full success."""
    timescale: Fraction = 0.05
    """How much one episode weighs in the moving average of a task's score."""
    threshold: Fraction = 0.8
    """For `progressive`: the average score at which the next task comes."""
    episodes: Count = 20
    """For `progressive`: how many episodes of a task at least come before the next."""
    rehearsal: Fraction = 0.2
    """For `progressive`: the share of episodes in tasks that were mastered before."""
    slow_factor: Fraction = 0.2
    """For `learning_progress`: how much slower the second moving average is."""
    smoothing: Fraction = 0.1
    """For `learning_progress`: how much progress at low scores counts more than at high ones."""
    exploration: Fraction = 0.1
    """For `learning_progress`: the share of episodes in tasks drawn uniformly."""
