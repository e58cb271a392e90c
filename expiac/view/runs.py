"""The documents of `runs` and `show RUN`, as types: runs of many stacks, and all that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from expiac.state.status import Status
from expiac.view.documents import OfState, Reference
from expiac.view.parts import (
    AsOf,
    Count,
    Dollars,
    Figures,
    FormatVersion,
    Instance,
    Json,
    Launch,
    Name,
    Names,
    Overrides,
    Serial,
)


class ListedRun(TypedDict):
    """One run of a list."""

    stack: Name
    address: Name
    instance: Instance
    launch: Launch
    status: Status
    archived: bool
    seed: Any
    """Any JSON value; null where no setting is called `seed`."""
    settings: Json
    """The settings, other than the seed, that differ between the runs of its stack, by key path."""
    launched_at: str | None
    """ISO 8601, UTC."""
    user: str
    """Who launched it; empty where that is not known."""
    commit: str
    """From which commit; empty where that is not known."""
    seconds: float | None
    """How long its last launch ran; null until it has ended, and where nobody knows."""
    cost: Dollars
    metrics: Figures
    """The last value of each."""


class RunsDocument(TypedDict):
    """The document of `runs --json`."""

    format_version: FormatVersion
    as_of: AsOf
    listed: Sequence[ListedRun]
    notes: Names
    """What to mind, such as a key of which no run has a value."""


class LaunchedBy(TypedDict):
    """The approved plan under which a run was last launched."""

    serial: Serial
    program: str
    """The stack file, from the project's root."""
    overrides: Overrides
    provenance: Json
    """User, host, versions, commit, and the digest of a diff."""
    diff_file: str
    """The file with the uncommitted changes; empty where there were none, and where it is not here."""


class ShownRun(TypedDict):
    """All that is known of one run."""

    address: Name
    type: Name
    provider: Name
    instance: Instance
    attempt: Count
    """How many earlier runs had the same settings."""
    launch: Launch
    status: Status
    detail: str
    """The backend's own words."""
    launched_at: str
    """Of its last launch, ISO 8601, UTC; empty where it is not known."""
    archived_at: str
    """Empty where it is present."""
    pruned_at: str
    """When what it left on this machine was deleted; empty where it was not."""
    rendered: str | None
    """The digest of the rendered files that its last launch came from; null where it is not recorded."""
    reviewed: str | None
    """The same where these files were reviewed; null where they were not."""
    seconds: float | None
    """How long its last launch ran; null until it has ended, and where nobody knows."""
    approval: LaunchedBy | None
    """Null where it is not known."""
    seed: Any
    """Any JSON value; null where no setting is called `seed`."""
    settings: Json
    """Of every kind, by key path."""
    upstream: Json
    """The instance of each run that it refers to, by address."""
    references: Sequence[Reference]
    """The outputs of other stacks that it uses."""
    outputs: Json
    last: Figures
    """The last value of each metric."""
    best: Figures
    """The best value of each metric whose direction is known."""
    cost: Dollars
    logs: Names
    """The files of this machine that hold what its last launch printed."""
    wandb_id: Name


class RunDocument(OfState):
    """The document of `show RUN --json`."""

    as_of: AsOf
    run: ShownRun


class Spending(TypedDict):
    """What some runs have cost."""

    runs: Count
    hours: float
    """Of their last launches, as far as these are known; those of live runs so far."""
    gpu_hours: float
    """As many GPUs as the jobs asked for."""
    dollars: float
    """What is known of the cost, estimates included."""
    estimated_dollars: float
    """As much of it as is a price times a time."""
    free: Count
    """How many of the runs cost nothing, since their backend rents no machines."""
    unknown: Count
    """How many of the runs have a cost that is not known, and that is not in these dollars."""


class SpendingOf(Spending):
    """What the runs of a stack, job, user or week have cost."""

    name: Name


class CostDocument(TypedDict):
    """The document of `cost --json`."""

    format_version: FormatVersion
    by: Literal["stack", "job", "user", "week"]
    since: str | None
    """ISO 8601; null where all runs count."""
    as_of: AsOf
    spending: Sequence[SpendingOf]
    total: Spending
