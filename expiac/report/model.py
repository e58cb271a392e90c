"""What a report shows, as plain values. Knows neither how it was found nor how it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expiac.analysis.at import At
from expiac.analysis.axes import Drawn
from expiac.analysis.curves import Curves
from expiac.analysis.wording import Rows
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is asked for."""

    metric: str | None = None
    at: At = "last"
    by: Sequence[str] | None = None
    archived: bool = False
    baseline: str | None = None
    """The arm with which the others are compared, as for `compare`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison of the arms, in words and cells."""

    heading: str
    arms: Rows = ()
    differences: Rows = ()
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArmOfReport:
    """One arm, and whose curves its band is made of."""

    name: str
    label: str
    instances: tuple[str, ...]
    """Without runs that failed, which would cut its curve short."""


@dataclass(frozen=True, slots=True)
class RunOfReport:
    """One run."""

    job: str
    instance: str
    status: Status
    arm: str


@dataclass(frozen=True, slots=True)
class SweepOfReport:
    """The trials of one sweep, the best first."""

    title: str
    heading: str
    """Which values count."""
    best: Rows
    command: str
    """What launches the best one again."""
    command_note: str
    importance: tuple[str, ...]
    """How the shares of settings are to be read, or why there are none."""
    drawn: Drawn
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Launches:
    """The runs that were launched by one approved plan, and from which code."""

    serial: int
    facts: tuple[tuple[str, str], ...]
    jobs: tuple[str, ...]
    diff: str = ""
    """What was not committed."""
    diff_note: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """The end of what a failed run has printed."""

    job: str
    status: Status
    detail: str
    lines: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """An episode that a trainer has recorded, as the player in the page reads it."""

    title: str
    episode: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page shows of one stack."""

    stack: str
    made_at: str
    """As people read it, UTC."""
    age: str
    """How old the statuses are, where no backend was asked."""
    step: str
    """What a step is called."""
    compared: Compared
    arms: tuple[ArmOfReport, ...]
    differing: Rows
    """The settings in which the arms differ, by arm."""
    runs: tuple[RunOfReport, ...]
    run_rows: Rows
    facts: tuple[tuple[str, str], ...]
    """How many runs, how long, how much."""
    sweeps: tuple[SweepOfReport, ...] = ()
    arms_left_out: int = 0
    """Arms that are neither compared one by one nor drawn, since the best ones alone are."""
    curves: tuple[Curves, ...] = ()
    curves_left_out: tuple[str, ...] = ()
    """Metrics whose curves are too many for a page."""
    launches: tuple[Launches, ...] = ()
    logs: tuple[Log, ...] = ()
    replays: tuple[Replay, ...] = ()
    notes: tuple[str, ...] = field(default=())
    replay_notes: tuple[str, ...] = field(default=())
