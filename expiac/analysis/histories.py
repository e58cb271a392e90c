"""Where the history of a run is read from: whatever it logged, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from expiac.analysis.runs import Run
from expiac.apply.metrics import Row
from expiac.apply.metrics.places import HISTORY_SECONDS, Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics
from expiac.state.model import State


class HistorySource(Protocol):
    """Gives the histories of runs."""

    def version(self, run: Run) -> str | None:
        """Names what a read would give now: it changes whenever that may have changed. None where there is nothing."""

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row that the run logged, in the order of the logging; they are read one by one.

        May raise `MissingPackage` or `OSError`: the run is named with the reason, and the others are shown.
        """

    def note(self, run: Run) -> str:
        """Why there is nothing of a run, or may be more; mostly empty."""


class FoundHistories:
    """The histories of the runs of a state, from the first of some sources that has them. Asks when it is first asked.
    """

    def __init__(self, state: State, sources: Sequence[MetricsSource], *, asks: bool = True, archived: bool = True
                 ) -> None:
        self._state, self._sources = state, sources
        self._asks, self._archived = asks, archived

    def version(self, run: Run) -> str | None:
        found = self._found.get(run.instance)
        return found.metrics.version() if found is not None and found.metrics is not None else None

    def rows(self, run: Run) -> Iterable[Row]:
        """Raises `MetricsError` where they can't be read."""
        found = self._found.get(run.instance)
        return found.metrics.rows() if found is not None and found.metrics is not None else ()

    def note(self, run: Run) -> str:
        found = self._found.get(run.instance)
        return found.note if found is not None else ""

    @cached_property
    def _found(self) -> Mapping[str, Found]:
        look = Look(self._state.lineage, wants_history=True, seconds=HISTORY_SECONDS if self._asks else 0.0)
        past = self._state.history if self._archived else ()
        return find_metrics((*past, *self._state.records.values()), self._sources, look)
