"""Events: what happened, each one past-tense fact. Knows nothing of what they add up to; `fold` does.

They are the lines of a state file, and so what they are called and hold is a format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from expiac.declare.options import Options
from expiac.state.facts import ApprovedSearch, Fact, Outcome, Reference, SweepFacts
from expiac.state.status import Status

Json = Mapping[str, Any]

DESTROYED, REMOVED = "destroyed", "removed"
"""How a user gives a run up: with its whole stack, or by taking its record out of the state."""


class Effect(str, Enum):
    """What is done to the world, by a provider."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class After(str, Enum):
    """What a delete makes room for, so that an interrupted one can be continued."""

    NOTHING = "nothing"
    REPLACE = "replace"
    RELAUNCH = "relaunch"
    DESTROY = "destroy"
    """Nothing, and the whole stack was to end."""


@dataclass(frozen=True, slots=True)
class Run(Fact):
    """One (address, fingerprint, attempt), and which launch of it: what a provider is asked to bring about once."""

    instance: str
    """Folder, backend job name and W&B run id: `<stack>.<job>.<8 hex>`."""
    fingerprint: str
    attempt: int
    launch: int


@dataclass(frozen=True, slots=True)
class ApprovedStep(Fact):
    """One step of an approved plan, as the history tells it."""

    address: str
    action: str
    reason: str = ""
    changes: tuple[str, ...] = ()
    """Each as a plan shows it: `gpus: 4 → 8`."""


@dataclass(frozen=True, slots=True)
class Judgement(Fact):
    """How a run that ended well was judged by its metrics."""

    expect: Mapping[str, str]
    """What was expected: metric → bound."""
    values: Mapping[str, float | None] | None = None
    """The last value of each expected metric; None where no metrics could be read."""


@dataclass(frozen=True, slots=True)
class Approved(Fact):
    """A plan was approved: by whom, from what. Every launch until the next one belongs to it."""

    tag: ClassVar[str] = "approved"
    overrides: Json = field(default_factory=dict)
    program: str = ""
    summary: Json = field(default_factory=dict)
    provenance: Json = field(default_factory=dict)
    created: tuple[str, ...] = ()
    """Addresses of what the plan creates, where there is nothing else to say."""
    steps: tuple[ApprovedStep, ...] = ()
    """What else the plan does, without what it keeps."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """Dollars per hour of what it launches, by instance, where the plan knew them."""
    sweeps: Mapping[str, SweepFacts] = field(default_factory=dict)
    """The sweeps that the program declares, by address."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What the stack exports: name → `${ref:resource.output}`."""
    rendered: Mapping[str, str] = field(default_factory=dict)
    """The digest of the rendered files of what it launches, by instance."""
    reviewed: Mapping[str, str] = field(default_factory=dict)
    """The set of reviewed snapshots that holds these files, by instance; empty where none does. Has no instance where
    the stack had no reviewed snapshots."""
    searches: Mapping[str, ApprovedSearch] = field(default_factory=dict)
    """The searches that are approved in another form than before, by address."""
    max_failures: int | None = None
    """`--max-failures` of the last apply of the stack that waited."""


@dataclass(frozen=True, slots=True)
class Started(Fact):
    """An effect is about to happen; durable before it does."""

    tag: ClassVar[str] = "started"
    address: str
    effect: Effect
    type: str
    provider: str
    run: Run
    after: After = After.NOTHING
    inputs: Json = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    upstream: Json = field(default_factory=dict)
    reason: str = ""
    """Of earlier releases: an approval says it now."""
    handle: Json = field(default_factory=dict)
    """What is known of the launch before it begins: a job launched by other means, which it adopts."""
    options: Options = Options()
    trial: Json = field(default_factory=dict)
    """Of a trial of a sweep: the value of each setting that the sweep varies."""
    sampler: Json = field(default_factory=dict)
    """Of a trial of a search: what its sampler has to know of it later."""
    references: tuple[Reference, ...] = ()
    """The outputs of other stacks that it uses."""


@dataclass(frozen=True, slots=True)
class Submitted(Fact):
    """The provider noted a request in flight."""

    tag: ClassVar[str] = "submitted"
    address: str
    handle: Json


@dataclass(frozen=True, slots=True)
class EffectDone(Fact):
    """The effect that was started has happened."""

    tag: ClassVar[str] = "done"
    address: str
    status: Status
    outputs: Json = field(default_factory=dict)
    detail: str = ""
    seconds: float | None = None
    judgement: Judgement | None = None
    began_at: str = ""
    """When it began to run, as its backend says, ISO 8601, UTC; empty where that says nothing."""


@dataclass(frozen=True, slots=True)
class EffectFailed(Fact):
    """The effect that was started has surely not happened."""

    tag: ClassVar[str] = "failed"
    address: str
    error: str


@dataclass(frozen=True, slots=True)
class Observed(Fact):
    """The world was seen to differ from the record. No decision, so the serial stays."""

    tag: ClassVar[str] = "observed"
    address: str
    status: Status
    outputs: Json = field(default_factory=dict)
    detail: str = ""
    seconds: float | None = None
    judgement: Judgement | None = None
    began_at: str = ""
    """When it began to run, as its backend says, ISO 8601, UTC; empty where that says nothing."""


@dataclass(frozen=True, slots=True)
class Forgotten(Fact):
    """The record was archived; the run's outputs stay."""

    tag: ClassVar[str] = "forgotten"
    address: str
    reason: str = ""
    discarded: str = ""
    """How the user gave it up: `DESTROYED`, `REMOVED`, or not at all."""


@dataclass(frozen=True, slots=True)
class Restored(Fact):
    """An archived run stands at an address again. Nothing happened to the world."""

    tag: ClassVar[str] = "restored"
    address: str
    instance: str
    inputs: Json = field(default_factory=dict)
    """Those of the archived run, with the present names of the resources that it refers to."""
    depends_on: tuple[str, ...] = ()
    upstream: Json = field(default_factory=dict)
    options: Options = Options()
    trial: Json = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialTold(Fact):
    """A search was told what a trial came to: its next proposals count on it."""

    tag: ClassVar[str] = "told"
    address: str
    instance: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Pruned(Fact):
    """What archived runs left on a machine is about to be deleted: no plan made before may count on it."""

    tag: ClassVar[str] = "pruned"
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noted(Fact):
    """What a declaration says besides its inputs was recorded anew; nothing happened to the world."""

    tag: ClassVar[str] = "noted"
    address: str
    depends_on: tuple[str, ...] = ()
    options: Options = Options()
    inputs: Json | None = None
    """The same, with the present names of the resources that it refers to; None where these stay."""
    upstream: Json | None = None


@dataclass(frozen=True, slots=True)
class Moved(Fact):
    """Records stand at other addresses; their runs keep their names, and what refers to them follows."""

    tag: ClassVar[str] = "moved"
    moves: Mapping[str, str]
    """Old address → new address."""


@dataclass(frozen=True, slots=True)
class NoticeDue(Fact):
    """Somebody is to be told of a run; written before the end that it tells of."""

    tag: ClassVar[str] = "notice_due"
    address: str
    occasion: str
    """`succeeded`, `failed` or `stuck`."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSent(Fact):
    """The calls of a notice were made."""

    tag: ClassVar[str] = "notice_sent"
    instance: str
    occasion: str
    error: str = ""
    """Of those that failed."""


Event = (Approved | Started | Submitted | EffectDone | EffectFailed | Observed | Forgotten | Noted | Moved | Pruned
         | Restored | NoticeDue | NoticeSent | TrialTold)
EVENTS: Mapping[str, type[Event]] = {kind.tag: kind for kind in Event.__args__}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the journal: its number and its time."""

    number: int
    at: str
    event: Event
