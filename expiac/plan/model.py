"""What would be done, and why: frozen values. Decides nothing; `planner` makes them and `engine` carries them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from expiac.declare.fields import Kind
from expiac.declare.options import Options
from expiac.declare.resource import Ref
from expiac.state.events import Json, Run, TrialTold
from expiac.state.facts import ApprovedSearch, Reference, SweepFacts
from expiac.state.model import Record


@dataclass(frozen=True, slots=True)
class Desired:
    """One resource as planning sees it: rendered, composed and classified."""

    address: str
    type: str
    provider: str
    """Who makes it: `local`, `skypilot`, or the type of a resource of another family."""
    inputs: Json
    """What is compared and recorded; a Ref stands as `${ref:resource.output}`."""
    kinds: Mapping[str, Kind]
    digest: str
    """Hash of everything that decides the result, upstream instances apart."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The rendered files, by file name, with `@instance@` in place of the instance name."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Where each declared output will be, with `@instance@`."""
    needed: tuple[str, ...] = ()
    """The outputs that other resources of the stack refer to."""
    depends_on: tuple[str, ...] = ()
    refs: tuple[Ref, ...] = ()
    references: tuple[Reference, ...] = ()
    """The outputs of other stacks among the inputs, as they were found."""
    completes: bool = False
    """Dependents wait for its success, not only for its presence."""
    mounts: Mapping[str, str] = field(default_factory=dict)
    """The files and folders here that go along, by their target on the machine."""
    git_check: bool = False
    """Must not be launched from a tree that is not committed and pushed."""
    options: Options = Options()
    """How it is to be treated."""
    settings: Json | None = None
    """What the program itself sets of the inputs, to be shown; None where that is all of them."""
    trial: Json = field(default_factory=dict)
    """Of a trial of a sweep: the value of each setting that the sweep varies. No part of what it is."""
    sampler: Json = field(default_factory=dict)
    """Of a trial of a search: what its sampler has to know of it later. No part of what it is."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What its launch adds to the environment besides the names of the run. No part of what it is."""


class Action(str, Enum):
    """What a step does; the value is its name in JSON, the glyph its sign in a plan."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    RELAUNCH = "relaunch"
    STOP = "stop"
    KEEP = "keep"
    RESTORE = "restore"
    FORGET = "forget"

    @property
    def glyph(self) -> str:
        return _GLYPHS[self]

    @property
    def launches(self) -> bool:
        """Whether the action launches something."""
        return self in (Action.CREATE, Action.REPLACE, Action.RELAUNCH)


_GLYPHS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "±",
    Action.RELAUNCH: "↻",
    Action.STOP: "-",
    Action.KEEP: "=",
    Action.RESTORE: "=",
    Action.FORGET: "·",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One differing field: its key path, its values, and what kind of field it is. A missing value is `MISSING`."""

    path: str
    before: Any
    after: Any
    kind: Kind


class _Missing:
    """Stands for a value that is not there, which None is not."""

    def __repr__(self) -> str:
        return "absent"


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Step:
    """One action on one resource, with everything that carrying it out needs."""

    address: str
    type: str
    action: Action
    reason: str
    run: Run
    """The run that stands at the address afterwards; where nothing will, the one that stands there now."""
    changes: tuple[Change, ...] = ()
    desired: Desired | None = None
    record: Record | None = None
    depends_on: tuple[str, ...] = ()
    upstream: Mapping[str, str] = field(default_factory=dict)
    """The instance of each run it refers to, by address."""
    after: tuple[str, ...] = ()
    """Addresses whose steps must have ended well before this one begins."""
    deferred: bool = False
    """Waits for a run to succeed; `apply` without `--wait` leaves it for later."""
    warning: str = ""
    note: str = ""
    """What the provider says of it: no GPU here, so it will run on the CPU."""
    cost_per_hour: float | None = None
    """Dollars, all nodes together."""
    cost_at_most: float | None = None
    """Dollars for the whole run, where something bounds it."""
    adopts: Json = field(default_factory=dict)
    """The handle of a job launched by other means that becomes this run; empty where a new one is launched."""
    unpriced: bool = False
    """Its provider has prices, and none for this."""
    price_error: str = ""
    """Why its price can't be known; empty where it is known, or where there is none."""
    expected_seconds: float | None = None
    """How long the run should take, as its earlier ones did; None where none is known."""
    expected_by_steps: bool = False
    """That counts how many steps the run takes, and how many the earlier ones took."""
    renames: str = ""
    """The address at which its record still stands; empty where that is its own."""
    restores: Record | None = None
    """The archived run that stands at the address again, in place of what stands there now."""

    pauses: bool = False
    """Of a stop: the run stays at its address, and goes on once it is launched again."""

    @property
    def extends(self) -> bool:
        """A run goes on with other settings than those of its record."""
        if self.action is not Action.RELAUNCH or self.restores is not None or self.record is None:
            return False
        return self.run.fingerprint != self.record.run.fingerprint

    @property
    def displaces(self) -> bool:
        """What stands at the address makes room for another run."""
        return self.action is Action.REPLACE or (self.restores is not None and self.record is not None)

    @property
    def retains(self) -> bool:
        """The run that makes room goes on."""
        return self.displaces and self._has_option("retain")

    @property
    def protects(self) -> bool:
        """What stands at the address may not be taken away."""
        return self._has_option("protect")

    def _has_option(self, name: str) -> bool:
        """Whether an option is on: the declared one, and that of a run which only made room here for another."""
        is_pushed = bool(self.renames) and not any(change.path == "name" for change in self.changes)
        of_record = self.record is not None and is_pushed and bool(getattr(self.record.options, name))
        return of_record or bool(getattr(self.options, name))

    @property
    def references(self) -> tuple[Reference, ...]:
        """The outputs of other stacks that its launch uses, or the run of the past that stands again."""
        is_used = self.action.launches or self.restores is not None
        return self.desired.references if self.desired is not None and is_used else ()

    @property
    def options(self) -> Options:
        """How the resource is to be treated: as declared, or where it is not any more, as recorded."""
        if self.desired is not None:
            return self.desired.options
        return self.record.options if self.record is not None else Options()


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which they can be done, and the state they stand on."""

    stack: str
    lineage: str
    serial: int
    steps: tuple[Step, ...]
    program: str = ""
    """Path of the program that declares the stack; empty where everything is to go."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    previous_overrides: Mapping[str, str] | None = None
    """The last apply's overrides where they differ from these."""
    along: tuple[str, ...] = ()
    """Of a part of a plan: what was not asked for, and is needed by what was."""
    left_out: tuple[str, ...] = ()
    """Of a part of a plan: what else there would be to do."""
    warnings: tuple[str, ...] = ()
    """What is to be known of the plan as a whole: settings without effect, warnings of policies, what apply refuses."""
    moves: Mapping[str, str] = field(default_factory=dict)
    """Old address → new address of the records that stand at another one from now on, whatever steps are chosen."""
    destroys: bool = False
    """The whole stack is to end."""
    declared: str = ""
    """Digest of every run that the program declares, whatever steps are chosen."""
    any_code: bool = False
    """Results of the past stand again whatever code made them."""
    max_running: int | None = None
    """How many jobs of the stack may be live at once; None where nothing bounds them."""
    sweeps: Mapping[str, SweepFacts] = field(default_factory=dict)
    """The sweeps that the program declares, by address."""
    searches: Mapping[str, ApprovedSearch] = field(default_factory=dict)
    """The searches that the program declares and the choice of steps takes in, by address: an apply approves them."""
    changed_searches: Mapping[str, str] = field(default_factory=dict)
    """Which of them was not approved in this form, and what has changed: `trials 60 → 80`; empty for a new one."""
    told: tuple[TrialTold, ...] = ()
    """What trials of searches came to that is not recorded yet."""
    outlook: tuple[str, ...] = ()
    """Of each search, how far it is, and what depends on results; of each sweep with a budget, how far that reaches."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What the stack exports: name → `${ref:resource.output}`."""
    previous_outputs: Mapping[str, str] | None = None
    """What it exported at the last apply, where that differs."""
    reviewed: Mapping[str, str] | None = None
    """By the address of what it launches from rendered files: their digest where they were reviewed, empty where they
    were not; None where the stack has no reviewed snapshots."""

    @property
    def unreviewed(self) -> tuple[str, ...]:
        """The addresses of what it launches and nobody reviewed; none where the stack has no reviewed snapshots."""
        kept = {step.address for step in self.steps}
        return tuple(address for address, digest in (self.reviewed or {}).items() if not digest and address in kept)

    @property
    def is_empty(self) -> bool:
        """Nothing would change."""
        return all(step.action is Action.KEEP for step in self.steps)

    @property
    def summary(self) -> dict[str, int]:
        """How many steps of each action, zeros included, by the action's name."""
        count = Counter(step.action for step in self.steps)
        return {action.value: count[action] for action in Action}

    def without(self, steps: Collection[Step]) -> Plan:
        """The plan without some of its steps; the others do not wait for them."""
        addresses = {step.address for step in steps}
        return replace(self, steps=tuple(step for step in self.steps if step.address not in addresses))

    def __getitem__(self, address: str) -> Step:
        return next(step for step in self.steps if step.address == address)
