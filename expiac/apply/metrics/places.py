"""What a place is that may have metrics of runs, and what it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from expiac.apply.events import Progress
from expiac.apply.metrics.rows import Row
from expiac.state.model import Record

STATUS_SECONDS = 8.0
"""How long a look at how far the runs are may ask the backends for their metrics, all together."""
HISTORY_SECONDS = 60.0
"""How long a look at their histories may."""


class RunMetrics(Protocol):
    """The metrics of one run at one place."""

    def progress(self) -> Progress | None:
        """How far it is; None where nothing can be read yet. Raises `MetricsError`."""

    def version(self) -> str | None:
        """Names what `rows` would give now: it changes whenever that may have changed."""

    def rows(self) -> Iterable[Row]:
        """Every row, in the order of the logging. Raises `MetricsError`."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a source has of a run."""

    metrics: RunMetrics | None = None
    note: str = ""
    """Why there is nothing, or may be more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for."""

    lineage: str
    wants_history: bool = False
    """Every row, and not only how far the runs are."""
    seconds: float = STATUS_SECONDS
    """For each source, for all runs together; with 0, nobody is asked."""


class MetricsSource(Protocol):
    """A place that may have metrics of runs."""

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        """By instance; a run that is not in it has nothing here."""
