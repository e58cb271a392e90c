"""What the values of a state file have in common, and what is said of outputs of other stacks in several of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


class Fact:
    """Refuses keys it does not know: a field of a newer release is never dropped in silence."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Reference(Fact):
    """An output of another stack that a resource uses, as it was found: its value, and of which run."""

    text: str
    """As the inputs have it: `${stack:pretrain:base.checkpoint}`."""
    stack: str
    resource: str
    output: str
    instance: str
    """The run that left the value."""
    launch: int
    """Which launch of the run: one that went on to more steps has another result."""
    value: str


@dataclass(frozen=True, slots=True)
class SweepFacts(Fact):
    """What a declaration says of a sweep as a whole."""

    keys: tuple[str, ...] = ()
    """The settings that it varies, as its trials name them."""
    metric: str = ""
    """What its trials are ranked by; empty where the sweep does not say."""
    goal: str = "maximize"
    """`maximize` or `minimize`."""
    trials: int = 0
    """How many trials there are, and will be."""
    is_search: bool = False
    """Its trials are proposed one after the other."""
    max_failures: int | None = None
    """How many of its trials may fail before no further one is begun; None where nothing bounds that."""
    budget: float | None = None
    """Dollars that all its trials may cost together; None where nothing bounds that."""
    gpu_hours: float | None = None
    """Hours of a GPU that all its trials may use together; None where nothing bounds that."""

    @property
    def is_limited(self) -> bool:
        """Whether it has a budget of any sort."""
        return self.budget is not None or self.gpu_hours is not None


@dataclass(frozen=True, slots=True)
class PastLaunch(Fact):
    """What an earlier launch of a run used."""

    seconds: float = 0.0
    """How long it ran."""
    cost: float | None = None
    """Dollars, as its backend said; None where it said nothing."""


@dataclass(frozen=True, slots=True)
class ApprovedSearch(Fact):
    """What was approved of a search: trials that it proposes later are approved while its program declares the same."""

    trials: int
    """How many trials there are in all."""
    max_concurrent: int = 1
    """How many are live at once."""
    stop_when: str | None = None
    """The bound on the metric of a trial that ends it."""
    budget: float | None = None
    """Dollars."""
    gpu_hours: float | None = None
    max_failures: int | None = None
    study: str = ""
    """Digest of the job and the metrics, as an outcome has it."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """A digest of each other part of its declaration, by what that is called: `job`, `space`, `sampler`, …"""


COMPLETE, PRUNED, TRIAL_FAILED = "complete", "pruned", "failed"
"""What a trial of a search comes to."""


@dataclass(frozen=True, slots=True)
class Outcome(Fact):
    """What a trial of a search came to, as the search is told."""

    state: str
    """`complete`, `pruned` or `failed`."""
    values: tuple[float, ...] = ()
    """The metrics of its sweep at its end; of a pruned trial, when it was judged. None of a failed one."""
    step: float | None = None
    """The step of a pruned trial at which it was judged."""
    study: str = ""
    """Digest of the job and the metrics of the sweep: the outcome counts as long as these stay."""
