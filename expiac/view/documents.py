"""The documents that `--json` prints, as types: each key, and what it means. `schema` makes a JSON Schema of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from expiac.declare.fields import Kind
from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.view.parts import (
    AsOf,
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
    absent: Literal["before", "after"] | None


class Inputs(TypedDict):
    """The inputs of a step."""

    settings: Json | None
    """Of what is launched: the inputs that the program itself sets. Null for other steps."""
    inputs: Json | None
    """Of what is launched: all its inputs, a composed training config among them. Null for others."""


class Step(Inputs):
    """One action on one resource."""

    address: Name
    type: Name
    """The type of the resource, such as `job`."""
    instance: Instance
    launch: Launch
    action: Action
    reason: str
    changes: Sequence[Change]
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
    warning: str
    """What to mind; empty where there is nothing."""
    note: str
    """What the backend says of it; empty where it says nothing."""


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
    """Of each search, how far it is, and what depends on results."""


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


class StatusDocument(OfState):
    """The document of `status --json` and `refresh --json`."""

    as_of: AsOf
    resources: Sequence[Resource]


class OutputsOfRun(TypedDict):
    """The outputs of one run."""

    address: Name
    instance: Instance
    launch: Launch
    status: Status
    outputs: Json
    """The value of each output by its name; those that were asked for."""


class OutputsDocument(OfState):
    """The document of `output --json`."""

    outputs: Sequence[OutputsOfRun]


class FetchedOutput(OutputsOfRun):
    """An output that was copied to this machine."""

    path: str
    """Of the copy, on this machine."""


class FetchedDocument(OfState):
    """The document of `fetch --json`."""

    fetched: FetchedOutput
