"""Where the history of a run is read from: whatever it logged, row by row. `default_source` has the order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from expiac.analysis.runs import Run
from expiac.apply.metrics import Row, row_of
from expiac.apply.metrics.places import HISTORY_SECONDS, Found, Look, MetricsSource
from expiac.apply.metrics.sources import find_metrics, nearby_sources, told_sources
from expiac.declare.project import Project
from expiac.providers.base import Provider
from expiac.state.model import State
from expiac.tracking.access import find_access
from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    from expiac.tracking import TrackedRun, WandbService


class HistorySource(Protocol):
    """Gives the histories of runs."""

    @property
    def notes(self) -> Sequence[str]:
        """Why runs could not be read, so far."""

    def version(self, run: Run) -> str | None:
        """Names what a read would give now: it changes whenever that may have changed. None where there is nothing."""

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row that the run logged, in the order of the logging; they are read one by one.

        May raise `MetricsError`, `OSError` or `ExpiacError`: the run is named with the reason; the others are shown.
        """


class FoundHistories:
    """The histories of runs at some places; all runs are looked for at once, when the first one is asked for.

    Those of which an `earlier` source has something are not looked for.
    """

    def __init__(self, state: State, runs: Iterable[Run], sources: Sequence[MetricsSource], *, asks: bool = True,
                 earlier: HistorySource | None = None) -> None:
        self.notes: list[str] = []
        self._state, self._runs, self._sources = state, tuple(runs), sources
        self._asks, self._earlier = asks, earlier

    def version(self, run: Run) -> str | None:
        """That of the first place that has something."""
        found = self._found.get(run.instance)
        return found.metrics.version() if found is not None and found.metrics is not None else None

    def rows(self, run: Run) -> Iterable[Row]:
        """Those of the same place; raises `MetricsError` or `OSError` where they can't be read."""
        found = self._found.get(run.instance)
        return found.metrics.rows() if found is not None and found.metrics is not None else ()

    @cached_property
    def _found(self) -> Mapping[str, Found]:
        jobs = {run.instance: run.job for run in self._runs
                if self._earlier is None or self._earlier.version(run) is None}
        records = [record for record in (*self._state.history, *self._state.records.values())
                   if record.run.instance in jobs]
        look = Look(self._state.lineage, wants_history=True, seconds=HISTORY_SECONDS if self._asks else 0.0)
        found = find_metrics(records, self._sources, look)
        self.notes += [f"{jobs[instance]}: {one.note}" for instance, one in found.items() if one.note]
        return found


class WandbHistories:
    """The histories at W&B: the ID of a run there is the name of its instance.

    All that are asked for are looked up by one query, when the first one is.
    """

    def __init__(self, service: WandbService, instances: Iterable[str]) -> None:
        self.notes: list[str] = []
        self._service = service
        self._instances = tuple(instances)

    def version(self, run: Run) -> str | None:
        """Its state and its last step there; None where W&B has no such run, or does not answer, which a note says."""
        found = self._known.get(run.instance)
        if found is None:
            return None
        return json.dumps([found.url, found.state, found.summary.get("_step"), found.summary.get("_timestamp")])

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row; raises `ExpiacError` where W&B does not answer to the end."""
        found = self._known.get(run.instance)
        rows = () if found is None else self._service.get_history(found)
        return (row for values in rows if (row := row_of(values)) is not None)

    @cached_property
    def _known(self) -> Mapping[str, TrackedRun]:
        try:
            return {run.id: run for run in self._service.find_runs(ids=self._instances)}
        except ExpiacError as error:
            if error.code != "no-such-wandb-project":  # nothing was uploaded yet
                self.notes.append(f"{error.summary}: {error.detail}")
            return {}


class InOrder:
    """Several sources: of each run, the first that has something."""

    def __init__(self, *sources: HistorySource) -> None:
        self._sources = sources

    @property
    def notes(self) -> Sequence[str]:
        """Those of all."""
        return [note for source in self._sources for note in source.notes]

    def version(self, run: Run) -> str | None:
        """That of the first source that has one."""
        return next((known for source in self._sources if (known := source.version(run)) is not None), None)

    def rows(self, run: Run) -> Iterable[Row]:
        """Those of the same source."""
        source = next((source for source in self._sources if source.version(run) is not None), self._sources[0])
        return source.rows(run)


def default_source(state: State, project: Project, runs: Sequence[Run], providers: Mapping[str, Provider], *,
                   asks: bool) -> HistorySource:
    """Files here; buckets; W&B, where it is installed and there is a key for it; what the providers tell, such as logs.

    Without `asks`, buckets and providers are not asked: of what a provider told before, it gives what it has kept.
    """
    sources: list[HistorySource] = [FoundHistories(state, runs, nearby_sources(), asks=asks)]
    if find_access(os.environ) is not None and find_spec("wandb") is not None:
        from expiac.tracking import get_wandb_service

        service = get_wandb_service(project.root, online=True)
        sources.append(WandbHistories(service, (run.instance for run in runs)))
    told = FoundHistories(state, runs, told_sources(providers), asks=asks, earlier=InOrder(*sources))
    return InOrder(*sources, told)
