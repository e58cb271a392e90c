"""The documents of `results`, `compare` and `report`, as types: what runs came to, how arms differ, where that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from expiac.state.status import Status
from expiac.view.documents import OfState
from expiac.view.parts import AsOf, Dollars, Figure, Figures, Instance, Json, Launch, Name, Names

At = TypeAliasType("At", Annotated[float | Literal["last", "best", "auc"], Field(
    description="Which value of a metric counts: at a step, the last, the best, or the mean over the steps.")])
Interval = TypeAliasType("Interval", Annotated[Sequence[float] | None, Field(
    description="The two ends of a 95 % interval; null where there are too few runs.")])


class ResultOfRun(TypedDict):
    """What one run came to."""

    address: Name
    instance: Instance
    launch: Launch
    status: Status
    sweep: str | None
    """The address of the sweep that it is a trial of; null where it is of none."""
    archived: bool
    seed: Any
    """Any JSON value; null where no setting is called `seed`."""
    settings: Json
    """The settings, other than the seed, that differ between the runs, by key path."""
    launched_at: str | None
    """ISO 8601, UTC."""
    seconds: float | None
    """How long its last launch ran; null until it has ended, and where nobody knows."""
    cost: Dollars
    step: float | None
    """The last step of which it logged anything."""
    metrics: Figures
    """The value of each metric that counts by `at`."""


class ResultsDocument(OfState):
    """The document of `results --json`."""

    as_of: AsOf
    at: At
    results: Sequence[ResultOfRun]


class Arm(TypedDict):
    """The runs whose settings are equal but for the seed, and what they came to together."""

    name: Name
    settings: Json
    """Those by which the arms differ, by key path."""
    runs: Figures
    """The value of each run, by instance."""
    n: Annotated[int, Field(ge=1)]
    mean: Figure
    interquartile_mean: Figure
    interval: Interval


class DifferenceOfArms(TypedDict):
    """How an arm differs from the baseline."""

    arm: Name
    baseline: Name
    pairs: Annotated[int, Field(ge=0)]
    """How many seeds are compared one by one; 0 where the two have other seeds."""
    mean: Figure
    """Of the arm, less that of the baseline."""
    interval: Interval
    effect_size: Figure
    probability_of_improvement: Figure
    p: Figure
    p_holm: Figure
    verdict: Literal["better", "worse", "higher", "lower", "unclear", "too few seeds"]
    seeds_needed: int | None
    """How many seeds an arm would do; null where that is not known, or more than 1000."""


class Importance(TypedDict):
    """What each setting explains of the differences between arms."""

    shares: Figures
    """Of the variance, by key path, the greatest first; empty where that can't be told."""
    predicted: Figure
    """Of the variance of arms that were left out, what the settings predict; null where that was not tried."""
    of_logarithm: bool
    """Whether the variance is that of the logarithm of the values."""
    why_not: str
    """Why there are no shares; empty where there are."""


class RankedArm(TypedDict):
    """An arm in its place."""

    rank: Annotated[int, Field(ge=1)]
    address: Name
    """Of its first run."""
    settings: Json
    """Those by which the arms differ, by key path; of a sweep, as it gives them."""
    runs: Figures
    """The value of each run, by instance."""
    n: Annotated[int, Field(ge=1)]
    mean: Figure
    interval: Interval


class Ranking(TypedDict):
    """The arms of a sweep, the best first."""

    sweep: str | None
    """The address of the sweep; null where the arms are of none."""
    metric: Name
    direction: Literal["max", "min", ""]
    step: float
    """The values are of what was logged up to this step."""
    ranking: Sequence[RankedArm]
    importance: Importance
    notes: Names


class ComparisonDocument(OfState):
    """The document of `compare --json`."""

    as_of: AsOf
    metric: Name
    direction: Literal["max", "min", ""]
    at: At
    step: float
    """The values are of what was logged up to this step."""
    arms: Sequence[Arm]
    differences: Sequence[DifferenceOfArms]
    rankings: Sequence[Ranking]
    """One for each sweep; one for all arms where there is no sweep, and more than 12 arms; else none."""
    notes: Names
    """What to mind, such as runs that are left out."""


class ReportDocument(OfState):
    """The document of `report --json`: where the report is."""

    page: str | None
    """The path of the page; null where none was written."""
    notebook: str | None
    """The path of the notebook; null where none was written."""
    url: str | None
    """Where the page is served, as long as the command runs; null without --serve."""
