"""A `Search`: what a sweep goes over when its next trials depend on the results of the earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic_core import to_jsonable_python

from expiac.declare.budget import SweepLimits
from expiac.declare.distributions import Choice, IntUniform, Uniform, as_distribution
from expiac.declare.expectations import check_bound

Distribution = Choice | IntUniform | Uniform


def _distributions(given: Mapping[str, Any]) -> dict[str, Distribution]:
    if not given:
        raise ValueError("no setting to search over")
    try:
        return {key: as_distribution(one) for key, one in given.items()}
    except TypeError as error:
        raise ValueError(f"{error}: Uniform(1e-4, 1e-2, log=True), IntUniform(1, 8) or a list of values") from None


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", defer_build=True))
class Search(SweepLimits):
    """Trials that Optuna proposes, each from the results of those that have ended.

    The sweep says the metric and the goal. The state holds the study: each trial with its values, and what it came to.
    """

    trials: Annotated[int, Field(ge=1)]
    """How many there are in all; those that failed or were stopped early count."""
    space: Annotated[Mapping[str, Any], AfterValidator(_distributions)]
    """Setting → what its values are drawn from: `Uniform`, `IntUniform`, `Choice` or a list."""
    max_concurrent: Annotated[int, Field(ge=1)] = 1
    """How many are live at once."""
    sampler: str = "tpe"
    """What proposes: `tpe`, `cmaes`, `nsga2`, `gp`, `random`, or the name of a sampler of Optuna's."""
    pruner: str | None = None
    """What ends trials early: `median`, `percentile`, `halving`, `hyperband`, or the name of a pruner of Optuna's."""
    seed: int = 0
    """The same seed and the same results give the same proposals."""
    stop_when: Annotated[str | None, AfterValidator(check_bound)] = None
    """A bound such as `>= 14`: no more trials once the metric of one has met it."""
    max_failures: Annotated[int | None, Field(ge=0)] = None
    """No more trials once more than so many have failed."""
    checks: Annotated[int, Field(ge=2, le=1000)] = 20
    """At how many equal distances on its way the pruner looks at a trial."""
    sampler_options: Mapping[str, Any] = field(default_factory=dict)
    """More for the sampler: `{"n_startup_trials": 20}`."""
    pruner_options: Mapping[str, Any] = field(default_factory=dict)
    """More for the pruner: `{"n_startup_trials": 3}`."""

    def values_of(self, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a trial from how the state has them: a choice that is no JSON value is the choice itself."""
        return {key: _choice(self.space.get(key), value) for key, value in recorded.items()}


def _choice(one: Any, recorded: Any) -> Any:
    if not isinstance(one, Choice):
        return recorded
    return next((choice for choice in one.values if to_jsonable_python(choice, fallback=str) == recorded
                 and (type(choice) is type(recorded) or not isinstance(choice, int | float | str))), recorded)
