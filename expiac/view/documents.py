"""The documents that `--json` prints, as types: each key, and what it means. `schema` makes a JSON Schema of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from expiac.declare.fields import Kind
from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.view.parts import (
    Absent,
    AsOf,
    Count,
    Dollars,
    Figure,
    Figures,
    FormatVersion,
    Instance,
    Json,
    Launch,
    Lineage,
    Name,
    Names,
    Overrides,
    Serial,
    Summary,
)


class Change(TypedDict):
    """One field that differs. A value that is not there at all is null, and named by `absent`."""

    path: Name
    """The key path of the field."""
    before: Any
    """Any JSON value."""
    after: Any
    """Any JSON value."""
    kind: Kind
    absent: Absent


class Inputs(TypedDict):
    """The inputs of a step."""

    settings: Json | None
    """Of what is launched: the inputs that the program itself sets. Null for other steps."""
    inputs: Json | None
    """Of what is launched: all its inputs, a composed training config among them. Null for others."""


class Reference(TypedDict):
    """An output of another stack, as it was found."""

    stack: Name
    address: Name
    """The resource that has the output."""
    output: Name
    instance: Instance
    launch: Launch
    value: str


class Step(Inputs):
    """One action on one resource."""

    address: Name
    component: Name | None
    """The component in which it stands; null where it stands in none."""
    trial: Json
    """Of a trial of a sweep: the value of each setting that the sweep varies; else empty."""
    type: Name
    """The type of the resource, such as `job`."""
    instance: Instance
    launch: Launch
    action: Action
    reason: str
    changes: Sequence[Change]
    references: Sequence[Reference]
    """The outputs of other stacks that a launch uses, or the run of the past that stands again; empty elsewhere."""
    cost_per_hour: Dollars
    """Dollars, all nodes together; null where no price is known, or none is needed."""
    cost_at_most: Dollars
    """Dollars for the whole run; null where nothing bounds it."""
    unpriced: bool
    """Its backend has prices, and none for this."""
    price_error: str
    """Why its price can't be known; empty where it is known, or where there is none."""
    adopts: bool
    """It takes over a job of others, and launches nothing."""
    expected_seconds: float | None
    """How long the run should take, as its earlier ones did; null where none is known."""
    renames: Name | None
    """The name under which it is recorded so far; null where that is its own."""
    restores: Instance | None
    """The run of the past that stands here again; null where none does."""
    depends_on: Names
    deferred: bool
    """It waits for a run to succeed: `apply` without `--wait` leaves it for later."""
    reviewed: str | None
    """Of what is launched as it was reviewed: the digest of its rendered files. Null for others, and where the stack
    has no reviewed snapshots."""
    warning: str
    """What to mind; empty where there is nothing."""
    note: str
    """What the backend says of it; empty where it says nothing."""


class Sweep(TypedDict):
    """What is declared of a sweep."""

    keys: Names
    """The settings that it varies."""
    metric: str
    """What its trials are ranked by; empty where the sweep does not say."""
    goal: str
    """`maximize` or `minimize`."""
    trials: Count
    """How many trials there are, and will be."""
    max_failures: Count | None
    """How many of them may fail before no further one is begun; null where nothing bounds that."""
    budget: Dollars
    """Dollars that all of them may cost together; null where nothing bounds that."""
    gpu_hours: float | None
    """Hours of a GPU that all of them may use together; null where nothing bounds that."""


class OfState(TypedDict):
    """What every document about one state has."""

    format_version: FormatVersion
    stack: Name
    lineage: Lineage
    serial: Serial


class Plan(OfState):
    """The document of `plan --json` and `show --json`; the plan of a `began` line."""

    overrides: Overrides
    previous_overrides: Overrides | None
    """The last apply's overrides, where they differ from these."""
    sweeps: Annotated[Mapping[str, Sweep], Field(description="The sweeps that the program declares, by address.")]
    steps: Sequence[Step]
    """In an order in which they can be done."""
    summary: Summary
    along: Names
    """Of a part of a plan: what was not asked for, and is needed by what was."""
    left_out: Names
    """Of a part of a plan: what else there would be to do."""
    warnings: Sequence[str]
    """What is to be known of the plan as a whole: settings that nothing reads, what policies warn of, what apply will
    refuse."""
    outlook: Sequence[str]
    """Of each search, how far it is, and what depends on results; of each sweep with a budget, how far that reaches."""
    outputs: Overrides
    """What the stack exports: name → `${ref:address.output}`."""
    previous_outputs: Overrides | None
    """What it exported at the last apply, where that differs."""


class Progress(TypedDict):
    """How far a run is."""

    step: int
    """The last step, in the trainer's own unit."""
    total_steps: int
    """The steps of the whole run; 0 where that is not known."""
    elapsed: Figure
    """Seconds of training, over all launches."""
    seconds_left: Figure
    """Null where there is no pace yet."""
    metrics: Figures
    """The newest value of each."""
    first: Figures
    """The first value of each."""


class Resource(TypedDict):
    """One resource at one look."""

    address: Name
    component: Name | None
    """The component in which it stands; null where it stands in none."""
    trial: Json
    """Of a trial of a sweep: the value of each setting that the sweep varies; else empty."""
    instance: Instance
    provider: Name
    """Who makes it, such as `local` or `skypilot`."""
    status: Status
    launch: Launch
    detail: str
    """The backend's own words: a reason, an exit code."""
    unseen: str
    """Why it could not be seen; empty where it was."""
    note: str
    """Why metrics that are there can't be read; empty where they can."""
    page: str
    """The address of its page at W&B; empty where it has none that is known here, and in events of `apply`."""
    seconds: float | None
    """How long its last launch ran; null until it has ended, and where nobody knows."""
    usual_seconds: float | None
    """How long its newest runs took that succeeded; null where there is none."""
    progress: Progress | None
    """Null where there is no metrics file that can be read from here."""


class SweepStatus(Sweep):
    """How a sweep is, as a whole."""

    done: Count
    """How many trials succeeded."""
    running: Count
    pending: Count
    """How many wait in a queue."""
    failed: Count
    ended: Count
    """How many were stopped early or taken back, and are no failures."""
    best: Figure
    """The best value of its metric; null where no trial has one yet, and where the sweep names none."""
    best_address: Name | None
    """The job that has it."""
    seconds_left: Figure
    """Until all its trials have ended; null where that is not known."""
    cost: Dollars
    """What its trials have cost so far, as far as that is known, and where it has a budget those that are archived
    too; null where nothing is known."""
    gpu_hours_used: Figure
    """What all its runs have used so far; null where it has no budget."""
    spent: str | None
    """Why its budget is used up, so that nothing more is begun; null where it is not."""


class StatusDocument(OfState):
    """The document of `status --json` and `refresh --json`."""

    as_of: AsOf
    sweeps: Annotated[Mapping[str, SweepStatus], Field(description="How each sweep is, by address.")]
    resources: Sequence[Resource]


class OutputsOfRun(TypedDict):
    """The outputs of one run."""

    address: Name
    instance: Instance
    launch: Launch
    status: Status
    outputs: Json
    """The value of each output by its name; those that were asked for."""


class ExportedOutput(TypedDict):
    """An output that the stack exports."""

    name: Name
    address: Name
    """The resource that has the output."""
    output: Name
    instance: Instance | None
    """The run that stands there; null where there is none."""
    status: Status | None
    value: Any
    """Any JSON value; null where the run has not left it, or has not ended well."""


class OutputsDocument(OfState):
    """The document of `output --json`."""

    outputs: Sequence[OutputsOfRun]
    """None where an exported output was asked for."""
    exported: Sequence[ExportedOutput]
    """What the stack exports, or the one of it that was asked for; none where a job was named."""


class FetchedOutput(OutputsOfRun):
    """An output that was copied to this machine."""

    path: str
    """Of the copy, on this machine."""


class FetchedDocument(OfState):
    """The document of `fetch --json`."""

    fetched: FetchedOutput
