"""What the values of a setting are drawn from: in a random sweep by expiac, in a search by Optuna."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Protocol

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

_FROZEN = ConfigDict(extra="forbid", defer_build=True)  # few stacks have any


class Distribution(Protocol):
    """A set of values with a probability each."""

    def draw(self, source: random.Random) -> Any:
        """One value, drawn with numbers from `source`."""


class _Range:
    """What the two ranges have in common."""

    low: float
    high: float
    log: bool

    @model_validator(mode="after")
    def _check(self) -> Any:
        if self.low > self.high:
            raise ValueError(f"low={self.low} is above high={self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range begins above 0, and not at {self.low}")
        return self


@dataclass(frozen=True, config=_FROZEN)
class Uniform(_Range):
    """Real numbers from `low` to `high`; with `log`, each order of magnitude is as likely as any other."""

    low: float
    high: float
    log: bool = field(default=False, kw_only=True)

    def draw(self, source: random.Random) -> float:
        """One number of the range."""
        if self.log:
            return min(max(math.exp(source.uniform(math.log(self.low), math.log(self.high))), self.low), self.high)
        return source.uniform(self.low, self.high)


@dataclass(frozen=True, config=_FROZEN)
class IntUniform(_Range):
    """Whole numbers from `low` to `high`, both included; with `log` as in `Uniform`."""

    low: int
    high: int
    log: bool = field(default=False, kw_only=True)

    def draw(self, source: random.Random) -> int:
        """One number of the range."""
        if self.log:
            drawn = math.exp(source.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5)))
            return min(max(round(drawn), self.low), self.high)
        return source.randint(self.low, self.high)


@dataclass(frozen=True, config=_FROZEN)
class Choice:
    """One of several values, each as likely as any other."""

    values: tuple[Any, ...] = Field(min_length=1)

    def draw(self, source: random.Random) -> Any:
        """One of the values."""
        return self.values[source.randrange(len(self.values))]


def as_distribution(given: Any) -> Uniform | IntUniform | Choice:
    """A distribution as it is, and the choice among the values of a list. Raises TypeError for anything else."""
    if isinstance(given, Uniform | IntUniform | Choice):
        return given
    if isinstance(given, Sequence) and not isinstance(given, str):
        return Choice(tuple(given))
    raise TypeError(f"{given!r} is no distribution")
