"""The documents of what is recorded, as types: records, applied plans, two runs compared, pruned runs, all stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.view.documents import Change, OfState, StatusDocument
from expiac.view.parts import AsOf, Count, Figures, FormatVersion, Instance, Json, Name, Names, Overrides, Serial


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


class RecordsDocument(OfState):
    """The document of `state list --json`: what a state file holds, which may grow."""

    as_of: AsOf
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
    rendered: Overrides
    """The digest of the rendered files of what it launches, by instance; of older releases, none."""
    reviewed: Annotated[Mapping[str, str | None], Field(
        description="That digest where these files were reviewed, and null where they were not, by instance; none "
                    "where the stack had no reviewed snapshots.")]
    launched: Sequence[Instance]
    """The runs of which the last launch belongs to it."""


class HistoryDocument(OfState):
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
    as_of: AsOf
    provenance: Json


class Difference(TypedDict):
    """The document of `diff RUN RUN --json`."""

    format_version: FormatVersion
    runs: Annotated[Sequence[ComparedRun], Field(min_length=2, max_length=2)]
    changes: Sequence[Change]


class DifferingSetting(TypedDict):
    """A setting in which several runs differ."""

    path: Name
    """The key path of the field."""
    values: Json
    """Its value by instance; a run that does not have it is not there."""


class Differences(TypedDict):
    """The document of `diff RUN RUN RUN… --json`."""

    format_version: FormatVersion
    compared: Annotated[Sequence[ComparedRun], Field(min_length=1)]
    differences: Sequence[DifferingSetting]
    results: Annotated[Mapping[str, Figures], Field(description="The newest metrics of each run, by instance.")]


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


class PruneDocument(OfState):
    """The document of `prune --json`."""

    dry_run: bool
    """Nothing was deleted."""
    pruned: Sequence[PrunedRun]
    """The runs whose folders were deleted, or with `--dry-run` would be."""
    kept: Sequence[KeptRun]
    """Archived runs that stay although they were meant."""
    bytes: Count
    """What is freed in all, with files that only these runs share and what an earlier prune left."""


class PromoteDocument(TypedDict):
    """The document of `promote --json`."""

    format_version: FormatVersion
    stack: Name
    address: Name
    instance: Instance
    file: str
    """The stack file, from the project's root."""
    patch: str
    """The unified diff that was applied; empty where the run has the defaults."""


class StackSummary(TypedDict):
    """A stack that has a state, or a stack file that was never applied."""

    name: str
    """Empty for a file that was never applied."""
    file: str
    """The stack file, from the project's root; empty where it is not known."""
    has_state: bool
    has_program: bool
    """Whether the stack file is there."""
    live: Count
    """How many resources have not ended."""
    succeeded: Count
    failed: Count
    """Those that failed, were cancelled or were lost."""
    applied_at: str
    """When it was last applied, ISO 8601, UTC; empty where it never was."""
    as_of: AsOf
    error: str
    """Why its state could not be read; empty where it could."""


class StacksDocument(TypedDict):
    """The document of `stacks --json`; of `status`, `history` and `state list` about several stacks."""

    format_version: FormatVersion
    stacks: (Sequence[StackSummary] | Sequence[StatusDocument] | Sequence[HistoryDocument]
             | Sequence[RecordsDocument])
    """All of one sort."""
