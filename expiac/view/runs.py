"""The documents of `runs` and `show RUN`, as types: runs of many stacks, and all that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from expiac.state.status import Status
from expiac.view.parts import AsOf, Dollars, Figures, FormatVersion, Instance, Json, Launch, Name, Names


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
