"""What is known to exist under one stack's name. Knows neither files nor how it came to be known; `fold` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from expiac.declare.options import Options
from expiac.state.events import After, Approved, Effect, Json, Judgement, Run
from expiac.state.facts import Fact, Outcome, PastLaunch, Reference
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class Pending(Fact):
    """An effect that was started and whose end is not known."""

    effect: Effect
    after: After = After.NOTHING
    inputs: Json = field(default_factory=dict)
    """An update's new inputs."""
    references: tuple[Reference, ...] = ()
    """The outputs of other stacks that an update's new inputs use."""
    approval: int = 0
    """Of a create that launches a run again: the serial of the approval of its launch before."""


@dataclass(frozen=True, slots=True)
class Notice(Fact):
    """What is to be told of a launch."""

    reason: str = ""
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Record(Fact):
    """One entry of State: what was asked for, under which name, and how it was last seen."""

    address: str
    type: str
    provider: str
    run: Run
    inputs: Json
    depends_on: tuple[str, ...] = ()
    upstream: Json = field(default_factory=dict)
    """The instance of each run it refers to, by address."""
    status: Status = Status.PENDING
    outputs: Json = field(default_factory=dict)
    handle: Json = field(default_factory=dict)
    """What the provider noted of a request in flight."""
    detail: str = ""
    """The backend's own words about the status: a failure reason, an exit code."""
    seconds: float | None = None
    """How long its last launch ran, once that has ended, where the backend knows."""
    pending: Pending | None = None
    approval: int = 0
    """Serial of the Approved under which it was launched; 0 where expiac did not launch it, and knows no code of it."""
    at: str = ""
    """When it was launched, ISO 8601, UTC."""
    began_at: str = ""
    """When its last launch began to run, as its backend says, or else when it was first recorded not to wait any more;
    empty where it waits, or where nobody knows."""
    finished_at: str = ""
    """When its last launch was recorded to have ended."""
    earlier: tuple[PastLaunch, ...] = ()
    """What the launches of the run before its last one used."""
    ended_at: str = ""
    """When it was archived."""
    replaced_by: str = ""
    """The run whose start archived it; if that is never launched, this one comes back."""
    options: Options = Options()
    """How it is to be treated; those that outlive its declaration."""
    discarded: str = ""
    """How the user gave it up when it was archived: `DESTROYED`, `REMOVED`, or not at all."""
    pruned_at: str = ""
    """When what an archived run left on the disk was deleted."""
    judgement: Judgement | None = None
    """How it was judged by what is expected of its metrics, once it has ended well."""
    notices: Mapping[str, Notice] = field(default_factory=dict)
    """What was told of its last launch, or is to be told, by occasion: `succeeded`, `failed`, `stuck`."""
    trial: Json = field(default_factory=dict)
    """Of a trial of a sweep: the value of each setting that the sweep varies."""
    sampler: Json = field(default_factory=dict)
    """Of a trial of a search: what its sampler has to know of it later."""
    outcome: Outcome | None = None
    """Of a trial of a search: what it came to, once the search was told."""
    references: tuple[Reference, ...] = ()
    """The outputs of other stacks that it uses."""
    unseen: str = ""
    """Why the last refresh could not see it. Never written."""

    @property
    def has_result(self) -> bool:
        """It ended well by itself, whatever is expected of its metrics."""
        return self.status is Status.SUCCEEDED or (self.status is Status.FAILED and self.judgement is not None)

    @property
    def cost(self) -> float | None:
        """Dollars that its last launch has cost, as its backend says; None where it says nothing."""
        told = self.outputs.get("cost")
        return float(told) if isinstance(told, int | float) else None

    @property
    def ran_seconds(self) -> float | None:
        """How long its last launch ran, as its backend says, or else until it was recorded to have ended; None where it
        has not ended, and where nobody knows."""
        may_have_run = self.status in (Status.SUCCEEDED, Status.FAILED, Status.LOST)
        begin = self.began_at or (self.at if may_have_run else "")  # it may have begun and ended between two looks
        if self.seconds is not None or not self.finished_at or not begin:
            return self.seconds
        ran = datetime.fromisoformat(self.finished_at) - datetime.fromisoformat(begin)
        return max(ran.total_seconds(), 0.0)

    @property
    def is_judged(self) -> bool:
        """It was judged by what is expected of it today."""
        return dict(self.options.expect) == (dict(self.judgement.expect) if self.judgement else {})

    @property
    def is_met(self) -> bool:
        """What depends on it may begin."""
        return self.status.is_met and self.is_judged


@dataclass(frozen=True, slots=True)
class Approval(Fact):
    """An approval in its place: the serial from which launches belong to it."""

    serial: int
    at: str
    approved: Approved


@dataclass(frozen=True)
class State:
    """What is known to exist under one stack's name, in one checkout."""

    stack: str
    lineage: str
    serial: int = 0
    """How many decisions were made; an observation is none."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """The present record of each address."""
    history: tuple[Record, ...] = ()
    """Archived runs, oldest first."""
    approvals: tuple[Approval, ...] = ()
    """What was approved, oldest first."""

    @property
    def approval(self) -> int:
        """The serial of the last approval; 0 where there is none."""
        return self.approvals[-1].serial if self.approvals else 0

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the stack exports, as it was last applied: name → `${ref:resource.output}`. A destroy says nothing of
        that."""
        return next((one.approved.outputs for one in reversed(self.approvals) if one.approved.program), {})

    @property
    def approved(self) -> Approved | None:
        """The last approval."""
        return self.approvals[-1].approved if self.approvals else None
