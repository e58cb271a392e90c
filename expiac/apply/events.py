"""The events of an apply, as a reporter gets them while it runs. A reporter shows them and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from expiac.plan.model import Plan, Step
from expiac.plan.usage import Usage
from expiac.state.events import Json
from expiac.state.facts import SweepFacts
from expiac.state.status import Status
from expiac.util.errors import ExpiacError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, read from its metrics file."""

    step: int = 0
    """The last step, in the trainer's own unit."""
    total_steps: int = 0
    elapsed: float = 0.0
    """Seconds of training, over all launches of the run."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The newest value of each metric."""
    first: Mapping[str, float] = field(default_factory=dict)
    """The first value of each metric: for an evaluation, the one before training."""

    @property
    def seconds_left(self) -> float | None:
        """What the rest should take at the pace so far; None where there is no pace yet."""
        if not self.step or not self.total_steps or not self.elapsed:
            return None
        return max(0.0, self.elapsed / self.step * (self.total_steps - self.step))


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """One resource at one look: for `status`, and for progress while waiting."""

    address: str
    instance: str
    provider: str
    status: Status
    launch: int = 1
    detail: str = ""
    unseen: str = ""
    progress: Progress | None = None
    seconds: float | None = None
    """How long it ran, once it has ended."""
    usual_seconds: float | None = None
    """How long its earlier runs took."""
    note: str = ""
    """What else there is to know: why metrics that are there can't be read."""
    page: str = ""
    """The address of its page at W&B, where it has one that is known here."""
    group: str = ""
    """The sweep or component with which it is shown; empty where it stands alone."""
    sweep: SweepFacts | None = None
    """What is declared of its sweep; None where it is no trial."""
    trial: Json = field(default_factory=dict)
    """Of a trial: the value of each setting that the sweep varies."""
    was_pruned: bool = False
    """A search ended it early."""
    dollars: float | None = field(default=None, compare=False)
    """What it has cost so far, where that is known."""
    sweep_usage: Usage | None = field(default=None, compare=False)
    """What all runs of its sweep have used so far; None where nothing limits that."""


@dataclass(frozen=True, slots=True)
class Began:
    """An apply began."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class StepBegan:
    step: Step


@dataclass(frozen=True, slots=True)
class StepEnded:
    step: Step
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed:
    step: Step
    error: ExpiacError


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step that will not be done: what it stands on failed, or nothing new is begun any more."""

    step: Step
    why: str


@dataclass(frozen=True, slots=True)
class StepDeferred:
    """A step left for a later apply: a run that it waits for has yet to succeed."""

    step: Step


@dataclass(frozen=True, slots=True)
class SearchLeft:
    """A search that would go on, if somebody let it."""

    name: str
    left: int
    """How many trials are still to be proposed."""
    trials: int
    """How many there are in all."""
    command: str
    """What goes on with it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A look at the runs while waiting for them to end."""

    seen: tuple[ResourceStatus, ...]
    searches: tuple[SearchLeft, ...] = ()
    """The searches with which this command does not go on."""


@dataclass(frozen=True, slots=True)
class Warned:
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What an apply came to."""

    done: tuple[Step, ...] = ()
    failed: tuple[tuple[Step, ExpiacError], ...] = ()
    skipped: tuple[Step, ...] = ()
    deferred: tuple[Step, ...] = ()
    seen: tuple[ResourceStatus, ...] = ()
    """Where it waited: how each run ended."""
    interrupted: bool = False

    @property
    def is_well(self) -> bool:
        """Everything that was to be done now was done, no run that was waited for failed, and none was stopped since a
        budget is spent."""
        was_paused = any(step.pauses for step in self.done)
        ended_badly = any(seen.status.is_failure for seen in self.seen)
        return not (self.failed or self.skipped or self.interrupted or was_paused or ended_badly)


@dataclass(frozen=True, slots=True)
class Finished:
    result: Result


ProgressEvent = (
    Began | StepBegan | StepEnded | StepFailed | StepSkipped | StepDeferred | Waiting | Warned | Finished
)


class Reporter(Protocol):
    """Gets every event, from several threads, one at a time."""

    def on_event(self, event: ProgressEvent) -> None: ...


class Silent:
    """Ignores every event: for tests and for other programs."""

    def on_event(self, event: ProgressEvent) -> None:
        """Nothing."""
