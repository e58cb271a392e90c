"""The documents that `--json` prints, as types: each key, and what it means. `schema` makes a JSON Schema of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypeAliasType, TypedDict

from expiac.declare.fields import Kind
from expiac.plan.model import Action
from expiac.state.status import Status

Json = Mapping[str, Any]
FormatVersion = TypeAliasType("FormatVersion", Literal[1])
Name = TypeAliasType("Name", Annotated[str, Field(min_length=1)])
Names = TypeAliasType("Names", Sequence[Name])
Instance = TypeAliasType("Instance", Annotated[str, Field(
    pattern=r"^.+\..+\.[0-9a-f]{8}$",
    description="Folder, backend job name and W&B run id: `<stack>.<address>.<8 hex>`.")])
Launch = TypeAliasType("Launch", Annotated[int, Field(ge=1, description="Which launch of the run, from 1.")])
Lineage = TypeAliasType("Lineage", Annotated[str, Field(
    pattern="^[0-9a-f]{32}$", description="The name of one state file.")])
Serial = TypeAliasType("Serial", Annotated[int, Field(
    ge=0, description="How many decisions the state has seen.")])
Overrides = TypeAliasType("Overrides", Mapping[str, str])
Count = Annotated[int, Field(ge=0)]
Dollars = TypeAliasType("Dollars", Annotated[float, Field(ge=0)] | None)
Figure = TypeAliasType("Figure", Annotated[float | None, Field(
    description="Null where it is no number, as of a loss that diverged.")])
Figures = TypeAliasType("Figures", Mapping[str, Figure])
_ACTIONS = [action.value for action in Action]
Summary = TypeAliasType("Summary", Annotated[Mapping[str, Count], Field(
    description="How many steps of each action, zeros included.",
    json_schema_extra={"required": _ACTIONS, "propertyNames": {"enum": _ACTIONS}})])


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


class _OfState(TypedDict):
    """What every document about one state has."""

    format_version: FormatVersion
    stack: Name
    lineage: Lineage
    serial: Serial


class Plan(_OfState):
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


@with_config(ConfigDict(extra="allow", use_attribute_docstrings=True))
class RecordedResource(TypedDict):
    """One resource as a state file holds it; keys may be added."""

    address: Name
    type: Name
    provider: Name
    run: Json
    inputs: Json
    depends_on: Names
    status: Status
    outputs: Json
    at: str


class RecordsDocument(_OfState):
    """The document of `state list --json`: what a state file holds, which may grow."""

    records: Sequence[RecordedResource]


class ApprovedStep(TypedDict):
    """One step of an approved plan."""

    address: Name
    action: Action
    reason: str
    changes: Sequence[str]


class Approval(TypedDict):
    """One plan that was approved."""

    serial: Serial
    at: str
    """ISO 8601, UTC; empty where it is not known."""
    program: str
    """Empty for a destroy."""
    overrides: Overrides
    summary: Json
    """How many steps of each action."""
    provenance: Json
    """User, host, versions, commit, and the digest of a diff."""
    steps: Sequence[ApprovedStep]
    launched: Sequence[Instance]
    """The runs of which the last launch belongs to it."""


class HistoryDocument(_OfState):
    """The document of `history --json`."""

    approvals: Sequence[Approval]
    """Oldest first."""


class ComparedRun(TypedDict):
    """One of two runs that are compared."""

    stack: Name
    address: Name
    instance: Instance
    status: Status
    launched_at: str
    provenance: Json


class Difference(TypedDict):
    """The document of `diff RUN RUN --json`."""

    format_version: FormatVersion
    runs: Annotated[Sequence[ComparedRun], Field(min_length=2, max_length=2)]
    changes: Sequence[Change]


class PrunedRun(TypedDict):
    """A run whose folder goes."""

    address: Name
    instance: Instance
    status: Status
    archived_at: str
    """ISO 8601, UTC."""
    bytes: Count
    """What is freed if it alone goes."""


class KeptRun(TypedDict):
    """An archived run that stays."""

    address: Name
    instance: Instance
    why: str


class PruneDocument(_OfState):
    """The document of `prune --json`."""

    dry_run: bool
    """Nothing was deleted."""
    pruned: Sequence[PrunedRun]
    """The runs whose folders were deleted, or with `--dry-run` would be."""
    kept: Sequence[KeptRun]
    """Archived runs that stay although they were meant."""
    bytes: Count
    """What is freed in all, with files that only these runs share and what an earlier prune left."""


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
    seconds: float | None
    """How long its last launch ran; null until it has ended, and where nobody knows."""
    usual_seconds: float | None
    """How long its newest runs took that succeeded; null where there is none."""
    progress: Progress | None
    """Null where there is no metrics file that can be read from here."""


class StatusDocument(_OfState):
    """The document of `status --json` and `refresh --json`."""

    resources: Sequence[Resource]
